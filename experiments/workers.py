"""Workers: which processes serve, and which ruleset each of them holds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from experiments.store.tables import WorkerRow

SILENCE = timedelta(minutes=1)
"""A process that was not heard of for this long serves no more."""


@dataclass(frozen=True, slots=True)
class ServingWorker:
    """A process that serves."""

    name: str
    ruleset: int
    seen_at: datetime


def report(*, session: Session, name: str, ruleset: int, now: datetime) -> None:
    """Say that a process serves, and what."""
    row = session.exec(select(WorkerRow).where(WorkerRow.name == name)).first()
    if row is None:
        row = WorkerRow(name=name, ruleset=ruleset, seen_at=now)
    row.ruleset = ruleset
    row.seen_at = now
    session.add(row)
    for gone in session.exec(select(WorkerRow).where(col(WorkerRow.seen_at) < now - 10 * SILENCE)):
        session.delete(gone)


def list_workers(*, session: Session, now: datetime) -> list[ServingWorker]:
    """The processes that serve now."""
    query = select(WorkerRow).where(col(WorkerRow.seen_at) >= now - SILENCE).order_by(WorkerRow.name)
    return [ServingWorker(row.name, row.ruleset, row.seen_at) for row in session.exec(query)]
