"""The timetable: what starts and stops by itself, when its time has come."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, and_, col, or_, select

from experiments import audit, launch
from experiments.catalog import find_experiment
from experiments.definition import restore_experiment
from experiments.errors import Conflict, InvalidInput
from experiments.legibility import legible
from experiments.lifecycle import Status
from experiments.store.tables import AuditRow, ExperimentRow

ACTOR = "evenhand"
"""Who starts and stops what was scheduled, in the audit log."""

_STOPS = '%"stops_at_end":true%'
"""How a stored definition says so; it only saves reading those that do not."""


def due(*, session: Session, now: datetime) -> list[str]:
    """Keys of the experiments whose scheduled start or end has come.

    One whose definition cannot be read stays as it is, and keeps no other from its time.
    """
    timed = legible(_waiting(session), _timed)
    return [key for key, time in timed if time is not None and time <= now]


def not_started(*, session: Session) -> frozenset[str]:
    """Keys of drafts that were to start by themselves, could not, and were left alone since."""
    failed = col(AuditRow.action) == "not_started"
    query = (
        select(ExperimentRow.key)
        .join(AuditRow, col(AuditRow.object) == col(ExperimentRow.key))
        .where(failed, ExperimentRow.status == Status.DRAFT, AuditRow.at == ExperimentRow.updated_at)
    )
    return frozenset(session.exec(query))


def keep_time(*, session: Session, key: str, now: datetime) -> Status:
    """Start or stop an experiment that is `due`; one that cannot start any more is a draft again.

    Returns
    -------
    Status
        Where it stands now.
    """
    if find_experiment(session=session, key=key).status is Status.RUNNING:
        return launch.stop(session=session, key=key, actor=ACTOR, now=now).status
    try:
        launch.require_ground(session=session, key=key)
    except (Conflict, InvalidInput) as refusal:
        audit.record(
            session=session, actor=ACTOR, action="not_started", object=key, after=str(refusal), now=now
        )
        return launch.cancel(session=session, key=key, actor=ACTOR, now=now).status
    return launch.begin(session=session, key=key, actor=ACTOR, now=now).status


def _waiting(session: Session) -> Sequence[ExperimentRow]:
    ending = and_(ExperimentRow.status == Status.RUNNING, col(ExperimentRow.definition).like(_STOPS))
    scheduled = ExperimentRow.status == Status.SCHEDULED
    query = select(ExperimentRow).where(or_(scheduled, ending)).order_by(ExperimentRow.key)
    return session.exec(query).all()


def _timed(row: ExperimentRow) -> tuple[str, datetime | None]:
    draft = restore_experiment(row.definition)
    return row.key, draft.starts if row.status == Status.SCHEDULED else draft.ends
