"""The ledger: exposures and events, appended once and never changed.

Records are tuples in the order of their table's columns: they go to the database in the thousands, and a
tuple is what its driver takes without another copy.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlmodel import Session, col, select

from experiments.store import erasures, tallies
from experiments.store.erasures import Erasures, known_erasures
from experiments.store.floors import Floors, known_floors
from experiments.store.instants import from_millis
from experiments.store.rows import insert_rows
from experiments.store.tables import EventRow, ExposureRow
from experiments.store.tallies import Remarks


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

_message_id = itemgetter(0)


def event_of(record: Record) -> str:
    """The name that a record is counted under."""
    return record.event if isinstance(record, Event) else tallies.EXPOSURE


_TABLES: dict[type, Any] = {Exposure: ExposureRow, Event: EventRow}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of records.

    Attributes
    ----------
    accepted
        New ones.
    duplicates
        Ones whose message id was there already.
    outdated
        Ones older than what the ledger has forgotten, or of units that were erased; they are ignored.
    """

    accepted: int = 0
    duplicates: int = 0
    outdated: int = 0

    def __add__(self, other: "Receipt") -> "Receipt":
        return Receipt(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.outdated + other.outdated,
        )


def append(*, session: Session, records: Iterable[Record]) -> Receipt:
    """Append records in the session's transaction; a message id that is there already is left alone."""
    (receipt,) = _counted(session, [_batch(records)], (), live=False)
    return receipt


def append_rows(*, session: Session, kind: type[Record], rows: Sequence[tuple[Any, ...]]) -> Receipt:
    """Append records of one kind, which may be plain tuples in the order of the kind's fields."""
    (receipt,) = _counted(session, [{kind: rows}], (), live=False)
    return receipt


def append_batches(
    *, session: Session, batches: Sequence[Sequence[Record]], remarks: Sequence[Remarks] = ()
) -> list[Receipt]:
    """Append several batches in the session's transaction, with a receipt for each.

    One statement does for all batches, and the database only says how many of its rows were new. Mostly all
    of them are; otherwise the ids of the new ones tell whose they were.
    """
    return _counted(session, [_batch(each) for each in batches], remarks, live=True)


def position(*, session: Session) -> tuple[int, int]:
    """How far the ledger reaches: the newest row ids of exposures and events."""
    newest = (select(func.max(col(table.id))) for table in (ExposureRow, EventRow))
    exposures, events = (session.exec(query).one() or 0 for query in newest)
    return exposures, events


_Batch = Mapping[type[Record], Sequence[tuple[Any, ...]]]
"""Rows by their kind."""


def _batch(records: Iterable[Record]) -> _Batch:
    kinds: dict[type[Record], list[Record]] = {Exposure: [], Event: []}
    for record in records:
        kinds[type(record)].append(record)
    return kinds


def _counted(
    session: Session, batches: Sequence[_Batch], remarks: Iterable[Remarks], *, live: bool
) -> list[Receipt]:
    """Append batches and count what has become of them; what is outdated is neither stored nor counted."""
    connection = session.connection()
    floors, erased = known_floors(session=session), known_erasures(connection)
    kept = [_not_forgotten(floors, erased, batch) for batch in batches]
    said = [_remembered(floors, erased, each) for each in remarks]
    offered = tallies.offer(connection, _names(kept))
    receipts = _append_together(connection, kept, offered)
    fresh = None if any(each.duplicates for each in receipts) or not live else _arrivals(kept)
    tallies.write(connection, offered, said, live=live, fresh=fresh)
    outdated = [_size(batch) - _size(left) for batch, left in zip(batches, kept, strict=True)]
    if any(outdated):
        tallies.count(connection, _names(batches) - offered.names, "outdated")
    return [receipt + Receipt(outdated=gone) for receipt, gone in zip(receipts, outdated, strict=True)]


def _not_forgotten(floors: Floors, erased: Erasures, batch: _Batch) -> _Batch:
    if floors.by_event:
        batch = {kind: _not_outdated(floors, kind, rows) for kind, rows in batch.items()}
    if erased.by_digest:
        batch = {kind: erasures.kept_rows(erased, kind._fields, rows) for kind, rows in batch.items()}
    return batch


def _remembered(floors: Floors, erased: Erasures, remarks: Remarks) -> Remarks:
    """Remarks without the identities that have been forgotten."""
    if not remarks.edges or not (floors.by_event or erased.by_digest):
        return remarks
    floor = floors.of_identities
    edges = [each for each in remarks.edges if each.first_seen >= floor and not erased.cover_edge(each)]
    return replace(remarks, edges=edges)


def _not_outdated(
    known: Floors, kind: type[Record], rows: Sequence[tuple[Any, ...]]
) -> Sequence[tuple[Any, ...]]:
    occurred = kind._fields.index("occurred_at")
    if kind is Exposure:
        return [row for row in rows if row[occurred] >= known.of_exposures]
    name = kind._fields.index("event")
    return [row for row in rows if row[occurred] >= known.of_event(row[name])]


_times_and_name = itemgetter(*map(Event._fields.index, ("event", "received_at", "occurred_at")))
_times = itemgetter(*map(Exposure._fields.index, ("received_at", "occurred_at")))


def _arrivals(batches: Iterable[_Batch]) -> Counter[tuple[str, int, int]]:
    """How many rows of each event arrived and happened at which moments."""
    arrived: Counter[tuple[str, int, int]] = Counter()
    for batch in batches:
        arrived.update(map(_times_and_name, batch.get(Event, ())))
        arrived.update((tallies.EXPOSURE, *_times(row)) for row in batch.get(Exposure, ()))
    return arrived


_arrival = itemgetter(Exposure._fields.index("received_at"))
_arrival_and_name = itemgetter(Event._fields.index("received_at"), Event._fields.index("event"))


def _names(batches: Iterable[_Batch]) -> Counter[tuple[int, str]]:
    """How many rows of each event arrived on which day."""
    arrived: Counter[tuple[int, str]] = Counter()
    for batch in batches:
        arrived.update(map(_arrival_and_name, batch.get(Event, ())))
        arrived.update((_arrival(row), tallies.EXPOSURE) for row in batch.get(Exposure, ()))
    names: Counter[tuple[int, str]] = Counter()
    for (moment, name), count in arrived.items():
        names[moment // tallies.DAY_MS, name] += count
    return names


def _size(batch: _Batch) -> int:
    return sum(map(len, batch.values()))


def _append_together(
    connection: Connection, batches: Sequence[_Batch], offered: tallies.Offered
) -> list[Receipt]:
    if len(batches) == 1:
        return [_append(connection, batches[0])]
    whole = {kind: [row for batch in batches for row in batch.get(kind, ())] for kind in _TABLES}
    if not _append(connection, whole).duplicates:
        return [Receipt(_size(batch)) for batch in batches]
    fresh = {
        Exposure: tallies.new_ids(connection, "exposure", offered.exposures),
        Event: tallies.new_ids(connection, "event", offered.events),
    }
    return [_receipt(batch, fresh) for batch in batches]


def _receipt(batch: _Batch, fresh: Mapping[type, set[str]]) -> Receipt:
    """Whose the new rows are: a message id belongs to the first batch that has it."""
    accepted = 0
    for kind, rows in batch.items():
        for message_id in map(_message_id, rows):
            if message_id in fresh[kind]:
                fresh[kind].remove(message_id)
                accepted += 1
    return Receipt(accepted, _size(batch) - accepted)


def _append(connection: Connection, batch: _Batch) -> Receipt:
    given = ((kind, rows) for kind, rows in batch.items() if rows)
    return sum((_insert(connection, kind, rows) for kind, rows in given), Receipt())


def _insert(connection: Connection, kind: type[Record], rows: Sequence[tuple[Any, ...]]) -> Receipt:
    statement, positional = _statement(kind, connection.dialect)
    if positional:
        added = insert_rows(connection, statement, rows)
    else:
        # In the order of their ids: transactions that insert the same ones then never wait for each other.
        named = [dict(zip(kind._fields, row, strict=True)) for row in sorted(rows, key=_message_id)]
        added = connection.exec_driver_sql(statement, named).rowcount
    return Receipt(added, len(rows) - added)


def newest_arrival(*, session: Session) -> datetime | None:
    """When the newest row of the ledger was received; None for an empty one."""
    arrivals = []
    for table in (ExposureRow, EventRow):
        query = select(table.received_at).order_by(col(table.id).desc()).limit(1)
        arrivals += list(session.exec(query))
    return from_millis(max(arrivals)) if arrivals else None


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
