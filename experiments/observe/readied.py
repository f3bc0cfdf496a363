"""Readied answers: what the embedded engine counts in memory, before it asks the rest of the statement.

Over events lies most of the work of a readout, and adding up arrays of numbered units is several times faster
than grouping rows. Which units count, and why, is always asked of the statement. A plain question goes the
rest of the way in memory; for others the events are added up, and values, segments and moments are asked of
the statement over what was added up; a question that needs more than sums over single events is asked as it
is. Questions about the same type of unit share a scan.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
from sqlglot import exp

from experiments.observe import summing
from experiments.observe.chunks import Scan
from experiments.observe.question import Question
from experiments.observe.sheets import Sheet, is_plain
from experiments.observe.sql import DIALECT
from experiments.observe.statement import SORTING, about_units, compose, sorting
from experiments.observe.tallies import Columns, Members, Tally, can_add
from experiments.observe.units import kept

TOGETHER = 4_000_000
"""Units of the questions that share a scan: what is counted for them is kept until all are answered."""

Rows = list[tuple[Any, ...]]


def answer_all(connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> list[Rows]:
    """The statement's rows for each question."""
    found: dict[int, Rows] = {}
    for places in _together(connection, questions):
        found |= zip(places, _scanned(connection, [questions[place] for place in places]), strict=True)
    for place, question in enumerate(questions):
        if place not in found:
            found[place] = _fetched(connection, compose(question))
    return [found[place] for place, _ in enumerate(questions)]


def _together(connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> Iterator[list[int]]:
    """Places of the questions that share a scan."""
    alike: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        if can_add(question):
            alike.setdefault(question.unit_type, []).append(place)
    some = max(1, TOGETHER // max(1, _newest(connection)))
    for places in alike.values():
        yield from (places[start : start + some] for start in range(0, len(places), some))


def _scanned(connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> list[Rows]:
    kinds = [_Plain if is_plain(question) else _Tabled for question in questions]
    asked = [
        kind(connection, question, place)
        for place, (kind, question) in enumerate(zip(kinds, questions, strict=True))
    ]
    scan = Scan(questions)
    for chunk in scan.chunks(connection):
        for each, wanted in zip(asked, scan.wanted, strict=True):
            each.add(Tally.of(wanted, chunk, each.members))
    return [each.answer() for each in asked]


class _Asked:
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

    def ask(self, statement: exp.Expr) -> Rows:
        """Ask a statement that finds the tables as its pieces, and drop them."""
        for piece, table in self._tables.items():
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {piece} AS FROM {table}")
        rows = _fetched(self.connection, statement)
        for piece, table in self._tables.items():
            self.connection.execute(f"DROP VIEW {piece}")
            self.connection.execute(f"DROP TABLE {table}")
        return rows


class _Tabled(_Asked):
    """A question of which the statement is asked what follows from what was added up."""

    def add(self, tally: Tally) -> None:
        for piece, columns in tally.tables():
            self.insert(piece, columns)

    def answer(self) -> Rows:
        return self.ask(compose(self.question, ready={*self._tables, *SORTING}))


class _Plain(_Asked):
    """A question that goes the whole way in memory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, question: Question, place: int) -> None:
        super().__init__(connection, question, place)
        self._sheet = Sheet(question, self.members)

    def add(self, tally: Tally) -> None:
        self._sheet.add(tally)

    def answer(self) -> Rows:
        return [*self.ask(about_units(self.question)), *summing.rows(self._sheet)]


def _newest(connection: duckdb.DuckDBPyConnection) -> int:
    ((newest,),) = connection.execute("SELECT COALESCE(MAX(number), 0) FROM unit").fetchall()
    return int(newest)


def _fetched(connection: duckdb.DuckDBPyConnection, statement: exp.Expr) -> Rows:
    return connection.execute(_text(statement)).fetchall()


def _text(statement: exp.Expr) -> str:
    return statement.sql(dialect=DIALECT)
