"""Forgetting: deleting what lies below the ledger's floors, a range of rows at a time."""

from collections import Counter
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select
from sqlmodel import Session

from experiments.store.floors import ALL_OTHERS, EXPOSURES, Floors
from experiments.store.tables import EventRow, ExposureRow, IdentityRow, RejectionRow

RANGE = 50_000
"""Row ids that one transaction looks at: it holds the lock for a fraction of a second."""

_EVENT: Table = EventRow.__table__  # type: ignore[attr-defined]  # SQLModel's tables have it
_EXPOSURE: Table = ExposureRow.__table__  # type: ignore[attr-defined]  # the same
_IDENTITY: Table = IdentityRow.__table__  # type: ignore[attr-defined]  # the same
_REJECTION: Table = RejectionRow.__table__  # type: ignore[attr-defined]  # the same


def count_below(*, session: Session, floors: Floors, after: int) -> Counter[str]:
    """Count what lies below the floors among the rows that follow ``after``, by event name."""
    counts: Counter[str] = Counter()
    name = _EVENT.c.event
    events = select(name, func.count()).where(_events_below(floors), _within(_EVENT, after)).group_by(name)
    for event, count in session.connection().execute(events):
        counts[event] += count
    shown = select(func.count()).where(_exposures_below(floors), _within(_EXPOSURE, after))
    if count := session.connection().execute(shown).scalar():
        counts[EXPOSURES] += count
    return counts


def delete_below(*, session: Session, floors: Floors, after: int) -> Counter[str]:
    """Delete what lies below the floors among the rows that follow ``after``; say how many, by event name."""
    counts = count_below(session=session, floors=floors, after=after)
    for table, condition in ((_EVENT, _events_below(floors)), (_EXPOSURE, _exposures_below(floors))):
        session.connection().execute(delete(table).where(condition, _within(table, after)))
    return counts


def forget_identities(*, session: Session, floors: Floors) -> int:
    """Delete who is who below the floor; say how many."""
    old = _IDENTITY.c.first_seen < floors.of_identities
    return session.connection().execute(delete(_IDENTITY).where(old)).rowcount


def forget_rejections(*, session: Session, floors: Floors) -> int:
    """Delete those of the latest rejected messages that are below their event's floor; say how many."""
    connection = session.connection()
    rows = connection.execute(select(_REJECTION.c.id, _REJECTION.c.event, _REJECTION.c.at))
    old = [row.id for row in rows if row.at < floors.of_event(row.event)]
    return connection.execute(delete(_REJECTION).where(_REJECTION.c.id.in_(old))).rowcount


def _within(table: Table, after: int) -> ColumnElement[bool]:
    return and_(table.c.id > after, table.c.id <= after + RANGE)


def _events_below(floors: Floors) -> ColumnElement[bool]:
    occurred: Any = _EVENT.c.occurred_at
    named = {name: moment for name, moment in floors.by_event.items() if name != ALL_OTHERS}
    others = and_(_EVENT.c.event.not_in(named), occurred < floors.of_event(ALL_OTHERS))
    return or_(others, *(and_(_EVENT.c.event == name, occurred < moment) for name, moment in named.items()))


def _exposures_below(floors: Floors) -> ColumnElement[bool]:
    below: ColumnElement[bool] = _EXPOSURE.c.occurred_at < floors.of_exposures
    return below
