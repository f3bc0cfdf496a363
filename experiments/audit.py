"""The audit log: who changed what, in the same transaction as the change.

When a token speaks for a person, whoever opens the transaction says so in ``session.info[TOKEN]``, and every
change made in it is marked with the token.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from experiments.fields import Draft, Instant
from experiments.store.tables import AuditRow

TOKEN = "audit.token"  # noqa: S105 - a name, not a secret


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. ``token`` is the prefix of the one that spoke for the actor."""

    at: datetime
    actor: str
    action: str
    object: str
    before: str | None
    after: str | None
    token: str | None = None
    id: int = 0


class AuditFilter(Draft):
    """Which changes are wanted: all whose fields are the ones given, from a moment and before another."""

    actor: str = ""
    action: str = ""
    object: str = ""
    since: Instant | None = None
    until: Instant | None = None


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
    token = session.info.get(TOKEN)
    row = AuditRow(at=now, actor=actor, token=token, action=action, object=object, before=before, after=after)
    session.add(row)


def history(*, session: Session, object: str) -> list[Entry]:  # noqa: A002 - as above
    """All changes of one thing, the newest first."""
    query = select(AuditRow).where(AuditRow.object == object).order_by(col(AuditRow.id).desc())
    return [_entry(row) for row in session.exec(query)]


def changes_since(*, session: Session, objects: Collection[str], since: datetime) -> list[Entry]:
    """All changes of several things after a moment, the oldest first."""
    query = select(AuditRow).where(col(AuditRow.object).in_(objects), col(AuditRow.at) > since)
    return [_entry(row) for row in session.exec(query.order_by(col(AuditRow.id)))]


def list_entries(
    *, session: Session, wanted: AuditFilter, limit: int, below: int | None = None
) -> list[Entry]:
    """The changes that are wanted, the newest first.

    Parameters
    ----------
    below
        Where to go on: only entries with a smaller id.
    """
    query = select(AuditRow).order_by(col(AuditRow.id).desc()).limit(limit)
    for column, value in (
        (AuditRow.actor, wanted.actor),
        (AuditRow.action, wanted.action),
        (AuditRow.object, wanted.object),
    ):
        query = query.where(col(column) == value) if value else query
    if wanted.since is not None:
        query = query.where(col(AuditRow.at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(AuditRow.at) < wanted.until)
    if below is not None:
        query = query.where(col(AuditRow.id) < below)
    return [_entry(row) for row in session.exec(query)]


def known_actions(*, session: Session) -> list[str]:
    """Every kind of change that there ever was."""
    return sorted(session.exec(select(AuditRow.action).distinct()))


def _entry(row: AuditRow) -> Entry:
    return Entry(row.at, row.actor, row.action, row.object, row.before, row.after, row.token, row.id or 0)
