"""The design: what an experiment asks, where it stands, what was done to it; and its start and stop."""

from collections.abc import Callable, Mapping

from flask import abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from experiments import approvals, catalog, conclusions, launch, registry, timeline
from experiments.catalog import Experiment
from experiments.lifecycle import Status
from experiments.previews import is_shown
from experiments.project import find_project
from experiments.publishing import latest_version
from experiments.roles import Scope
from experiments.store import Session
from experiments.workers import list_workers
from web import auth, deployment
from web.pages.asking import asker, seen_revision
from web.pages.site import needs, site
from web.wording.decided import outcome_chip
from web.wording.design import sections
from web.wording.history import fields_told, told
from web.wording.hypothesis import hypothesis_sentence
from web.wording.moves import timing_sentence, worded_move
from web.wording.names import names_of
from web.wording.states import status_chip

_ACTS: Mapping[str, Callable[..., object]] = {
    "submit": launch.submit,
    "approve": approvals.approve,
    "start": launch.start,
    "cancel": launch.cancel,
    "stop": launch.stop,
    "archive": launch.archive,
}
_MOVES: Mapping[Status, tuple[str, ...]] = {
    Status.DRAFT: ("start", "archive"),
    Status.REVIEW: ("start", "archive"),
    Status.SCHEDULED: ("cancel",),
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
        metrics = registry.find_metrics(session=session, keys=experiment.definition.metrics.keys)
        history = timeline.timeline_of(session=session, key=key)
        workers = list_workers(session=session, now=deployment.current().now())
        published = latest_version(session=session)
        ending = conclusions.ending_of(session=session, key=key)
        moves = _moves(session, experiment)
        approval = approvals.find_approval(session=session, key=key, now=deployment.current().now())
        zone = find_project(session=session).definition.time_zone
    return render_template(
        "design.html",
        experiment=experiment,
        names=names_of(experiment, metrics),
        hypothesis=hypothesis_sentence(experiment.definition.hypothesis),
        sections=sections(experiment, metrics),
        chip=status_chip(experiment.status),
        history=[(entry, told(entry), fields_told(entry.changes)) for entry in history],
        moves=moves,
        approval=approval,
        editable=experiment.status not in (Status.CONCLUDED, Status.ARCHIVED),
        ending=ending,
        decidable=experiment.status in (Status.RUNNING, Status.STOPPED),
        outcome=outcome_chip,
        decides=experiment.started_at is not None and experiment.definition.assignment == "internal",
        timing=timing_sentence(experiment, zone),
        previewed=is_shown(experiment.status, experiment.definition.assignment),
        workers=workers,
        published=published,
    )


@site.get("/experiments/<key>/<any(submit, approve, start, cancel, stop, archive):move>")
@needs(Scope.LAUNCH)
def confirm(key: str, move: str) -> str:
    """Say what a move will do, before it is made."""
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        moves = _moves(session, experiment)
        zone = find_project(session=session).definition.time_zone
    if move not in moves:
        abort(404)
    now = deployment.current().now()
    return render_template(
        "confirm.html", experiment=experiment, move=worded_move(move, experiment, now, zone)
    )


@site.post("/experiments/<key>/<any(submit, approve, start, cancel, stop, archive):move>")
@needs(Scope.LAUNCH)
def make(key: str, move: str) -> Response:
    """Make a move, if nobody has changed the experiment since it was confirmed."""
    with deployment.current().store.write() as session:
        _ACTS[move](session=session, key=key, revision=seen_revision(), **asker())
    return redirect(url_for("pages.design", key=key), 303)


def _moves(session: Session, experiment: Experiment) -> tuple[str, ...]:
    """Where it can go from here; a start that takes two people comes after the second one's yes.

    Whoever wrote it waits for somebody else.
    """
    moves = _MOVES[experiment.status]
    if "start" not in moves or not find_project(session=session).definition.approval:
        return moves
    now = deployment.current().now()
    if approvals.find_approval(session=session, key=experiment.key, now=now) is not None:
        return moves
    first = "submit" if experiment.status is Status.DRAFT else "approve"
    if first == "approve" and auth.name() in approvals.authors_of(session=session, key=experiment.key):
        first = "wait"
    return tuple(first if move == "start" else move for move in moves)
