"""Keeping: how a warehouse holds on to pieces for the length of an analysis, and gives them up again.

========== ================================================================================================
`Frames`   Spark: a data frame without its history, under a temporary view
`Tables`   ClickHouse and Snowflake: temporary tables of the session; Trino: tables in a schema set aside
`Script`   BigQuery: everything as one script, whose temporary tables end with it
========== ================================================================================================

What is kept for one analysis has a name that no other has, since analyses may run at the same time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from experiments.observe.engines.engine import Row


class Keeper(Protocol):
    """What keeps pieces, and reads."""

    @property
    def at_once(self) -> int:
        """How many members of an answer are read together; 0 where nothing can be kept."""
        ...

    def place(self, name: str) -> str:
        """Where a piece of a name is kept."""
        ...

    def keep(self, name: str, text: str) -> None:
        """Run a piece and hold on to its rows."""
        ...

    def read(self, text: str) -> list[Row]:
        """Run a statement and take its rows."""
        ...

    def drop(self, name: str) -> None:
        """Give up what was kept; nothing happens when there is nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Frames:
    """Spark.

    A view alone would be planned anew, with everything below it, wherever it is read; a frame cut off from
    its history is planned as the rows that it is. On the way through Ibis, a column of whole numbers with
    gaps would lose what it is, so the rows are Spark's own.
    """

    connection: Any
    at_once: int = 8

    def place(self, name: str) -> str:
        """Under its own name."""
        return name

    def keep(self, name: str, text: str) -> None:
        """Run a piece, and let a view show its rows."""
        self.connection.raw_sql(text).localCheckpoint().createOrReplaceTempView(name)

    def read(self, text: str) -> list[Row]:
        """Run a statement and take its rows."""
        return [tuple(row) for row in self.connection.raw_sql(text).collect()]

    def drop(self, name: str) -> None:
        """Drop the view; Spark forgets rows that nothing shows any more."""
        self.connection.raw_sql(f"DROP VIEW IF EXISTS {name}")


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables.

    Attributes
    ----------
    create, drop_text
        The statements that make a table of ``{text}`` under ``{name}``, and drop it.
    scratch
        The schema of the tables, if they are not temporary.
    """

    connection: Any
    create: str
    drop_text: str
    scratch: str = ""
    at_once: int = 8

    def place(self, name: str) -> str:
        """In the schema that was set aside."""
        return f"{self.scratch}.{name}" if self.scratch else name

    def keep(self, name: str, text: str) -> None:
        """Make a table of a piece."""
        _rows(self.connection.raw_sql(self.create.format(name=name, text=text)))

    def read(self, text: str) -> list[Row]:
        """Run a statement and take its rows."""
        return _rows(self.connection.raw_sql(text))

    def drop(self, name: str) -> None:
        """Drop the table."""
        _rows(self.connection.raw_sql(self.drop_text.format(name=name)))


@dataclass(frozen=True, slots=True)
class Script:
    """BigQuery: nothing is run before the answer is read, and then all of it."""

    connection: Any
    before: list[str] = field(default_factory=list)
    at_once: int = 10_000

    def place(self, name: str) -> str:
        """Under its own name."""
        return name

    def keep(self, name: str, text: str) -> None:
        """Write a piece down."""
        self.before.append(f"CREATE TEMP TABLE {name} AS\n{text};")

    def read(self, text: str) -> list[Row]:
        """Run what was written down, and a statement."""
        found: Iterable[Any] = self.connection.raw_sql("\n".join([*self.before, text]))
        return [tuple(row.values()) for row in found]

    def drop(self, name: str) -> None:
        """Cross a piece out: its table ended with the script."""
        self.before[:] = [each for each in self.before if not each.startswith(f"CREATE TEMP TABLE {name} ")]


def _rows(found: Any) -> list[Row]:
    """The rows of a result, or of a cursor, which is read to its end: some are at work until then."""
    if hasattr(found, "result_rows"):
        return [tuple(row) for row in found.result_rows]
    if not hasattr(found, "fetchall"):
        return []
    try:
        return [tuple(row) for row in found.fetchall()]
    finally:
        found.close()
