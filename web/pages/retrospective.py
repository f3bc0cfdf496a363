"""The retrospective: whether the gain of what was shipped has held."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import catalog, conclusions, registry, retrospectives
from experiments.choices import Choice, parse_retrospective
from experiments.concluded import Held
from experiments.errors import InvalidInput, NotAllowed, Problem
from web import deployment
from web.pages.asking import asker
from web.pages.site import site
from web.wording.complaints import beside
from web.wording.decided import decision_sentence, held_chip
from web.wording.names import names_of


@site.get("/experiments/<key>/retrospective", endpoint="retrospective")
def look_back(key: str) -> str:
    """The question, with what was decided."""
    return _page(key, [])


@site.post("/experiments/<key>/retrospective")
def record_retrospective(key: str) -> Response | tuple[str, int]:
    """Keep the answer."""
    document = {"held": request.form.get("held", ""), "note": request.form.get("note", "")}
    try:
        draft = parse_retrospective(document)
    except InvalidInput as refusal:
        return _page(key, list(refusal.problems)), 422
    with deployment.current().store.write() as session:
        retrospectives.look_back(session=session, key=key, draft=draft, **asker())
    return redirect(url_for("pages.decide", key=key), 303)


def _page(key: str, problems: list[Problem]) -> str:
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        metrics = registry.find_metrics(session=session, keys=experiment.definition.metrics.keys)
        ending = conclusions.ending_of(session=session, key=key)
    if ending is None or ending.choice is not Choice.SHIP:
        raise NotAllowed(f"{key} shipped nothing; there is no gain to look back on")
    return render_template(
        "retrospective.html",
        experiment=experiment,
        ending=ending,
        told=decision_sentence(ending, names_of(experiment, metrics)),
        answers=[(each, held_chip(each)) for each in Held],
        chosen=request.form.get("held", ""),
        note=request.form.get("note", ""),
        problems=beside(problems),
    )
