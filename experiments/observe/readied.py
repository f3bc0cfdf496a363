"""Readied answers: what the embedded engine counts in memory, before it asks the rest of the statement.

Over events lies most of the work of a readout, and adding up arrays of numbered units is several times faster
than grouping rows. Which units count, and why, is always asked of the statement. A plain question goes the
rest of the way in memory; for others the events are added up, and values, segments and moments are asked of
the statement over what was added up; a question that needs more than sums over single events is asked as it
is. Questions about the same type of unit share a scan.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

import duckdb
import numpy as np
from sqlglot import exp

from experiments.observe import summing
from experiments.observe.chunks import Chunk, Scan
from experiments.observe.groups import Segment
from experiments.observe.question import Question
from experiments.observe.sheets import Part, Sheet, is_plain
from experiments.observe.sql import DIALECT
from experiments.observe.statement import SORTING, about_units, compose, labelling, sorting
from experiments.observe.tallies import PAST, Columns, Members, Tally, can_add
from experiments.observe.units import kept

TOGETHER = 4_000_000
"""Units of the questions that share a scan: what is counted for them is kept until all are answered."""

MANY = 20
"""Questions that share a scan, however few their units are."""

FRUGAL = "1GB"
"""What DuckDB may hold while a plain question is answered; its own share of the work is small."""

Rows = list[tuple[Any, ...]]
Tables = list[tuple[str, Columns]]
Found = TypeVar("Found")


def answer_all(connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> list[Rows]:
    """The statement's rows for each question."""
    found: dict[int, Rows] = {}
    for places in _together(connection, questions):
        found |= zip(places, _scanned(connection, [questions[place] for place in places]), strict=True)
    for place, question in enumerate(questions):
        if place not in found:
            connection.execute("RESET memory_limit")
            found[place] = _fetched(connection, compose(question))
    return [found[place] for place, _ in enumerate(questions)]


def _together(connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> Iterator[list[int]]:
    """Places of the questions that share a scan."""
    alike: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        if can_add(question):
            alike.setdefault(question.unit_type, []).append(place)
    some = max(1, min(MANY, TOGETHER // max(1, _newest(connection))))
    for places in alike.values():
        yield from (places[start : start + some] for start in range(0, len(places), some))


def _scanned(connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> list[Rows]:
    kinds = [PlainQuestion if is_plain(question) else TabledQuestion for question in questions]
    frugal = f"SET memory_limit = '{FRUGAL}'" if all(map(is_plain, questions)) else "RESET memory_limit"
    connection.execute(frugal)
    asked = [
        kind(connection, question, place)
        for place, (kind, question) in enumerate(zip(kinds, questions, strict=True))
    ]
    scan = Scan(questions)
    counted = np.flatnonzero(np.logical_or.reduce([each.members.counted for each in asked]))

    def seen(chunk: Chunk) -> list[Any]:
        return [each.see(Tally.of(wanted, chunk, each.members)) for each, wanted in pairs]

    pairs = list(zip(asked, scan.wanted, strict=True))
    with ThreadPoolExecutor(threads := _threads(connection)) as pool:
        for parts in _in_order(pool, seen, scan.chunks(connection, counted), ahead=threads):
            for each, part in zip(asked, parts, strict=True):
                each.add(part)
        return [each.answer(pool) for each in asked]


def _in_order(
    pool: Executor, work: Callable[[Chunk], Found], chunks: Iterable[Chunk], *, ahead: int
) -> Iterator[Found]:
    """What comes of each chunk, in their order, while some of those ahead are worked on."""
    waiting: deque[Future[Found]] = deque()
    for chunk in chunks:
        waiting.append(pool.submit(work, chunk))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    for each in waiting:
        yield each.result()


def _threads(connection: duckdb.DuckDBPyConnection) -> int:
    """As many as DuckDB has."""
    ((threads,),) = connection.execute("SELECT current_setting('threads')").fetchall()
    return int(threads)


class AskedQuestion:
    """A question whose units have been sorted out."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, question: Question, place: int) -> None:
        self.connection = connection
        self.question = question
        self._place = place
        self._tables: dict[str, str] = {}
        self.create("sorted_out", _text(sorting(question)))
        units = kept().sql(dialect=DIALECT).replace("sorted_out", self._tables["sorted_out"])
        found = connection.execute(units).fetchnumpy()
        self.members = Members.spread(_newest(connection), found["unit"], found["arm"], found["first_at"])

    def create(self, piece: str, query: str) -> None:
        """Make a table of a piece."""
        self._tables[piece] = f"{piece}_{self._place}"
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {self._tables[piece]} AS {query}")

    def insert(self, piece: str, columns: Columns) -> None:
        """Add rows to the table of a piece."""
        self.connection.register("tallied", dict(columns))
        if piece in self._tables:
            self.connection.execute(f"INSERT INTO {self._tables[piece]} FROM tallied")
        else:
            self.create(piece, "FROM tallied")
        self.connection.unregister("tallied")

    def look(self) -> None:
        """Let statements find the tables under the names of their pieces."""
        for piece, table in self._tables.items():
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {piece} AS FROM {table}")

    def ask(self, statement: exp.Expr) -> Rows:
        """Ask a statement that finds the tables as its pieces, and drop them."""
        self.look()
        rows = _fetched(self.connection, statement)
        for piece, table in self._tables.items():
            self.connection.execute(f"DROP VIEW {piece}")
            self.connection.execute(f"DROP TABLE {table}")
        return rows


class TabledQuestion(AskedQuestion):
    """A question of which the statement is asked what follows from what was added up."""

    def see(self, tally: Tally) -> Tables:
        """What a chunk's events come to."""
        return list(tally.tables())

    def add(self, tables: Tables) -> None:
        """Put it into tables."""
        for piece, columns in tables:
            self.insert(piece, columns)

    def answer(self, _: Executor) -> Rows:
        """Ask what is left of the statement."""
        return self.ask(compose(self.question, ready={*self._tables, *SORTING}))


class PlainQuestion(AskedQuestion):
    """A question that goes the whole way in memory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, question: Question, place: int) -> None:
        super().__init__(connection, question, place)
        self.sheet = Sheet(question, self.members)

    def see(self, tally: Tally) -> Part:
        """What a chunk's events come to."""
        return self.sheet.part(tally)

    def add(self, part: Part) -> None:
        """Take it in."""
        self.sheet.add(part)

    def answer(self, pool: Executor) -> Rows:
        """Ask about units and records, and add the rest up meanwhile."""
        segments = list(self._segments()) if self.question.segments else []
        about = pool.submit(self.ask, about_units(self.question))
        return [*summing.rows(self.sheet, pool, segments), *about.result()]

    def _segments(self) -> Iterator[Segment]:
        """The value that each unit has of each segment; the units lie as in the sheet."""
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


def _newest(connection: duckdb.DuckDBPyConnection) -> int:
    ((newest,),) = connection.execute("SELECT COALESCE(MAX(number), 0) FROM unit").fetchall()
    return int(newest)


def _fetched(connection: duckdb.DuckDBPyConnection, statement: exp.Expr) -> Rows:
    return connection.execute(_text(statement)).fetchall()


def _text(statement: exp.Expr) -> str:
    return statement.sql(dialect=DIALECT)
