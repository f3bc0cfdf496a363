"""The ledger: exposures and events, appended once and never changed.

Records are tuples in the order of their table's columns: they go to the database in the thousands, and a
tuple is what its driver takes without another copy.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlmodel import Session, col, select

from experiments.store import tallies
from experiments.store.instants import from_millis
from experiments.store.tables import EventRow, ExposureRow
from experiments.store.tallies import Offered, Remarks


class Exposure(NamedTuple):
    """A unit met its variant. Times are milliseconds since 1970 in UTC."""

    message_id: str
    experiment: str
    user_id: str | None
    anonymous_id: str | None
    variant: str
    occurred_at: int
    received_at: int
    attributes: str | None = None
    mark: str | None = None


class Event(NamedTuple):
    """Something happened to a unit. Times are milliseconds since 1970 in UTC."""

    message_id: str
    user_id: str | None
    anonymous_id: str | None
    event: str
    value: float | None
    occurred_at: int
    received_at: int
    properties: str | None = None
    mark: str | None = None


Record = Exposure | Event

_message_id = attrgetter("message_id")


def event_of(record: Record) -> str:
    """The name that a record is counted under."""
    return record.event if isinstance(record, Event) else tallies.EXPOSURE


_TABLES: dict[type, Any] = {Exposure: ExposureRow, Event: EventRow}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of records: new ones, and ones whose message id was there already."""

    accepted: int = 0
    duplicates: int = 0

    def __add__(self, other: "Receipt") -> "Receipt":
        return Receipt(self.accepted + other.accepted, self.duplicates + other.duplicates)


def append(*, session: Session, records: Iterable[Record]) -> Receipt:
    """Append records in the session's transaction; a message id that is there already is left alone."""
    batch = list(records)
    offered = _offered(session, [batch])
    receipt = _append(session, batch)
    tallies.write(session.connection(), offered, (), live=False)
    return receipt


def append_batches(
    *, session: Session, batches: Sequence[Sequence[Record]], remarks: Sequence[Remarks] = ()
) -> list[Receipt]:
    """Append several batches in the session's transaction, with a receipt for each.

    The database only says how many rows were new. Mostly all of them are, and then one statement does for all
    batches; otherwise they are appended again one by one.
    """
    offered = _offered(session, batches)
    receipts = _append_together(session, batches)
    tallies.write(session.connection(), offered, remarks, live=True)
    return receipts


def position(*, session: Session) -> tuple[int, int]:
    """How far the ledger reaches: the newest row ids of exposures and events."""
    newest = (select(func.max(col(table.id))) for table in (ExposureRow, EventRow))
    exposures, events = (session.exec(query).one() or 0 for query in newest)
    return exposures, events


def _offered(session: Session, batches: Sequence[Sequence[Record]]) -> Offered:
    names: Counter[tuple[int, str]] = Counter()
    for batch in batches:
        names.update((record.received_at // tallies.DAY_MS, event_of(record)) for record in batch)
    return tallies.offer(session.connection(), names)


def _append_together(session: Session, batches: Sequence[Sequence[Record]]) -> list[Receipt]:
    if len(batches) > 1:
        together = session.begin_nested()
        if not _append(session, chain.from_iterable(batches)).duplicates:
            together.commit()
            return [Receipt(len(batch)) for batch in batches]
        together.rollback()
    return [_append(session, batch) for batch in batches]


def _append(session: Session, records: Iterable[Record]) -> Receipt:
    kinds: dict[type, list[Record]] = {Exposure: [], Event: []}
    for record in records:
        kinds[type(record)].append(record)
    connection = session.connection()
    receipt = Receipt()
    for kind, rows in kinds.items():
        if rows:
            receipt += _insert(connection, kind, rows)
    return receipt


def newest_arrival(*, session: Session) -> datetime | None:
    """When the newest row of the ledger was received; None for an empty one."""
    arrivals = []
    for table in (ExposureRow, EventRow):
        query = select(table.received_at).order_by(col(table.id).desc()).limit(1)
        arrivals += list(session.exec(query))
    return from_millis(max(arrivals)) if arrivals else None


def _insert(connection: Connection, kind: type, rows: Sequence[Record]) -> Receipt:
    statement, positional = _statement(kind, connection.dialect)
    # In the order of their ids: two transactions that insert the same ones then never wait for each other.
    parameters: Any = rows if positional else [row._asdict() for row in sorted(rows, key=_message_id)]
    added = connection.exec_driver_sql(statement, parameters).rowcount
    return Receipt(added, len(rows) - added)


def _statement(kind: type, dialect: Dialect) -> tuple[str, bool]:
    return _compiled(kind, dialect.name, dialect.positional), dialect.positional


@cache
def _compiled(kind: type, name: str, positional: bool) -> str:  # noqa: FBT001 - part of the cache's key
    table: Table = _TABLES[kind].__table__
    columns = list(kind._fields)  # type: ignore[attr-defined]  # a NamedTuple's fields are its columns
    build: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[name]
    statement = build(table).on_conflict_do_nothing(index_elements=["message_id"])
    dialect = sqlite.dialect() if positional else postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, column_keys=columns))
