"""The design: what an experiment asks, where it stands, what was done to it; and its start and stop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import approvals, catalog, conclusions, launch, timeline
from experiments.catalog import Experiment
from experiments.lifecycle import Status
from experiments.previews import is_shown
from experiments.project import find_project
from experiments.publishing import latest_version
from experiments.roles import Scope
from experiments.store import Session
from experiments.workers import list_workers
from web import auth, deployment
from web.pages.site import needs, site
from web.wording.decided import outcome_chip
from web.wording.design import sections
from web.wording.history import changes_told, told
from web.wording.hypothesis import hypothesis_sentence
from web.wording.language import gettext
from web.wording.names import names_of
from web.wording.states import status_chip


@dataclass(frozen=True, slots=True)
class Move:
    """A move in an experiment's life, as the confirming page words it."""

    name: str
    title: str
    consequences: tuple[str, ...]
    button: str


_ACTS: Mapping[str, Callable[..., object]] = {
    "submit": launch.submit,
    "approve": approvals.approve,
    "start": launch.start,
    "stop": launch.stop,
    "archive": launch.archive,
}
_MOVES: Mapping[Status, tuple[str, ...]] = {
    Status.DRAFT: ("start", "archive"),
    Status.REVIEW: ("start", "archive"),
    Status.RUNNING: ("stop",),
    Status.STOPPED: ("start", "archive"),
    Status.CONCLUDED: ("archive",),
    Status.ARCHIVED: (),
}


@site.get("/experiments/<key>", endpoint="design")
def show_design(key: str) -> str:
    """An experiment as it was designed, with its history."""
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        metrics = catalog.find_metrics(session=session, keys=experiment.definition.metrics.keys)
        history = timeline.timeline_of(session=session, key=key)
        workers = list_workers(session=session, now=deployment.current().now())
        published = latest_version(session=session)
        ending = conclusions.ending_of(session=session, key=key)
        moves = _moves(session, experiment)
        approval = approvals.find_approval(session=session, key=key, now=deployment.current().now())
    return render_template(
        "design.html",
        experiment=experiment,
        names=names_of(experiment, metrics),
        hypothesis=hypothesis_sentence(experiment.definition.hypothesis),
        sections=sections(experiment, metrics),
        chip=status_chip(experiment.status),
        history=[(entry, told(entry), changes_told(entry)) for entry in history],
        moves=moves,
        approval=approval,
        editable=experiment.status not in (Status.CONCLUDED, Status.ARCHIVED),
        ending=ending,
        decidable=experiment.status in (Status.RUNNING, Status.STOPPED),
        outcome=outcome_chip,
        decides=experiment.started_at is not None and experiment.definition.assignment == "internal",
        previewed=is_shown(experiment.status, experiment.definition.assignment),
        workers=workers,
        published=published,
    )


@site.get("/experiments/<key>/<any(submit, approve, start, stop, archive):move>")
@needs(Scope.LAUNCH)
def confirm(key: str, move: str) -> str:
    """Say what a move will do, before it is made."""
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        moves = _moves(session, experiment)
    if move not in moves:
        abort(404)
    return render_template("confirm.html", experiment=experiment, move=_worded(move, experiment))


@site.post("/experiments/<key>/<any(submit, approve, start, stop, archive):move>")
@needs(Scope.LAUNCH)
def make(key: str, move: str) -> Response:
    """Make a move, if nobody has changed the experiment since it was confirmed."""
    person, now = auth.person(), deployment.current().now()
    actor, revision = person.name if person else "", _revision()
    with deployment.current().store.write() as session:
        _ACTS[move](session=session, key=key, actor=actor, now=now, revision=revision)
    return redirect(url_for("pages.design", key=key), 303)


def _revision() -> int:
    text = request.form.get("revision", "")
    return int(text) if text.isdecimal() and len(text) < 10 else abort(400)


def _moves(session: Session, experiment: Experiment) -> tuple[str, ...]:
    """Where it can go from here; a start that takes two people comes after the second one's yes."""
    moves = _MOVES[experiment.status]
    if "start" not in moves or not find_project(session=session).definition.approval:
        return moves
    now = deployment.current().now()
    if approvals.find_approval(session=session, key=experiment.key, now=now) is not None:
        return moves
    first = "submit" if experiment.status is Status.DRAFT else "approve"
    return tuple(first if move == "start" else move for move in moves)


def _worded(move: str, experiment: Experiment) -> Move:
    words: dict[str, Callable[[Experiment], Move]] = {
        "submit": _submit,
        "approve": _approve,
        "start": _start,
        "stop": _stop,
        "archive": _archive,
    }
    return words[move](experiment)


def _submit(experiment: Experiment) -> Move:
    return Move(
        "submit",
        gettext("Hand %(name)s over for review?", name=experiment.title),
        (
            gettext("Somebody who did not write it reads it and approves it; then it can start."),
            gettext("It can still be changed; a change after the approval makes it void."),
        ),
        gettext("Hand over for review"),
    )


def _approve(experiment: Experiment) -> Move:
    return Move(
        "approve",
        gettext("Approve %(name)s?", name=experiment.title),
        (
            gettext("You have read the definition as it stands, and it may start like this."),
            gettext("Your approval holds for three days, and for nothing that is changed afterwards."),
            gettext("Whoever wrote it down or changed it last cannot approve it."),
        ),
        gettext("Approve"),
    )


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


def _archive(experiment: Experiment) -> Move:
    return Move(
        "archive",
        gettext("Archive %(name)s?", name=experiment.title),
        (
            gettext("Programs no longer know its key, and use the default in their code."),
            gettext("The key is never used again; design, results and history stay readable."),
        ),
        gettext("Archive"),
    )
