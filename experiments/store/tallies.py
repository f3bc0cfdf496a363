"""Tallies: what became of every message, counted by event and day in the transaction that stores it.

The ledger itself says which rows are new: all of them if none was known, and else, as writers take turns,
whatever has an id beyond the newest one at the beginning. So the counters can never disagree with the
ledger, whoever replays what, and nothing is counted of a transaction that failed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection

from experiments.store.driver import ask, change
from experiments.store.rows import insert_rows

DAY_MS = 86_400_000

EXPOSURE = "Experiment Viewed"
"""The event that exposures are counted as, however their clients spell it."""

OTHER = "(other)"
"""What events are counted as when a day has seen too many names."""

MOST_NAMES = 500
"""Events that a day counts by name: a client that invents names must not fill the database with counters."""

KNOWN_DAYS = 1_000
"""Days whose names a connection remembers, so that it need not ask at every commit."""

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

_LONGEST_FIRST = tuple(LAGS.items())[::-1]
_SHORTEST_LAG = min(LAGS.values())

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
    """What is handed to the ledger: how far it reaches before, and how many of each event on which day."""

    exposures: int
    events: int
    names: Counter[tuple[int, str]]


def new_ids(connection: Connection, table: str, since: int) -> set[str]:
    """The message ids of a table's rows beyond one of them."""
    return {message_id for (message_id,) in ask(connection, _NEW_IDS[table], (since,))}


def write(
    connection: Connection,
    offered: Offered,
    remarks: Iterable[Remarks],
    *,
    live: bool,
    fresh: Counter[tuple[str, int, int]] | None = None,
) -> None:
    """Count what has become of a transaction's messages.

    Parameters
    ----------
    offered
        What was handed to the ledger.
    remarks
        What there is to say beside.
    live
        Whether the messages came as they happened; an import of last year's events is not late.
    fresh
        The new rows by their event and when they arrived and happened; None to ask the ledger.
    """
    said = [each for each in remarks if each]
    counts = _counted(_new_rows(connection, offered) if fresh is None else _dated(fresh), offered, live=live)
    _add_notes(connection, counts, offered, said)
    rejected = [each for remark in said for each in remark.rejected]
    for each in rejected:
        counts[each.at // DAY_MS, each.event, f"rejected:{each.code}"] += 1
    _upsert(connection, _bounded(connection, counts))
    _keep_rejections(connection, rejected)
    _keep_edges(connection, list(chain.from_iterable(remark.edges for remark in said)))


def count(connection: Connection, names: Counter[tuple[int, str]], outcome: str) -> None:
    """Count what became of messages that were not handed to the ledger, by day and event."""
    counts = Counter({(day, event, outcome): amount for (day, event), amount in names.items()})
    _upsert(connection, _bounded(connection, counts))


def _counted(rows: Iterable[Any], offered: Offered, *, live: bool) -> Counter[Key]:
    """Count new rows, which come as event, day of arrival, day when it happened, lag and how many."""
    counts: Counter[Key] = Counter()
    accepted: Counter[tuple[int, str]] = Counter()
    for name, received, happened, lag, count in rows:
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


_LAG = " ".join(f"WHEN received_at - occurred_at >= {least} THEN '{name}'" for name, least in _LONGEST_FIRST)
_NEW_ROWS = {
    table: f"SELECT {event} AS name, received_at / {DAY_MS} AS received, occurred_at / {DAY_MS} AS happened, "  # noqa: S608 - our own words only
    f"CASE {_LAG} ELSE '' END AS lag, COUNT(*) AS n FROM {table} WHERE id > ? GROUP BY 1, 2, 3, 4"
    for table, event in (("exposure", f"'{EXPOSURE}'"), ("event", "event"))
}
_NEW_IDS = {table: f"SELECT message_id FROM {table} WHERE id > ?" for table in _NEW_ROWS}  # noqa: S608 - as above


def _since(offered: Offered) -> Iterable[tuple[str, int]]:
    """The tables that were offered something, and their newest row before."""
    names = {name for _, name in offered.names}
    if EXPOSURE in names:
        yield "exposure", offered.exposures
    if names:  # an event from a file may have that name, too
        yield "event", offered.events


def _new_rows(connection: Connection, offered: Offered) -> Iterable[Any]:
    for table, since in _since(offered):
        yield from ask(connection, _NEW_ROWS[table], (since,))


def _dated(fresh: Counter[tuple[str, int, int]]) -> Iterable[tuple[str, int, int, str, int]]:
    """Say of rows by their moments what `_NEW_ROWS` says of the ledger's."""
    for (name, received, happened), count in fresh.items():
        lag = ""
        if received - happened >= _SHORTEST_LAG:
            lag = next(word for word, least in _LONGEST_FIRST if received - happened >= least)
        yield name, received // DAY_MS, happened // DAY_MS, lag, count


def _add_notes(
    connection: Connection, counts: Counter[Key], offered: Offered, said: Sequence[Remarks]
) -> None:
    """Count what was noted about messages that are new; a replay was noted the first time."""
    if not any(remark.notes for remark in said):
        return
    days = {name: day for day, name in offered.names}
    fresh: set[str] = set()
    for table, since in _since(offered):
        fresh |= new_ids(connection, table, since)
    for remark in said:
        for message_id, note in remark.notes.items():
            if message_id in fresh and note.event in days:
                fresh.discard(message_id)
                for outcome in note.outcomes:
                    counts[days[note.event], note.event, outcome] += 1


def _bounded(connection: Connection, counts: Counter[Key]) -> Counter[Key]:
    """Count events under one name on days that have seen too many."""
    known: dict[int, set[str]] = connection.info.setdefault("counted names", {})
    named: dict[int, set[str]] = {}
    for day, event, _ in counts:
        named.setdefault(day, set()).add(event)
    for day, names in named.items():
        if day not in known:
            if len(known) >= KNOWN_DAYS:
                known.clear()
            known[day] = set()
        if not names <= known[day]:
            _admit(connection, day, names, known[day])
    folded: Counter[Key] = Counter()
    for (day, event, outcome), count in counts.items():
        kept = event in known[day] or event == EXPOSURE
        folded[day, event if kept else OTHER, outcome] += count
    return folded


def _admit(connection: Connection, day: int, names: set[str], known: set[str]) -> None:
    """Take names up among those that a day counts, as long as there is room."""
    known.update(
        name for (name,) in ask(connection, "SELECT DISTINCT event FROM quality WHERE day = ?", (day,))
    )
    room = max(0, MOST_NAMES - len(known))
    known.update(sorted(names - known)[:room])


_NAMES = "SELECT DISTINCT event FROM quality WHERE day = ?"
_UPSERT = (
    "INSERT INTO quality (day, event, outcome, count) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (day, event, outcome) DO UPDATE SET count = quality.count + excluded.count"
)
_REJECTION = "INSERT INTO rejection (at, event, message_id, code, detail) VALUES (?, ?, ?, ?, ?)"
_PRUNE = "DELETE FROM rejection WHERE id <= (SELECT MAX(id) FROM rejection) - ?"
_EDGE = (
    "INSERT INTO identity (anonymous_id, user_id, first_seen) VALUES (?, ?, ?) "
    "ON CONFLICT (anonymous_id, user_id) DO NOTHING"
)


def _upsert(connection: Connection, counts: Counter[Key]) -> None:
    if rows := [(*key, count) for key, count in sorted(counts.items()) if count]:
        insert_rows(connection, _UPSERT, rows)


def _keep_rejections(connection: Connection, rejected: Sequence[Rejected]) -> None:
    if rejected:
        insert_rows(connection, _REJECTION, rejected[-KEPT_REJECTIONS:])
        change(connection, _PRUNE, (KEPT_REJECTIONS,))


def _keep_edges(connection: Connection, edges: Sequence[Edge]) -> None:
    if edges:
        insert_rows(connection, _EDGE, edges)
