"""Rows: writing many of them with few statements.

SQLite's driver hands the interpreter to other threads at every row of an `executemany`, and in a busy process
gets it back only after all of them. A statement for many rows hands it over once, and costs less by itself.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from experiments.store.driver import change, change_each

MOST_TOGETHER = 1_024
"""Rows of one statement; SQLite takes 32,766 values at most."""

FEW = 128
"""Rows up to which there is a statement for each number of them; beyond, for powers of two."""


def insert_rows(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Run an insert for many rows, and say how many of them came in.

    Parameters
    ----------
    statement
        The insert of one row, with a question mark for each value.
    """
    if connection.dialect.name == "postgresql":
        return change_each(connection, statement, rows)
    added = start = 0
    while start < len(rows):
        size = _together(len(rows) - start)
        values = tuple(chain.from_iterable(rows[start : start + size]))
        added += change(connection, _of_many(statement, len(rows[0]), size), values)
        start += size
    return added


def _together(left: int) -> int:
    """Rows of the next statement: there are few different ones, so that the driver can keep them prepared."""
    return left if left <= FEW else min(MOST_TOGETHER, 1 << left.bit_length() - 1)


@cache
def _of_many(statement: str, width: int, size: int) -> str:
    places = f"({', '.join('?' * width)})"
    return statement.replace(places, ", ".join([places] * size), 1)
