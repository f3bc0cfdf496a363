"""Launching: the moves of an experiment through its life, each with its consequences."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from experiments import approvals, audit, eligibility
from experiments.catalog import Experiment, create_experiment, find_experiment, moved_by, require_row, rewrite
from experiments.definition import Definitions, ExperimentDraft
from experiments.errors import InvalidInput, NotAllowed, NotFound
from experiments.lifecycle import Status, may_edit, require_move
from experiments.metrics import MetricDraft
from experiments.phases import begin_phase, close_phase, open_phase, reopen_phase
from experiments.publishing import publish_change, published_together
from experiments.readymade import ready_made
from experiments.registry import Change, save_metric
from experiments.store.tables import ExperimentRow
from experiments.tracking_plans import apply_events

LEFT_STOPPED = "left stopped"
"""What applying did with an experiment that was stopped by hand."""


def submit(
    *, session: Session, key: str, actor: str, now: datetime, revision: int | None = None
) -> Experiment:
    """Hand a draft over for review."""
    row = _moving(session, key, Status.REVIEW, revision)
    return _moved(session, row, Status.REVIEW, actor, now)


def start(
    *,
    session: Session,
    key: str,
    actor: str,
    now: datetime,
    revision: int | None = None,
    new_phase: bool = False,
) -> Experiment:
    """Start an experiment, or go on with a stopped one under the same salt.

    One whose definition starts later is scheduled: `timetable.keep_time` starts it then.

    Parameters
    ----------
    new_phase
        Whether a stopped experiment draws lots again: a new salt, and a new analysis.

    Raises
    ------
    NotAllowed
        If it cannot start from where it stands, or the approval that the project asks for is missing.
    InvalidInput
        If it stands on something that does not exist.
    Conflict
        If its slots are held by another running experiment, or somebody else has changed it since.
    """
    row = require_row(session=session, key=key, revision=revision)
    starts = find_experiment(session=session, key=key).definition.starts
    later = row.started_at is None and starts is not None and starts > now
    require_move(key, Status(row.status), Status.SCHEDULED if later else Status.RUNNING)
    approvals.require_approval(session=session, key=key, now=now)
    if later:
        require_ground(session=session, key=key)
        return _moved(session, row, Status.SCHEDULED, actor, now)
    return begin(session=session, key=key, actor=actor, now=now, new_phase=new_phase)


def begin(*, session: Session, key: str, actor: str, now: datetime, new_phase: bool = False) -> Experiment:
    """Begin to assign units: what `start` does once its time has come.

    Raises
    ------
    InvalidInput
        If it stands on something that does not exist.
    Conflict
        If its slots are held by another experiment.
    """
    row = _moving(session, key, Status.RUNNING, None)
    experiment = require_ground(session=session, key=key)
    if new_phase and row.started_at is not None:
        begin_phase(session, experiment, actor, now)
    row.started_at = row.started_at or now
    if not reopen_phase(session, row):
        open_phase(session, row, experiment.definition, now)
    row.stopped_at = None
    return _moved(session, row, Status.RUNNING, actor, now)


def require_ground(*, session: Session, key: str) -> Experiment:
    """Refuse an experiment that stands on something missing, or on buckets that another one holds."""
    experiment = find_experiment(session=session, key=key)
    eligibility.require_known(session=session, experiment=experiment)
    eligibility.require_room(session=session, experiment=experiment)
    return experiment


def cancel(
    *, session: Session, key: str, actor: str, now: datetime, revision: int | None = None
) -> Experiment:
    """Take back a start that was scheduled; the experiment is a draft again.

    Raises
    ------
    NotAllowed
        If none is.
    """
    row = require_row(session=session, key=key, revision=revision)
    if Status(row.status) is not Status.SCHEDULED:
        raise NotAllowed(f"{key} is {row.status}; there is no start to cancel")
    return _moved(session, row, Status.DRAFT, actor, now)


def stop(*, session: Session, key: str, actor: str, now: datetime, revision: int | None = None) -> Experiment:
    """Stop assigning units; everybody gets the control's value from now on.

    Raises
    ------
    NotAllowed
        If it is not running.
    """
    row = _moving(session, key, Status.STOPPED, revision)
    row.stopped_at = now
    close_phase(session, row, now)
    return _moved(session, row, Status.STOPPED, actor, now)


def conclude(
    *,
    session: Session,
    key: str,
    actor: str,
    now: datetime,
    ship: str | None = None,
    revision: int | None = None,
) -> Experiment:
    """End a stopped experiment for good.

    Parameters
    ----------
    ship
        The variant that everybody gets from now on; None to roll back to the control's value.

    Raises
    ------
    InvalidInput
        If there is no such variant.
    NotAllowed
        If it has not been stopped.
    """
    row = _moving(session, key, Status.CONCLUDED, revision)
    draft = find_experiment(session=session, key=key).definition
    if ship is not None and ship not in {variant.key for variant in draft.variants}:
        raise InvalidInput.at("ship", f"{key} has no variant {ship!r}")
    row.shipped = ship
    return _moved(session, row, Status.CONCLUDED, actor, now)


def archive(
    *, session: Session, key: str, actor: str, now: datetime, revision: int | None = None
) -> Experiment:
    """Put an experiment away: clients no longer know its key, and the key is never used again."""
    row = _moving(session, key, Status.ARCHIVED, revision)
    row.shipped = None
    return _moved(session, row, Status.ARCHIVED, actor, now)


def edit(
    *,
    session: Session,
    draft: ExperimentDraft,
    actor: str,
    now: datetime,
    revision: int | None = None,
    new_phase: bool = False,
) -> Experiment:
    """Change an experiment.

    Parameters
    ----------
    revision
        The revision that the editor saw; None to overwrite whatever is there (definitions as code).
    new_phase
        Whether a change that moves units is meant: it begins a new phase with a new salt, and a new analysis.
        A change that moves nobody leaves the phase as it is.

    Raises
    ------
    NotAllowed
        If the change moves units or goalposts and no new phase was asked for, or the project asks for an
        approval: then it is stopped, changed, approved and started again.
    Outdated
        If somebody else has changed it since.
    """
    row = require_row(session=session, key=draft.key)
    before, moved = row.revision, moved_by(session=session, row=row, after=draft)
    if new_phase and moved and Status(row.status) is Status.RUNNING:
        approvals.require_none(session=session, key=draft.key)
    edited = rewrite(session=session, draft=draft, actor=actor, now=now, revision=revision, moving=new_phase)
    if edited.revision == before:
        return edited
    if edited.status is Status.RUNNING:
        eligibility.require_known(session=session, experiment=edited)
        eligibility.require_room(session=session, experiment=edited)
    if new_phase and edited.started_at is not None and moved:
        begin_phase(session, edited, actor, now)
    publish_change(session=session, now=now)
    return find_experiment(session=session, key=draft.key)


def place(
    *,
    session: Session,
    key: str,
    layer: str,
    slots: tuple[tuple[int, int], ...],
    actor: str,
    now: datetime,
) -> Experiment:
    """Give an experiment that has not started its place in a layer; it holds it from its start on.

    Raises
    ------
    InvalidInput
        If there is no such experiment or layer, or it has started.
    """
    known = {each.definition.key for each in eligibility.list_layers(session=session)}
    try:
        experiment = find_experiment(session=session, key=key)
    except NotFound as missing:
        raise InvalidInput.at("experiment", str(missing)) from missing
    if not may_edit(experiment.status):
        raise InvalidInput.at("experiment", f"{key} has started; its place can no longer change")
    if layer not in known:
        raise InvalidInput.at("layer", f"there is no layer {layer!r}")
    placed = experiment.definition.model_copy(update={"layer": layer, "slots": slots})
    return edit(session=session, draft=placed, actor=actor, now=now, revision=experiment.revision)


def apply(
    *,
    session: Session,
    definitions: Definitions,
    actor: str,
    now: datetime,
    new_phase: bool = False,
    restart: bool = False,
) -> list[Change]:
    """Bring the catalogue and the statuses to what a file of definitions says.

    It is idempotent: the same file again changes nothing. An experiment that was stopped since stays so,
    and is reported as ``left stopped``: a file that was written before cannot know why.

    Parameters
    ----------
    restart
        Whether stopped experiments that the file calls running start again.
    """
    common: Any = {"session": session, "actor": actor, "now": now}
    changes = [eligibility.save_layer(draft=each, **common) for each in definitions.layers]
    changes += [eligibility.save_holdout(draft=each, **common) for each in definitions.holdouts]
    changes += [eligibility.save_segment(draft=each, **common) for each in definitions.segments]
    changes += [save_metric(draft=each, **common) for each in _in_order(definitions)]
    mode = None if definitions.tracking is None else definitions.tracking.mode
    changes += apply_events(events=definitions.events, mode=mode, **common)
    with published_together(session=session, now=now):
        for draft in definitions.experiments:
            changes.append(_apply_definition(draft=draft, new_phase=new_phase, **common))
            changes += _apply_status(draft=draft, restart=restart, **common)
    return changes


def _in_order(definitions: Definitions) -> list[MetricDraft]:
    """All metrics of a file, ratios after their parts; one written out wins over a ready-made one."""
    made = ready_made(definitions.ready_made) if definitions.ready_made else ()
    by_key = {each.key: each for each in (*made, *definitions.metrics)}
    return sorted(by_key.values(), key=lambda each: each.kind == "ratio")


def _apply_definition(
    *, session: Session, draft: ExperimentDraft, actor: str, now: datetime, new_phase: bool
) -> Change:
    try:
        before = require_row(session=session, key=draft.key).revision
    except NotFound:
        create_experiment(session=session, draft=draft, actor=actor, now=now)
        return Change("experiment", draft.key, "created")
    after = edit(session=session, draft=draft, actor=actor, now=now, new_phase=new_phase)
    return Change("experiment", draft.key, "updated" if after.revision > before else "unchanged")


def _apply_status(
    *, session: Session, draft: ExperimentDraft, actor: str, now: datetime, restart: bool
) -> list[Change]:
    status = find_experiment(session=session, key=draft.key).status
    if draft.status == "running" and status is Status.STOPPED and not restart:
        return [Change("experiment", draft.key, LEFT_STOPPED)]
    moves = {
        ("running", Status.DRAFT): (start,),
        ("running", Status.REVIEW): (start,),
        ("running", Status.STOPPED): (start,),
        ("stopped", Status.DRAFT): (start, stop),
        ("stopped", Status.REVIEW): (start, stop),
        ("stopped", Status.RUNNING): (stop,),
    }.get((draft.status, status), ())
    for move in moves:
        move(session=session, key=draft.key, actor=actor, now=now)
    if not moves:
        return []
    reached = find_experiment(session=session, key=draft.key).status
    said = "started" if reached is Status.RUNNING else str(reached)
    return [Change("experiment", draft.key, said)]


def _moving(session: Session, key: str, wanted: Status, revision: int | None) -> ExperimentRow:
    row = require_row(session=session, key=key, revision=revision)
    require_move(key, Status(row.status), wanted)
    return row


def _moved(session: Session, row: ExperimentRow, status: Status, actor: str, now: datetime) -> Experiment:
    before, row.status = row.status, status
    row.revision += 1
    row.updated_at = now
    session.add(row)
    audit.record(
        session=session, actor=actor, action=str(status), object=row.key, before=before, after=status, now=now
    )
    session.flush()
    publish_change(session=session, now=now)
    return find_experiment(session=session, key=row.key)
