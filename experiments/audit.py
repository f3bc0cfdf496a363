"""The audit log: who changed what, in the same transaction as the change."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from experiments.store.tables import AuditRow


@dataclass(frozen=True, slots=True)
class Entry:
    """One change."""

    at: datetime
    actor: str
    action: str
    object: str
    before: str | None
    after: str | None


def record(
    *,
    session: Session,
    actor: str,
    action: str,
    object: str,  # noqa: A002 - the word for it everywhere else
    now: datetime,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """Write one change down."""
    session.add(AuditRow(at=now, actor=actor, action=action, object=object, before=before, after=after))


def history(*, session: Session, object: str) -> list[Entry]:  # noqa: A002 - as above
    """All changes of one thing, the newest first."""
    query = select(AuditRow).where(AuditRow.object == object).order_by(col(AuditRow.id).desc())
    return [
        Entry(row.at, row.actor, row.action, row.object, row.before, row.after) for row in session.exec(query)
    ]
