"""Creation: one form that becomes a draft. What was typed is never lost, whatever is wrong with it."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import catalog
from experiments.catalog import Experiment, Metric
from experiments.definition import ExperimentDraft, parse_experiment
from experiments.errors import Conflict, InvalidInput, Problem
from web import auth, deployment
from web.pages.form import Form, blank_form, document_of, read_form
from web.pages.site import site
from web.wording.design import metric_sentence
from web.wording.problems import beside_fields


@site.get("/experiments/new")
def new() -> str:
    """The empty form."""
    return show_form(blank_form(), known_metrics(), [])


@site.post("/experiments/new")
def create() -> Response | str | tuple[str, int]:
    """Write a draft down, or show the form again with each problem beside its field."""
    metrics = known_metrics()
    form = read_form(request.form)
    if "more" in request.form:
        return show_form(form.with_another_variant(), metrics, [])
    try:
        experiment = _write(parse_experiment(document_of(form)))
    except InvalidInput as refusal:
        return show_form(form, metrics, refusal.problems), 422
    except Conflict as refusal:
        return show_form(form, metrics, [Problem("key", str(refusal))]), 409
    return redirect(url_for("pages.design", key=experiment.key), 303)


def _write(draft: ExperimentDraft) -> Experiment:
    person, now = auth.person(), deployment.current().now()
    with deployment.current().store.write() as session:
        return catalog.create_experiment(
            session=session, draft=draft, actor=person.name if person else "", now=now
        )


def known_metrics() -> list[Metric]:
    """The metrics that an experiment can choose from."""
    with deployment.current().store.read() as session:
        return catalog.list_metrics(session=session)


def show_form(
    form: Form,
    metrics: list[Metric],
    problems: tuple[Problem, ...] | list[Problem],
    *,
    editing: Experiment | None = None,
) -> str:
    """Lay the form out, with each problem beside its field."""
    return render_template(
        "new.html",
        form=form,
        metrics=metrics,
        problems=beside_fields(problems, form),
        metric_sentence=metric_sentence,
        editing=editing,
    )
