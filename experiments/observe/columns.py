"""The columnar copy: the ledger's rows again, laid out for reading.

It is a DuckDB file that can be deleted at any time; the next analysis makes it again. New ledger rows are
appended in batches, and the position reached is stored in the same transaction as the rows, so a crash at
any moment neither loses nor doubles one. The copy also knows the message id of the row it has reached: if
the ledger has another one there, or ends before it (it was restored from a backup, or its newest rows were
forgotten), the copy does not continue it and is made again; so it is when a unit has been erased since. What
the ledger has forgotten for its age leaves the copy.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
from sqlalchemy import Connection, Table, func, select, text

from experiments.errors import Unavailable
from experiments.observe import layout
from experiments.store import Store
from experiments.store.erasures import newest_erasure
from experiments.store.floors import ALL_OTHERS, Floors, known_floors
from experiments.store.tables import EventRow, ExposureRow

BATCH = 250_000
"""Rows of one transaction of the copy."""

PIECE = 20_000
"""Rows that are in Python's hands at once: few enough to stay in the processor's cache."""

SHAPE = 5
"""Version of the copy's layout; a copy of another shape is thrown away and made again."""

LOCK_PATIENCE = 30.0
"""Seconds to wait for another process that is analysing."""

_TABLES: Mapping[str, Table] = {
    "exposure": ExposureRow.__table__,  # type: ignore[attr-defined]  # SQLModel's tables have it
    "event": EventRow.__table__,  # type: ignore[attr-defined]  # the same
}

_ERASURE = "erasure"
"""Where the newest erasure is remembered, among the positions that the copy has reached."""


Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class _Position:
    """A row of the ledger; 0 and no message before the first."""

    id: int = 0
    message_id: str | None = None
    rows: int = field(default=0, compare=False)
    """Rows of the batch that led here."""


class _Astray(Exception):
    """The copy is not one of this ledger."""


@contextmanager
def opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the copy; wait while another process has it, make it again when it cannot be used.

    Raises
    ------
    Unavailable
        If another process keeps it for longer than half a minute, or no file can be made there.
    """
    connection = _connect(path)
    try:
        # Texts are texts: nothing is guessed from a sample of them.
        connection.execute("SET pandas_analyze_sample = 0")
        yield connection
    finally:
        connection.close()


def fetch(
    *,
    store: Store,
    path: Path,
    statement: str,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> list[tuple[Any, ...]]:
    """Bring the copy up to date and ask it; a damaged one is made again."""
    (rows,) = fetch_all(store=store, path=path, statements=[statement], progress=progress)
    return rows


def fetch_all(
    *,
    store: Store,
    path: Path,
    statements: Sequence[str],
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> list[list[tuple[Any, ...]]]:
    """Bring the copy up to date once and ask it several things; a damaged one is made again."""

    def ask(connection: duckdb.DuckDBPyConnection) -> list[list[tuple[Any, ...]]]:
        return [connection.execute(statement).fetchall() for statement in statements]

    return use(store=store, path=path, work=ask, progress=progress)


def use(
    *,
    store: Store,
    path: Path,
    work: Callable[[duckdb.DuckDBPyConnection], Found],
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Found:
    """Bring the copy up to date once and work with it; a damaged one is made again."""
    try:
        with opened(path) as connection:
            refresh(connection, store, progress)
            return work(connection)
    except (duckdb.ProgrammingError, duckdb.OutOfMemoryException):
        raise  # the statement is wrong or too much: that is no damage
    except duckdb.Error:
        discard(path)
    with opened(path) as connection:
        refresh(connection, store, progress)
        return work(connection)


def refresh(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> int:
    """Append the ledger's new rows, and drop what it has forgotten.

    Returns
    -------
    int
        How many rows were new.
    """
    try:
        return _follow(connection, store, progress)
    except _Astray:
        _empty(connection)
        connection.execute("CHECKPOINT")  # the file gives up what was in it
        return _follow(connection, store, progress)


def discard(path: Path) -> None:
    """Delete the copy.

    Raises
    ------
    Unavailable
        If the file cannot be deleted.
    """
    for each in (path, path.with_name(path.name + ".wal")):
        try:
            each.unlink(missing_ok=True)
        except OSError as problem:
            raise Unavailable(f"{each} cannot be made anew: {problem.strerror}") from problem


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + LOCK_PATIENCE
    damaged = False
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = duckdb.connect(path)
            if _shape(connection) == SHAPE:
                return connection
            connection.close()
            discard(path)
            _create(path)
        except duckdb.Error as problem:
            if "Could not set lock" in str(problem):
                if time.monotonic() > deadline:
                    raise Unavailable(f"another process is using {path.name}; try again later") from problem
                time.sleep(0.05)
                continue
            if damaged:
                raise Unavailable(f"{path.name} cannot be made: {problem}") from problem
            damaged = True
            discard(path)


def _create(path: Path) -> None:
    with duckdb.connect(path) as connection:
        connection.begin()
        layout.create(connection)
        connection.execute("CREATE TABLE reached (source VARCHAR, id BIGINT, message_id VARCHAR)")
        connection.execute("CREATE TABLE forgotten (event VARCHAR, moment BIGINT)")
        connection.execute("CREATE TABLE shape (version INTEGER)")
        connection.execute("INSERT INTO shape VALUES (?)", [SHAPE])
        connection.commit()


def _empty(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    layout.empty(connection)
    for name in ("reached", "forgotten"):
        connection.execute(f"DELETE FROM {name}")  # noqa: S608 - our own names
    connection.commit()


def _shape(connection: duckdb.DuckDBPyConnection) -> int | None:
    try:
        row = connection.execute("SELECT version FROM shape").fetchone()
    except duckdb.CatalogException:
        return None
    return None if row is None else int(row[0])


def _follow(connection: duckdb.DuckDBPyConnection, store: Store, progress: Callable[[float], None]) -> int:
    with store.read() as session:
        known = known_floors(session=session)
        newest = {name: _newest(session.connection(), table) for name, table in _TABLES.items()}
        reached = {name: _reached(connection, name) for name in _TABLES}
        for name, table in _TABLES.items():
            if not _continues(session.connection(), table, reached[name], newest[name]):
                raise _Astray
        _note_erasure(
            connection, newest_erasure(session.connection()), begun=any(at.id for at in reached.values())
        )
    total = sum(newest[name] - reached[name].id for name in _TABLES) or 1
    added = 0
    for name in _TABLES:
        at = reached[name]
        while at.id < newest[name]:
            before, at = at, _append(connection, store, name, at, newest[name])
            if at == before:  # the last ones have been deleted meanwhile
                break
            added += at.rows
            progress(min(1.0, added / total))
    _forget(connection, known, again=added > 0)
    layout.cluster(connection)
    return added


def _note_erasure(connection: duckdb.DuckDBPyConnection, newest: int, *, begun: bool) -> None:
    """Remember the newest erasure; a copy with rows from before it is not continued."""
    if _reached(connection, _ERASURE).id == newest:
        return
    if begun:
        raise _Astray
    connection.begin()
    connection.execute("DELETE FROM reached WHERE source = ?", [_ERASURE])
    connection.execute("INSERT INTO reached VALUES (?, ?, NULL)", [_ERASURE, newest])
    connection.commit()


def _newest(connection: Connection, table: Table) -> int:
    if connection.dialect.name == "postgresql":
        # Ids are given before rows are visible. The lock waits for those who are writing, so that every
        # row up to the newest is there to be read.
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE MODE"))
    return int(connection.execute(select(func.max(table.c.id))).scalar() or 0)


def _continues(connection: Connection, table: Table, reached: _Position, newest: int) -> bool:
    if reached.id > newest:
        return False
    found = connection.execute(select(table.c.message_id).where(table.c.id == reached.id)).scalar()
    return found is None or found == reached.message_id


def _reached(connection: duckdb.DuckDBPyConnection, name: str) -> _Position:
    row = connection.execute("SELECT id, message_id FROM reached WHERE source = ?", [name]).fetchone()
    return _Position() if row is None else _Position(*row)


def _append(
    connection: duckdb.DuckDBPyConnection, store: Store, name: str, after: _Position, newest: int
) -> _Position:
    """Copy one batch; each reads the ledger anew, so its log can be shortened in between."""
    chosen = ", ".join([*layout.COLUMNS[name], "message_id"])
    query = (
        f"SELECT {chosen} FROM {name} WHERE id > {after.id:d} AND id <= {newest:d} "  # noqa: S608 - our own
        f"ORDER BY id LIMIT {BATCH:d}"
    )
    at = after
    with store.read() as session:
        # The driver's own cursor: a row object for each of a million rows takes as long as reading them.
        cursor = session.connection().connection.cursor()
        cursor.execute(query)
        connection.begin()
        layout.stage(connection, name)
        while rows := cursor.fetchmany(PIECE):
            layout.arrive(connection, name, np.array(rows, dtype=object))
            at = _Position(rows[-1][0], rows[-1][-1], (at.rows if at != after else 0) + len(rows))
        cursor.close()
        layout.settle(connection, name)
        connection.execute("DELETE FROM reached WHERE source = ?", [name])
        connection.execute("INSERT INTO reached VALUES (?, ?, ?)", [name, at.id, at.message_id])
        connection.commit()
    return at


def _forget(connection: duckdb.DuckDBPyConnection, known: Floors, *, again: bool) -> None:
    """Drop what lies below the ledger's floors, unless that was done already and no row is new."""
    wanted = sorted(known.by_event.items())
    done = connection.execute("SELECT event, moment FROM forgotten ORDER BY event").fetchall() == wanted
    if not wanted or (done and not again):
        return
    connection.begin()
    gone = _deleted(connection, "exposure WHERE occurred_at < ?", known.of_exposures)
    for name, moment in wanted:
        if name != ALL_OTHERS:
            gone += _deleted(connection, "event WHERE event = ? AND occurred_at < ?", name, moment)
    others = "event WHERE occurred_at < ? AND NOT list_contains(?, event)"
    gone += _deleted(connection, others, known.of_event(ALL_OTHERS), [name for name, _ in wanted])
    if gone:
        layout.prune(connection)
    connection.execute("DELETE FROM forgotten")
    connection.executemany("INSERT INTO forgotten VALUES (?, ?)", wanted)
    connection.commit()


def _deleted(connection: duckdb.DuckDBPyConnection, which: str, *values: object) -> int:
    row = connection.execute(f"DELETE FROM {which}", list(values)).fetchone()  # noqa: S608 - our own text
    return int(row[0]) if row else 0
