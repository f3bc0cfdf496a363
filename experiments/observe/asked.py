"""Asked questions: each with the units that count for it, and what is added up for them chunk by chunk."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from functools import cached_property
from typing import Any, TypeVar

import duckdb
import numpy as np
from sqlglot import exp

from experiments.observe.chunks import Chunk, Scan
from experiments.observe.groups import Answer, Segment
from experiments.observe.question import Question
from experiments.observe.sheets import Part, Sheet
from experiments.observe.sorting import EMPTY, can_sort, sort_out, to_sort
from experiments.observe.sql import DIALECT
from experiments.observe.statement import SORTING, about_units, compose, labelling, sorting
from experiments.observe.summing import Summed, Summing
from experiments.observe.tallies import PAST, Columns, Members, Tally
from experiments.observe.units import UNEXPOSED, kept

UNITS = 1_000_000
"""Units that are sorted out at once."""

Rows = list[Answer]
Tables = list[tuple[str, Columns]]
Found = TypeVar("Found")


class AskedQuestion(ABC):
    """A question whose units have been sorted out."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, question: Question, place: int) -> None:
        self.connection = connection
        self.question = question
        self._place = place
        self._tables: dict[str, str] = {}
        if can_sort(question):
            self._sort_out()
        else:
            self.create("sorted_out", _text(sorting(question)))

    def _sort_out(self) -> None:
        """Sort units out some at a time, so that what is looked at stays small."""
        gaps = ", ".join(f"CASE WHEN fate <> {UNEXPOSED} THEN {name} END AS {name}" for name in EMPTY)
        unit = self.question.unit_type
        statement = f"{_text(to_sort(self.question))} AND {unit} BETWEEN $low AND $high"
        # One at least, so that there is a table when there is nothing in it.
        for low in range(1, max(newest_unit(self.connection), 1) + 1, UNITS):
            exposures = self.connection.execute(statement, {"low": low, "high": low + UNITS - 1}).fetchnumpy()
            self.insert("sorted_out", sort_out(exposures), f"* REPLACE ({gaps})")

    @cached_property
    def members(self) -> Members:
        """The units that count."""
        units = kept().sql(dialect=DIALECT).replace("sorted_out", self.table("sorted_out"))
        found = self.connection.execute(units).fetchnumpy()
        newest = newest_unit(self.connection)
        return Members.spread(newest, found["unit"], found["arm"], found["first_at"])

    @abstractmethod
    def see(self, tally: Tally) -> Any:
        """What a chunk's events come to. It changes nothing, so chunks can be looked at side by side."""

    @abstractmethod
    def add(self, seen: Any) -> None:
        """Take in what a chunk came to."""

    @abstractmethod
    def answer(self, pool: Executor) -> Rows:
        """The statement's rows."""

    def table(self, piece: str) -> str:
        """The table of a piece."""
        return self._tables[piece]

    def create(self, piece: str, query: str) -> None:
        """Make a table of a piece."""
        self._tables[piece] = f"{piece}_{self._place}"
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {self._tables[piece]} AS {query}")

    def insert(self, piece: str, columns: Columns, chosen: str = "*") -> None:
        """Add rows to the table of a piece."""
        self.connection.register("tallied", dict(columns))
        query = f"SELECT {chosen} FROM tallied"  # noqa: S608 - our own names
        if piece in self._tables:
            self.connection.execute(f"INSERT INTO {self._tables[piece]} {query}")
        else:
            self.create(piece, query)
        self.connection.unregister("tallied")

    def look(self) -> None:
        """Let statements find the tables under the names of their pieces."""
        for piece, table in self._tables.items():
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {piece} AS FROM {table}")

    def ask(self, statement: exp.Expr) -> Rows:
        """Ask a statement that finds the tables as its pieces, and drop them."""
        self.look()
        rows = fetched(self.connection, statement)
        self.drop()
        return rows

    def drop(self) -> None:
        """Drop the tables."""
        for piece, table in self._tables.items():
            self.connection.execute(f"DROP VIEW IF EXISTS {piece}")
            self.connection.execute(f"DROP TABLE {table}")


class TabledQuestion(AskedQuestion):
    """A question of which the statement is asked what follows from what was added up."""

    def see(self, tally: Tally) -> Tables:
        """As tables of the pieces."""
        return list(tally.tables())

    def add(self, seen: Tables) -> None:
        """Put tables together."""
        for piece, columns in seen:
            self.insert(piece, columns)

    def answer(self, pool: Executor) -> Rows:  # noqa: ARG002 - here DuckDB has all the work
        """Ask what is left of the statement."""
        return self.ask(compose(self.question, ready={*self._tables, *SORTING}))


class PlainQuestion(AskedQuestion):
    """A question that goes the whole way in memory.

    Attributes
    ----------
    summed
        What was added up for its answer.
    """

    summed: Summed

    @cached_property
    def sheet(self) -> Sheet:
        """What the units come to."""
        return Sheet(self.question, self.members)

    def see(self, tally: Tally) -> Part:
        """As a part of the sheet."""
        return self.sheet.part(tally)

    def add(self, seen: Part) -> None:
        """Take a part into the sheet."""
        self.sheet.add(seen)

    def answer(self, pool: Executor) -> Rows:
        """Ask about units and records, and add the rest up meanwhile."""
        segments = list(self.segments())
        about = pool.submit(self.ask, about_units(self.question))
        self.summed = Summing(self.sheet).summed(pool, segments)
        return [*self.summed.rows, *about.result()]

    def segments(self) -> Iterator[Segment]:
        """The value that each unit has of each segment; the units lie as in the sheet."""
        if not self.question.segments:
            return
        past = {name: self.sheet.columns.pop(name) for name in PAST if name in self.sheet.columns}
        self.insert("gathered", {"unit": self.sheet.number, **past})
        self.look()
        self.create("labelled", _text(labelling(self.question)))
        for place, _ in enumerate(self.question.segments):
            value, table = f"s{place}", self._tables["labelled"]
            found = self.connection.execute(
                f"SELECT DISTINCT {value} FROM {table} WHERE {value} IS NOT NULL ORDER BY 1"  # noqa: S608 - our own names
            ).fetchall()
            names = [name for (name,) in found]
            codes = self.connection.execute(
                f"SELECT COALESCE(LIST_POSITION(?, {value}), 0) AS code FROM {table} ORDER BY unit",  # noqa: S608 - the same
                [names],
            ).fetchnumpy()["code"]
            yield Segment(place, [None, *names], codes, len(self.question.variants))


def go_through(connection: duckdb.DuckDBPyConnection, asked: Sequence[AskedQuestion], pool: Executor) -> None:
    """Let questions about one type of unit see all events in one scan."""
    scan = Scan([each.question for each in asked])
    pairs = list(zip(asked, scan.wanted, strict=True))
    counted = np.flatnonzero(np.logical_or.reduce([each.members.counted for each in asked]))

    def see(chunk: Chunk) -> list[Any]:
        return [each.see(Tally.of(wanted, chunk, each.members)) for each, wanted in pairs]

    chunks = scan.chunks(connection, counted)
    for parts in _in_order(pool, see, chunks, ahead=threads(connection)):
        for each, part in zip(asked, parts, strict=True):
            each.add(part)


def _in_order(
    pool: Executor, work: Callable[[Chunk], Found], chunks: Iterable[Chunk], *, ahead: int
) -> Iterator[Found]:
    """What comes of each chunk, in their order, while the next ones are read and worked on."""
    waiting: deque[Future[Found]] = deque()
    for chunk in chunks:
        waiting.append(pool.submit(work, chunk))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    for each in waiting:
        yield each.result()


def threads(connection: duckdb.DuckDBPyConnection) -> int:
    """How many threads DuckDB has; here are as many."""
    ((count,),) = connection.execute("SELECT current_setting('threads')").fetchall()
    return int(count)


def newest_unit(connection: duckdb.DuckDBPyConnection) -> int:
    """The largest number of a unit."""
    ((newest,),) = connection.execute("SELECT COALESCE(MAX(number), 0) FROM unit").fetchall()
    return int(newest)


def fetched(connection: duckdb.DuckDBPyConnection, statement: exp.Expr) -> Rows:
    """The rows of a statement."""
    return connection.execute(_text(statement)).fetchall()


def _text(statement: exp.Expr) -> str:
    return statement.sql(dialect=DIALECT)
