"""The statement in pieces says what it says as a whole."""

from collections.abc import Callable
from typing import Any

import duckdb
import pytest
import sqlglot

from experiments.observe.engines.keeping import Script, Tables
from experiments.observe.engines.pieces import Pieces, taken_apart, whole

STATEMENT = sqlglot.parse_one(
    """
    WITH event AS (SELECT visitor AS unit, amount AS value FROM event),
         totals AS (SELECT unit, SUM(value) AS value FROM event GROUP BY unit),
         middle AS (SELECT AVG(value) AS value FROM totals)
    SELECT 'units' AS part, COUNT(*) AS n FROM totals
    UNION ALL SELECT 'above', COUNT(*) FROM totals CROSS JOIN middle WHERE totals.value > middle.value
    UNION ALL SELECT 'once', MAX(value) FROM middle
    UNION ALL SELECT 'rows', COUNT(*) FROM event
    """
)


@pytest.fixture
def connection() -> Any:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE event AS SELECT n % 4 AS visitor, n AS amount FROM range(10) AS t(n)"
        )
        connection.execute("CREATE SCHEMA scratch")
        yield connection


def answer(connection: Any, pieces: Pieces) -> list[tuple[Any, ...]]:
    for name, text in pieces.kept:
        connection.execute(f"CREATE TABLE {name} AS {text.sql('duckdb')}")
    return [row for each in pieces.answers for row in connection.execute(each.sql("duckdb")).fetchall()]


@pytest.mark.parametrize(
    ("make", "kept"),
    [
        (lambda: taken_apart(STATEMENT, prefix="p", at_once=1), ["p_event", "p_totals", "p_middle"]),
        (lambda: taken_apart(STATEMENT, prefix="p", at_once=3), ["p_event", "p_totals", "p_middle"]),
        (
            lambda: taken_apart(STATEMENT, prefix="p", place="scratch.{}".format),
            ["scratch.p_event", "scratch.p_totals", "scratch.p_middle"],
        ),
        (lambda: whole(STATEMENT, prefix="p"), []),
    ],
    ids=["one by one", "together", "elsewhere", "whole"],
)
def test_pieces_come_to_what_the_statement_comes_to(
    connection: Any, make: Callable[[], Pieces], kept: list[str]
) -> None:
    pieces = make()
    assert [name for name, _ in pieces.kept] == kept
    # In the whole statement, DuckDB would take a piece that is named as its table for one that reads itself.
    expected = [("units", 4), ("above", 2), ("once", 11.25), ("rows", 10)]
    assert answer(connection, pieces) == expected


def test_what_is_read_once_is_not_kept() -> None:
    pieces = taken_apart(sqlglot.parse_one("WITH a AS (SELECT 1 AS x) SELECT x FROM a"), prefix="p")
    assert pieces.kept == []
    assert [each.sql() for each in pieces.answers] == ["WITH p_a AS (SELECT 1 AS x) SELECT x FROM p_a AS a"]


class Recorder:
    """A connection that writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = 0

    def raw_sql(self, text: str) -> Any:
        self.asked.append(text)
        return self

    def fetchall(self) -> list[tuple[int]]:
        return [(1,)]

    def close(self) -> None:
        self.closed += 1

    def __iter__(self) -> Any:
        return iter([{"n": 1}])


def test_a_script_is_sent_as_one_text_and_leaves_nothing_behind() -> None:
    recorder = Recorder()
    script = Script(recorder)
    script.keep(script.place("a"), "SELECT 1")
    script.keep(script.place("ab"), "SELECT 2")
    assert script.read("SELECT n FROM a") == [(1,)]
    assert recorder.asked == [
        "CREATE TEMP TABLE a AS\nSELECT 1;\nCREATE TEMP TABLE ab AS\nSELECT 2;\nSELECT n FROM a"
    ]
    script.drop("a")
    assert script.before == ["CREATE TEMP TABLE ab AS\nSELECT 2;"]


def test_tables_are_made_where_they_may_be_and_every_cursor_is_read_to_its_end() -> None:
    recorder = Recorder()
    tables = Tables(recorder, "CREATE TABLE {name} AS {text}", "DROP TABLE {name}", "hive.scratch")
    tables.keep(tables.place("a"), "SELECT 1")
    assert tables.read("SELECT 2") == [(1,)]
    tables.drop(tables.place("a"))
    assert recorder.asked == [
        "CREATE TABLE hive.scratch.a AS SELECT 1",
        "SELECT 2",
        "DROP TABLE hive.scratch.a",
    ]
    assert recorder.closed == 3
