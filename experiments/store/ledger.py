"""The ledger: exposures and events, appended once and never changed.

Records are tuples in the order of their table's columns: they go to the database in the thousands, and a
tuple is what its driver takes without another copy.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Table, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlmodel import Session, col, select

from experiments.store import erasures, tallies
from experiments.store.driver import ask
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
    return _append_counted(session, _by_kind(records))


def append_rows(*, session: Session, kind: type[Record], rows: Sequence[tuple[Any, ...]]) -> Receipt:
    """Append records of one kind, which may be plain tuples in the order of the kind's fields."""
    return _append_counted(session, {kind: rows})


def append_batches(
    *, session: Session, batches: Sequence[Sequence[Record]], remarks: Sequence[Remarks] = ()
) -> list[Receipt]:
    """Append batches that came through the doors, in the session's transaction, with a receipt for each.

    One statement does for all batches, and the database only says how many of its rows were new. Mostly all
    of them are; otherwise the ids of the new ones tell whose they were.
    """
    connection = session.connection()
    known, reached = _standing(session)
    given = _by_kind(chain.from_iterable(batches))
    said = [known.without(each) for each in remarks if each]
    if not known:
        return _append_live(connection, reached, batches, given, said)
    left = [known.leave_out(each) for each in batches]
    kept = _by_kind(chain.from_iterable(left))
    receipts = _append_live(connection, reached, left, kept, said)
    gone = [len(batch) - len(rest) for batch, rest in zip(batches, left, strict=True)]
    if any(gone):
        tallies.count(connection, _names(given) - _names(kept), "outdated")
    return [receipt + Receipt(outdated=count) for receipt, count in zip(receipts, gone, strict=True)]


def position(*, session: Session) -> tuple[int, int]:
    """How far the ledger reaches: the newest row ids of exposures and events."""
    newest = (select(func.max(col(table.id))) for table in (ExposureRow, EventRow))
    exposures, events = (session.exec(query).one() or 0 for query in newest)
    return exposures, events


_Rows = Mapping[type[Record], Sequence[tuple[Any, ...]]]
"""Rows by their kind."""


def _by_kind(records: Iterable[Record]) -> _Rows:
    kinds: dict[type[Record], list[Record]] = {Exposure: [], Event: []}
    for record in records:
        kinds[type(record)].append(record)
    return kinds


class _Forgotten(NamedTuple):
    """What the ledger does not take in again."""

    floors: Floors
    erasures: Erasures

    def __bool__(self) -> bool:
        return bool(self.floors.by_event or self.erasures.by_digest)

    def without(self, remarks: Remarks) -> Remarks:
        """Remarks without the identities that have been forgotten."""
        if not remarks.edges or not self:
            return remarks
        floor = self.floors.of_identities
        kept = [
            each for each in remarks.edges if each.first_seen >= floor and not self.erasures.cover_edge(each)
        ]
        return replace(remarks, edges=kept)

    def leave_out(self, records: Sequence[Record]) -> Sequence[Record]:
        """Records without those that have been forgotten, in any order."""
        kept = self.leave_out_rows(_by_kind(records))
        return cast("Sequence[Record]", list(chain.from_iterable(kept.values())))

    def leave_out_rows(self, rows: _Rows) -> _Rows:
        """Rows without those that have been forgotten."""
        if self.floors.by_event:
            rows = {kind: _not_outdated(self.floors, kind, each) for kind, each in rows.items()}
        if self.erasures.by_digest:
            rows = {
                kind: erasures.kept_rows(self.erasures, kind._fields, each) for kind, each in rows.items()
            }
        return rows


_STANDING = (
    "SELECT 'floor', event, moment FROM floor "
    "UNION ALL SELECT 'erasure', NULL, MAX(id) FROM erasure "
    "UNION ALL SELECT 'exposure', NULL, MAX(id) FROM exposure "
    "UNION ALL SELECT 'event', NULL, MAX(id) FROM event"
)


def _standing(session: Session) -> tuple[_Forgotten, tuple[int, int]]:
    """What the ledger has forgotten, and its newest exposure and event, in one question for every commit."""
    connection = session.connection()
    told = ask(connection, _STANDING)
    newest = {table: number or 0 for table, _, number in told if table != "floor"}
    floors = known_floors(session=session, read={name: at for table, name, at in told if table == "floor"})
    erasures = known_erasures(connection, newest=newest["erasure"])
    return _Forgotten(floors, erasures), (newest["exposure"], newest["event"])


def _append_counted(session: Session, rows: _Rows) -> Receipt:
    """Append rows that need not have happened lately, and count what has become of them."""
    connection = session.connection()
    known, reached = _standing(session)
    kept = known.leave_out_rows(rows)
    offered = tallies.Offered(*reached, _names(kept))
    receipt = _append(connection, kept)
    tallies.write(connection, offered, (), live=False)
    outdated = _size(rows) - _size(kept)
    if outdated:
        tallies.count(connection, _names(rows) - offered.names, "outdated")
    return receipt + Receipt(outdated=outdated)


def _append_live(
    connection: Connection,
    reached: tuple[int, int],
    batches: Sequence[Sequence[Record]],
    rows: _Rows,
    said: Sequence[Remarks],
) -> list[Receipt]:
    """Append batches, whose rows by their kind are given beside, and count what has become of them."""
    arrivals = _arrivals(rows)
    offered = tallies.Offered(*reached, _days(arrivals))
    if not _append(connection, rows).duplicates:
        tallies.write(connection, offered, said, live=True, fresh=arrivals)
        return [Receipt(len(batch)) for batch in batches]
    tallies.write(connection, offered, said, live=True)
    fresh: dict[type, set[str]] = {
        Exposure: tallies.new_ids(connection, "exposure", offered.exposures),
        Event: tallies.new_ids(connection, "event", offered.events),
    }
    return [_receipt(batch, fresh) for batch in batches]


def _receipt(batch: Sequence[Record], fresh: Mapping[type, set[str]]) -> Receipt:
    """How many rows of a batch are new: a message id belongs to the first batch that has it."""
    accepted = 0
    for record in batch:
        ids = fresh[type(record)]
        if record.message_id in ids:
            ids.remove(record.message_id)
            accepted += 1
    return Receipt(accepted, len(batch) - accepted)


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


def _arrivals(rows: _Rows) -> Counter[tuple[str, int, int]]:
    """How many rows of each event arrived and happened at which moments."""
    arrived = Counter(map(_times_and_name, rows.get(Event, ())))
    arrived.update((tallies.EXPOSURE, *_times(row)) for row in rows.get(Exposure, ()))
    return arrived


def _days(arrivals: Mapping[tuple[str, int, int], int]) -> Counter[tuple[int, str]]:
    """How many of each event arrived on which day."""
    names: Counter[tuple[int, str]] = Counter()
    for (name, received, _), count in arrivals.items():
        names[received // tallies.DAY_MS, name] += count
    return names


_arrival = itemgetter(Exposure._fields.index("received_at"))
_arrival_and_name = itemgetter(Event._fields.index("received_at"), Event._fields.index("event"))


def _names(rows: _Rows) -> Counter[tuple[int, str]]:
    """How many rows of each event arrived on which day; of many rows, without asking when they happened."""
    arrived = Counter(map(_arrival_and_name, rows.get(Event, ())))
    arrived.update((_arrival(row), tallies.EXPOSURE) for row in rows.get(Exposure, ()))
    names: Counter[tuple[int, str]] = Counter()
    for (moment, name), count in arrived.items():
        names[moment // tallies.DAY_MS, name] += count
    return names


def _size(rows: _Rows) -> int:
    return sum(map(len, rows.values()))


def _append(connection: Connection, rows: _Rows) -> Receipt:
    given = ((kind, each) for kind, each in rows.items() if each)
    return sum((_insert(connection, kind, each) for kind, each in given), Receipt())


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
    dialect = sqlite.dialect() if positional else postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]  # SQLAlchemy leaves its dialects untyped
    return str(statement.compile(dialect=dialect, column_keys=columns))
