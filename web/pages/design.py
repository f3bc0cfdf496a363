"""The design: what an experiment asks, where it stands, what was done to it; and its start and stop."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import audit, catalog, launch
from experiments.catalog import Experiment
from experiments.lifecycle import Status
from web import auth, deployment
from web.pages.site import site
from web.wording.design import sections
from web.wording.hypothesis import hypothesis_sentence
from web.wording.language import gettext
from web.wording.names import names_of
from web.wording.states import status_chip, told


@dataclass(frozen=True, slots=True)
class Move:
    """A move in an experiment's life, as the confirming page words it."""

    name: str
    title: str
    consequences: tuple[str, ...]
    button: str


@site.get("/experiments/<key>")
def design(key: str) -> str:
    """An experiment as it was designed, with its history."""
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        metrics = catalog.find_metrics(session=session, keys=experiment.definition.metrics.keys)
        history = audit.history(session=session, object=key)
    return render_template(
        "design.html",
        experiment=experiment,
        names=names_of(experiment, metrics),
        hypothesis=hypothesis_sentence(experiment.definition.hypothesis),
        sections=sections(experiment, metrics),
        chip=status_chip(experiment.status),
        history=[(entry, told(entry)) for entry in history],
        moves=_moves(experiment),
    )


@site.get("/experiments/<key>/<any(start, stop):move>")
def confirm(key: str, move: str) -> str:
    """Say what a move will do, before it is made."""
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
    if move not in _moves(experiment):
        abort(404)
    return render_template("confirm.html", experiment=experiment, move=_worded(move, experiment))


@site.post("/experiments/<key>/<any(start, stop):move>")
def make(key: str, move: str) -> Response:
    """Make a move, if nobody has changed the experiment since it was confirmed."""
    person, now = auth.person(), deployment.current().now()
    act = launch.start if move == "start" else launch.stop
    with deployment.current().store.write() as session:
        act(session=session, key=key, actor=person.name if person else "", now=now, revision=_revision())
    return redirect(url_for("pages.design", key=key), 303)


def _revision() -> int:
    text = request.form.get("revision", "")
    return int(text) if text.isdecimal() and len(text) < 10 else abort(400)


def _moves(experiment: Experiment) -> tuple[str, ...]:
    if experiment.status in (Status.DRAFT, Status.REVIEW, Status.STOPPED):
        return ("start",)
    return ("stop",) if experiment.status is Status.RUNNING else ()


def _worded(move: str, experiment: Experiment) -> Move:
    words: dict[str, Callable[[Experiment], Move]] = {"start": _start, "stop": _stop}
    return words[move](experiment)


def _start(experiment: Experiment) -> Move:
    return Move(
        "start",
        gettext("Start %(name)s?", name=experiment.title),
        (
            gettext("From now on units are assigned, and every worker knows within seconds."),
            gettext("Variants, weights, primary metrics and the plan can no longer change."),
            gettext("Traffic may rise later; nobody who is in will move."),
        ),
        gettext("Start"),
    )


def _stop(experiment: Experiment) -> Move:
    return Move(
        "stop",
        gettext("Stop %(name)s?", name=experiment.title),
        (
            gettext("From now on everybody gets the control."),
            gettext("What was recorded stays, and can still be analysed."),
        ),
        gettext("Stop"),
    )
