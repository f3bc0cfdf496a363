"""Editing: the form again, filled with what was written down. What would move units has to be meant."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import catalog, launch
from experiments.catalog import Experiment
from experiments.definition import ExperimentDraft, parse_experiment
from experiments.errors import Conflict, InvalidInput, NotAllowed, Problem
from web import auth, deployment
from web.pages.creation import known_metrics, show_form
from web.pages.form import Form, document_of, form_of, read_form
from web.pages.site import site


@site.get("/experiments/<key>/edit")
def open_form(key: str) -> str:
    """The form as the experiment stands."""
    experiment = _find(key)
    return show_form(form_of(experiment.definition), known_metrics(), [], editing=experiment)


@site.post("/experiments/<key>/edit")
def save_changes(key: str) -> Response | str | tuple[str, int]:
    """Change the experiment, or show the form again; ask first when units would move."""
    experiment, form = _find(key), read_form(request.form)
    if "more" in request.form:
        return show_form(form.with_another_variant(), known_metrics(), [], editing=experiment)
    try:
        _edit(parse_experiment(_merged(experiment.definition, form)))
    except InvalidInput as refusal:
        return show_form(form, known_metrics(), refusal.problems, editing=experiment), 422
    except Conflict as refusal:
        problem = [Problem("form", str(refusal))]
        return show_form(form, known_metrics(), problem, editing=experiment), 409
    except NotAllowed as refusal:
        sent = list(request.form.items(multi=True))
        page = render_template("new_phase.html", experiment=experiment, refusal=refusal, sent=sent)
        return page, 409
    return redirect(url_for("pages.design", key=key), 303)


def _find(key: str) -> Experiment:
    with deployment.current().store.read() as session:
        return catalog.find_experiment(session=session, key=key)


def _edit(draft: ExperimentDraft) -> None:
    person, now = auth.person(), deployment.current().now()
    revision = request.form.get("revision", "")
    with deployment.current().store.write() as session:
        launch.edit(
            session=session,
            draft=draft,
            actor=person.name if person else "",
            now=now,
            revision=int(revision) if revision.isdecimal() and len(revision) < 10 else 0,
            new_phase=request.form.get("new_phase") == "yes",
        )


def _merged(definition: ExperimentDraft, form: Form) -> dict[str, Any]:
    """What the form says, over what it does not show."""
    document = definition.model_dump(mode="json")
    typed = document_of(form)
    plan = {**document["plan"], **dict.fromkeys(("days", "size", "mde")), **typed["plan"]}
    return {**document, **typed, "key": definition.key, "plan": plan}
