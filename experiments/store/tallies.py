"""Tallies: what became of every message, counted by event and day in the transaction that stores it.

The ledger itself says which rows are new: writers take turns, so whatever has an id beyond the newest one at
the beginning came in this transaction. So the counters can never disagree with the ledger, whoever replays
what, and nothing is counted of a transaction that failed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from experiments.store.tables import IdentityRow, QualityRow, RejectionRow

DAY_MS = 86_400_000

EXPOSURE = "Experiment Viewed"
"""The event that exposures are counted as, however their clients spell it."""

OTHER = "(other)"
"""What events are counted as when a day has seen too many names."""

MOST_NAMES = 500
"""Events that a day counts by name: a client that invents names must not fill the database with counters."""

OLDEST_DAYS = 400
"""Days back for which what arrives through the doors is counted on the day when it happened."""

KEPT_REJECTIONS = 200
"""Rejected messages that the live tail can look back on."""

LAGS: Mapping[str, int] = {
    "lag:1m": 60_000,
    "lag:1h": 3_600_000,
    "lag:6h": 21_600_000,
    "lag:1d": DAY_MS,
    "lag:7d": 7 * DAY_MS,
}
"""Between an event and its arrival, by the smallest number of milliseconds; less than a minute is on time."""

LATE = ("lag:1h", "lag:6h", "lag:1d", "lag:7d")
"""What counts as late."""

Key = tuple[int, str, str]
"""Day, event and outcome."""


class Note(NamedTuple):
    """What there is to say about a message that was taken; a word said twice counts twice."""

    event: str
    outcomes: tuple[str, ...]


class Rejected(NamedTuple):
    """A message that was not taken. Times are milliseconds since 1970 in UTC."""

    at: int
    event: str
    message_id: str | None
    code: str
    detail: str


class Edge(NamedTuple):
    """An anonymous id and a user id that were named together."""

    anonymous_id: str
    user_id: str
    first_seen: int


@dataclass(frozen=True, slots=True)
class Remarks:
    """What a batch says beside its records: notes by message id, what was rejected, who is who."""

    notes: Mapping[str, Note] = field(default_factory=dict)
    rejected: Sequence[Rejected] = ()
    edges: Sequence[Edge] = ()

    def __bool__(self) -> bool:
        return bool(self.rejected or self.edges or self.notes)


NOTHING = Remarks()


class Offered(NamedTuple):
    """What was handed to the ledger: how far it reached before, and how many of each event on which day."""

    exposures: int
    events: int
    names: Counter[tuple[int, str]]


def write(connection: Connection, offered: Offered, remarks: Iterable[Remarks], *, live: bool) -> None:
    """Count what has become of a transaction's messages.

    Parameters
    ----------
    offered
        What was handed to the ledger.
    remarks
        What there is to say beside.
    live
        Whether the messages came as they happened; an import of last year's events is not late.
    """
    said = [each for each in remarks if each]
    counts = _counted(connection, offered, live=live)
    _add_notes(connection, counts, offered, said)
    rejected = [each for remark in said for each in remark.rejected]
    for each in rejected:
        counts[each.at // DAY_MS, each.event, f"rejected:{each.code}"] += 1
    _upsert(connection, _bounded(connection, counts))
    _keep_rejections(connection, rejected)
    _keep_edges(connection, list(chain.from_iterable(remark.edges for remark in said)))


def _counted(connection: Connection, offered: Offered, *, live: bool) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    accepted: Counter[tuple[int, str]] = Counter()
    for name, received, happened, lag, count in _new_rows(connection, offered):
        accepted[received, name] += count
        counts[received, name, "accepted"] += count
        if not live or happened >= received - OLDEST_DAYS:
            counts[happened, name, "happened"] += count
        if live and lag:
            counts[received, name, lag] += count
    for (day, name), count in offered.names.items():
        if count > accepted[day, name]:
            counts[day, name, "duplicate"] += count - accepted[day, name]
    return counts


_LAG = " ".join(
    f"WHEN received_at - occurred_at >= {least} THEN '{name}'" for name, least in reversed(list(LAGS.items()))
)
_NEW_ROWS = {
    table: text(
        f"SELECT {event} AS name, received_at / {DAY_MS} AS received, occurred_at / {DAY_MS} AS happened, "  # noqa: S608 - our own words only
        f"CASE {_LAG} ELSE '' END AS lag, COUNT(*) AS n FROM {table} WHERE id > :since GROUP BY 1, 2, 3, 4"
    )
    for table, event in (("exposure", f"'{EXPOSURE}'"), ("event", "event"))
}
_NEW_IDS = {
    table: text(f"SELECT message_id FROM {table} WHERE id > :since")  # noqa: S608 - as above
    for table in ("exposure", "event")
}


def _new_rows(connection: Connection, offered: Offered) -> Iterable[Any]:
    for table, since in (("exposure", offered.exposures), ("event", offered.events)):
        yield from connection.execute(_NEW_ROWS[table], {"since": since})


def _add_notes(
    connection: Connection, counts: Counter[Key], offered: Offered, said: Sequence[Remarks]
) -> None:
    """Count what was noted about messages that are new; a replay was noted the first time."""
    if not any(remark.notes for remark in said):
        return
    days = {name: day for day, name in offered.names}
    fresh: set[str] = set()
    for table, since in (("exposure", offered.exposures), ("event", offered.events)):
        fresh.update(connection.execute(_NEW_IDS[table], {"since": since}).scalars())
    for remark in said:
        for message_id, note in remark.notes.items():
            if message_id in fresh:
                fresh.discard(message_id)
                for outcome in note.outcomes:
                    counts[days[note.event], note.event, outcome] += 1


def _bounded(connection: Connection, counts: Counter[Key]) -> Counter[Key]:
    """Count events under one name on days that have seen too many."""
    named: dict[int, set[str]] = {}
    for day, event, _ in counts:
        named.setdefault(day, set()).add(event)
    sizes = _names_of(connection, named)
    crowded = {day for day, names in named.items() if len(names) + sizes.get(day, 0) > MOST_NAMES}
    if not crowded:
        return counts
    known = text("SELECT DISTINCT event FROM quality WHERE day = :day")
    allowed: dict[int, set[str]] = {}
    for day in crowded:
        held = set(connection.execute(known, {"day": day}).scalars())
        room = max(0, MOST_NAMES - len(held))
        allowed[day] = held | set(sorted(named[day] - held)[:room])
    folded: Counter[Key] = Counter()
    for (day, event, outcome), count in counts.items():
        kept = day not in crowded or event in allowed[day]
        folded[day, event if kept else OTHER, outcome] += count
    return folded


def _names_of(connection: Connection, days: Iterable[int]) -> dict[int, int]:
    query = text("SELECT COUNT(DISTINCT event) FROM quality WHERE day = :day")
    return {day: connection.execute(query, {"day": day}).scalar() or 0 for day in days}


def _insert(connection: Connection, row: type[SQLModel]) -> Any:
    build: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[connection.dialect.name]
    return build(row)


def _upsert(connection: Connection, counts: Counter[Key]) -> None:
    rows = [
        {"day": day, "event": event, "outcome": outcome, "count": count}
        for (day, event, outcome), count in sorted(counts.items())
        if count
    ]
    if rows:
        statement = _insert(connection, QualityRow)
        grown = statement.on_conflict_do_update(
            index_elements=["day", "event", "outcome"],
            set_={"count": text("quality.count + excluded.count")},
        )
        connection.execute(grown, rows)


def _keep_rejections(connection: Connection, rejected: Sequence[Rejected]) -> None:
    if rejected:
        rows = [each._asdict() for each in rejected[-KEPT_REJECTIONS:]]
        connection.execute(_insert(connection, RejectionRow), rows)
        last = connection.execute(text("SELECT MAX(id) FROM rejection")).scalar() or 0
        connection.execute(text("DELETE FROM rejection WHERE id <= :old"), {"old": last - KEPT_REJECTIONS})


def _keep_edges(connection: Connection, edges: Sequence[Edge]) -> None:
    if edges:
        statement = _insert(connection, IdentityRow).on_conflict_do_nothing(
            index_elements=["anonymous_id", "user_id"]
        )
        connection.execute(statement, [each._asdict() for each in edges])
