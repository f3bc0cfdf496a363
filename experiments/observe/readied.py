"""Readied pieces: those of the statement that the embedded engine counts in memory, before it asks the rest.

Over events lies most of the work of a readout, and adding up arrays of numbered units is several times faster
than grouping rows. Everything else stays with the statement: which units count and why, values, caps,
segments, moments. Questions about the same type of unit share a scan.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
from sqlglot import exp

from experiments.observe.chunks import Scan
from experiments.observe.question import Question
from experiments.observe.sql import DIALECT
from experiments.observe.statement import SORTING, compose, sorting
from experiments.observe.tallies import Columns, Members, Tally, can_add
from experiments.observe.units import KEPT

TOGETHER = 4_000_000
"""Units of the questions that share a scan: what is counted for them is kept until all are answered."""

Rows = list[tuple[Any, ...]]


def answer_all(connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> list[Rows]:
    """The statement's rows for each question."""
    found: dict[int, Rows] = {}
    for places in _together(connection, questions):
        tables = _Tables(connection, [questions[place] for place in places])
        tables.fill()
        found |= zip(places, tables.answers(), strict=True)
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


class _Tables:
    """The pieces of some questions as tables, named by the piece and the question's place."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> None:
        self._connection = connection
        self._questions = questions
        self._made: set[str] = set()

    def fill(self) -> None:
        """Sort units out, and add up their events."""
        newest = _newest(self._connection)
        everybody = [self._sorted_out(place, newest) for place, _ in enumerate(self._questions)]
        scan = Scan(self._questions)
        for chunk in scan.chunks(self._connection):
            for place, (wanted, members) in enumerate(zip(scan.wanted, everybody, strict=True)):
                for name, columns in Tally.of(wanted, chunk, members).tables():
                    self._add(f"{name}_{place}", columns)

    def _sorted_out(self, place: int, newest: int) -> Members:
        table = f"sorted_out_{place}"
        self._create(table, _text(sorting(self._questions[place])))
        kept = self._connection.execute(
            f"SELECT unit, arm, first_at FROM {table} WHERE fate = {KEPT}"  # noqa: S608 - our own names
        ).fetchnumpy()
        return Members.spread(newest, kept["unit"], kept["arm"], kept["first_at"])

    def _add(self, table: str, columns: Columns) -> None:
        self._connection.register("tallied", dict(columns))
        if table in self._made:
            self._connection.execute(f"INSERT INTO {table} SELECT * FROM tallied")  # noqa: S608 - our own names
        else:
            self._create(table, "SELECT * FROM tallied")
        self._connection.unregister("tallied")

    def _create(self, table: str, query: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")
        self._made.add(table)

    def answers(self) -> Iterator[Rows]:
        """Ask what is left of the statement."""
        for place, question in enumerate(self._questions):
            mine = {name: name.removesuffix(f"_{place}") for name in self._made if name.endswith(f"_{place}")}
            for table, piece in mine.items():
                self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {piece} AS FROM {table}")
            yield _fetched(self._connection, compose(question, ready={*mine.values(), *SORTING}))
            for table in mine:
                self._connection.execute(f"DROP TABLE {table}")


def _newest(connection: duckdb.DuckDBPyConnection) -> int:
    ((newest,),) = connection.execute("SELECT COALESCE(MAX(number), 0) FROM unit").fetchall()
    return int(newest)


def _fetched(connection: duckdb.DuckDBPyConnection, statement: exp.Expr) -> Rows:
    return connection.execute(_text(statement)).fetchall()


def _text(statement: exp.Expr) -> str:
    return statement.sql(dialect=DIALECT)
