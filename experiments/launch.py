"""Launching: the moves of an experiment through its life, each with its consequences."""

from datetime import datetime

from sqlmodel import Session, select

from experiments import audit
from experiments.catalog import Change, Experiment, apply_metrics_and_drafts, find_experiment, require_row
from experiments.definition import Definitions
from experiments.errors import Conflict
from experiments.lifecycle import Status, require_move
from experiments.publishing import publish
from experiments.store.tables import ExperimentRow, PhaseRow


def start(
    *, session: Session, key: str, actor: str, now: datetime, revision: int | None = None
) -> Experiment:
    """Start an experiment, or go on with a stopped one under the same salt.

    Raises
    ------
    NotAllowed
        If it cannot start from where it stands.
    """
    row = _moving(session, key, Status.RUNNING, revision)
    first = row.started_at is None
    row.started_at = row.started_at or now
    row.stopped_at = None
    if first:
        session.add(PhaseRow(experiment=key, number=row.phase, salt=row.salt, started_at=now))
    return _moved(session, row, Status.RUNNING, actor, now)


def stop(*, session: Session, key: str, actor: str, now: datetime, revision: int | None = None) -> Experiment:
    """Stop assigning units; everybody gets the control's value from now on.

    Raises
    ------
    NotAllowed
        If it is not running.
    """
    row = _moving(session, key, Status.STOPPED, revision)
    row.stopped_at = now
    phase = session.exec(
        select(PhaseRow).where(PhaseRow.experiment == key, PhaseRow.number == row.phase)
    ).first()
    if phase is not None:
        phase.stopped_at = now
        session.add(phase)
    return _moved(session, row, Status.STOPPED, actor, now)


def apply(*, session: Session, definitions: Definitions, actor: str, now: datetime) -> list[Change]:
    """Bring the catalogue and the statuses to what a file of definitions says.

    It is idempotent: the same file again changes nothing.
    """
    changes = list(apply_metrics_and_drafts(session=session, definitions=definitions, actor=actor, now=now))
    for draft in definitions.experiments:
        status = find_experiment(session=session, key=draft.key).status
        if draft.status == "running" and status is not Status.RUNNING:
            start(session=session, key=draft.key, actor=actor, now=now)
            changes.append(Change("experiment", draft.key, "started"))
        elif draft.status == "stopped" and status in (Status.DRAFT, Status.REVIEW):
            start(session=session, key=draft.key, actor=actor, now=now)
            stop(session=session, key=draft.key, actor=actor, now=now)
            changes.append(Change("experiment", draft.key, "stopped"))
        elif draft.status == "stopped" and status is Status.RUNNING:
            stop(session=session, key=draft.key, actor=actor, now=now)
            changes.append(Change("experiment", draft.key, "stopped"))
    publish(session=session, now=now)
    return changes


def _moving(session: Session, key: str, wanted: Status, revision: int | None) -> ExperimentRow:
    row = require_row(session=session, key=key)
    if revision is not None and row.revision != revision:
        raise Conflict(f"{key} was changed by somebody else in the meantime; reload to see it")
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
    publish(session=session, now=now)
    return find_experiment(session=session, key=row.key)
