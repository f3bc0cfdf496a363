"""The driver: handing a statement to it as it is, where every microsecond counts.

A commit of the ledger's writer is a handful of small statements. On SQLite each takes the driver three
microseconds, and the layers that serve every other query twenty-five more; so these go past them. What may go
wrong is told in the same terms.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_BROKEN = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
"""Errors after which a connection is not used again."""

Values = Sequence[Any]


def has_broken(problem: BaseException | None) -> bool:
    """Whether a connection is not to be used again after an error of its driver."""
    # The lowest byte is the kind of the error, the others say more exactly which one it is.
    return getattr(problem, "sqlite_errorcode", 0) & 0xFF in _BROKEN


def ask(connection: Connection, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
    """All rows that a query gives; its places are question marks."""
    if connection.dialect.name == "postgresql":
        return [tuple(row) for row in connection.exec_driver_sql(_formatted(statement), tuple(values))]
    return _execute(connection, statement, values).fetchall()


def change(connection: Connection, statement: str, values: Values = ()) -> int:
    """Run a statement that changes rows, and say how many; its places are question marks."""
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql(_formatted(statement), tuple(values)).rowcount
    return _execute(connection, statement, values).rowcount


def change_each(connection: Connection, statement: str, rows: Sequence[Any]) -> int:
    """Run a statement once for each of several rows, and say how many rows it changed in all."""
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql(_formatted(statement), list(rows)).rowcount
    return sum(_execute(connection, statement, values).rowcount for values in rows)


def _formatted(statement: str) -> str:
    return statement.replace("?", "%s")


def _execute(connection: Connection, statement: str, values: Values) -> sqlite3.Cursor:
    cursor = cast("sqlite3.Cursor", connection.connection.cursor())
    try:
        return cursor.execute(statement, values)
    except sqlite3.Error as problem:
        broken = has_broken(problem)
        if broken:
            connection.invalidate(problem)
        raise DBAPIError.instance(
            statement,
            None,
            problem,
            sqlite3.Error,
            hide_parameters=True,  # people's data stand in them
            connection_invalidated=broken,
            dialect=connection.dialect,
        ) from problem
