"""The columnar copy: the ledger's rows again, laid out for reading.

It is a DuckDB file that can be deleted at any time; the next analysis makes it again. New ledger rows are
appended in batches, and the position reached is stored in the same transaction as the rows, so a crash at
any moment neither loses nor doubles one. The position holds the last row's message id, too: a copy of another
ledger (one that was restored from a backup, say) is noticed and made again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from sqlalchemy import Table, func, select
from sqlmodel import Session

from experiments.errors import Unavailable
from experiments.store import Store
from experiments.store.tables import EventRow, ExposureRow

BATCH = 100_000
SHAPE = 2
"""Version of the copy's layout; a copy of another shape is thrown away and made again."""

LOCK_PATIENCE = 30.0
"""Seconds to wait for another process that is analysing."""

_COLUMNS: dict[str, tuple[Any, dict[str, str]]] = {
    "exposure": (
        ExposureRow,
        {
            "id": "BIGINT",
            "experiment": "VARCHAR",
            "user_id": "VARCHAR",
            "anonymous_id": "VARCHAR",
            "variant": "VARCHAR",
            "occurred_at": "BIGINT",
            "attributes": "VARCHAR",
            "mark": "VARCHAR",
        },
    ),
    "event": (
        EventRow,
        {
            "id": "BIGINT",
            "user_id": "VARCHAR",
            "anonymous_id": "VARCHAR",
            "event": "VARCHAR",
            "value": "DOUBLE",
            "occurred_at": "BIGINT",
            "properties": "VARCHAR",
        },
    ),
}


@contextmanager
def opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the copy; wait while another process has it, make it again when it cannot be used.

    Raises
    ------
    Unavailable
        If another process keeps it for longer than half a minute.
    """
    connection = _connect(path)
    try:
        yield connection
    finally:
        connection.close()


def discard(path: Path) -> None:
    """Throw the copy away; the next one to open it makes it again."""
    for each in (path, path.with_name(path.name + ".wal")):
        each.unlink(missing_ok=True)


def refresh(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> int:
    """Append the ledger's new rows.

    Returns
    -------
    int
        How many rows were new.
    """
    added = 0
    with store.read() as session:
        if not all(_follows(connection, session, name) for name in _COLUMNS):
            _empty(connection)
        remaining = {name: _new_rows(connection, session, name) for name in _COLUMNS}
        total = sum(remaining.values()) or 1
        for name in _COLUMNS:
            for rows in _batches(session, name, _reached(connection, name)):
                _append(connection, session, name, rows)
                added += len(rows)
                progress(added / total)
    return added


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            connection = duckdb.connect(path)
        except duckdb.Error as problem:
            if "Could not set lock" not in str(problem):
                discard(path)
            elif time.monotonic() > deadline:
                raise Unavailable(f"another process is using {path.name}; try again later") from problem
            time.sleep(0.05)
            continue
        if _shape(connection) == SHAPE:
            return connection
        _create(connection)
        return connection


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    for name, (_, columns) in _COLUMNS.items():
        described = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"CREATE OR REPLACE TABLE {name} ({described})")
    connection.execute("CREATE OR REPLACE TABLE reached (source VARCHAR, id BIGINT, message_id VARCHAR)")
    connection.execute("INSERT INTO reached VALUES ('exposure', 0, NULL), ('event', 0, NULL)")
    connection.execute("CREATE OR REPLACE TABLE shape (version INTEGER)")
    connection.execute("INSERT INTO shape VALUES (?)", [SHAPE])
    connection.commit()


def _empty(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    for name in _COLUMNS:
        connection.execute(f"DELETE FROM {name}")  # noqa: S608 - our own names
    connection.execute("UPDATE reached SET id = 0, message_id = NULL")
    connection.commit()


def _shape(connection: duckdb.DuckDBPyConnection) -> int | None:
    try:
        row = connection.execute("SELECT version FROM shape").fetchone()
    except duckdb.CatalogException:
        return None
    return None if row is None else int(row[0])


def _follows(connection: duckdb.DuckDBPyConnection, session: Session, name: str) -> bool:
    """Whether the last row that was copied is still the ledger's row of that number."""
    row = connection.execute("SELECT id, message_id FROM reached WHERE source = ?", [name]).fetchone()
    if row is None or not row[0]:
        return True
    return bool(_message_id(session, name, row[0]) == row[1])


def _message_id(session: Session, name: str, row_id: int) -> str | None:
    table: Table = _COLUMNS[name][0].__table__
    query = select(table.c.message_id).where(table.c.id == row_id)
    found: str | None = session.connection().execute(query).scalar()
    return found


def _reached(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    row = connection.execute("SELECT id FROM reached WHERE source = ?", [name]).fetchone()
    return 0 if row is None else int(row[0])


def _new_rows(connection: duckdb.DuckDBPyConnection, session: Session, name: str) -> int:
    table: Table = _COLUMNS[name][0].__table__
    newest = session.connection().execute(select(func.max(table.c.id))).scalar() or 0
    return max(0, int(newest) - _reached(connection, name))


def _batches(session: Session, name: str, after: int) -> Iterator[list[tuple[Any, ...]]]:
    table: Table = _COLUMNS[name][0].__table__
    columns = [table.c[column] for column in _COLUMNS[name][1]]
    while True:
        query = select(*columns).where(table.c.id > after).order_by(table.c.id).limit(BATCH)
        rows = [tuple(row) for row in session.connection().execute(query)]
        if not rows:
            return
        after = rows[-1][0]
        yield rows


def _append(
    connection: duckdb.DuckDBPyConnection, session: Session, name: str, rows: list[tuple[Any, ...]]
) -> None:
    described = _COLUMNS[name][1]
    batch = {
        column: np.array(values, dtype=object)
        for column, values in zip(described, zip(*rows, strict=True), strict=True)
    }
    connection.begin()
    connection.register("batch", batch)
    casts = ", ".join(f"CAST({column} AS {kind})" for column, kind in described.items())
    connection.execute(f"INSERT INTO {name} SELECT {casts} FROM batch")  # noqa: S608 - our own names
    last = rows[-1][0]
    connection.execute(
        "UPDATE reached SET id = ?, message_id = ? WHERE source = ?",
        [last, _message_id(session, name, last), name],
    )
    connection.unregister("batch")
    connection.commit()
