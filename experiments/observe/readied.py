"""Readied answers: what the embedded engine counts in memory, before it asks the rest of the statement.

Over events lies most of the work of a readout, and adding up arrays of numbered units is several times faster
than grouping rows. Which units count, and why, is always asked of the statement. A plain question goes the
rest of the way in memory, and its sums stand in the copy: as long as the log only grows, they are moved on.
For others the events are added up, and values, segments and moments are asked of the statement over what was
added up; a question that needs more than sums over single events is asked as it is. Questions about the same
type of unit share a scan.
"""

from collections.abc import Container, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import duckdb

from experiments.observe import moving, standing
from experiments.observe.asked import (
    AskedQuestion,
    PlainQuestion,
    Rows,
    TabledQuestion,
    fetched,
    go_through,
    newest_unit,
    threads,
)
from experiments.observe.question import Question
from experiments.observe.sheets import is_plain
from experiments.observe.standing import Standing
from experiments.observe.statement import compose
from experiments.observe.tallies import can_add

TOGETHER = 4_000_000
"""Units of the questions that share a scan: what is counted for them is kept until all are answered."""

MANY = 20
"""Questions that share a scan, however few their units are."""

FRUGAL = "1GB"
"""What DuckDB may hold while a plain question is answered; its own share of the work is small."""


def answer_all(connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> list[Rows]:
    """The statement's rows for each question."""
    found: dict[int, Rows] = {}
    connection.execute(f"SET memory_limit = '{FRUGAL}'")
    with ThreadPoolExecutor(threads(connection)) as pool:
        for place, question in enumerate(questions):
            rows = moving.answer(connection, question, pool)
            if rows is not None:
                found[place] = rows
        for places in _together(connection, questions, found):
            answers = _scanned(connection, [questions[place] for place in places], pool)
            found |= zip(places, answers, strict=True)
    for place, question in enumerate(questions):
        if place not in found:
            connection.execute("RESET memory_limit")
            found[place] = fetched(connection, compose(question))
    return [found[place] for place, _ in enumerate(questions)]


def _together(
    connection: duckdb.DuckDBPyConnection, questions: Sequence[Question], answered: Container[int]
) -> Iterator[list[int]]:
    """Places of the questions that share a scan."""
    alike: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        if place not in answered and can_add(question):
            alike.setdefault(question.unit_type, []).append(place)
    some = max(1, min(MANY, TOGETHER // max(1, newest_unit(connection))))
    for places in alike.values():
        yield from (places[start : start + some] for start in range(0, len(places), some))


def _scanned(
    connection: duckdb.DuckDBPyConnection, questions: Sequence[Question], pool: Executor
) -> list[Rows]:
    frugal = f"SET memory_limit = '{FRUGAL}'" if all(map(is_plain, questions)) else "RESET memory_limit"
    connection.execute(frugal)
    asked = [_asked(connection, question, place) for place, question in enumerate(questions)]
    go_through(connection, asked, pool)
    answers = [each.answer(pool) for each in asked]
    exposure, event = standing.newest(connection)
    for each in asked:
        if isinstance(each, PlainQuestion) and standing.can_stand(each.question):
            moment = each.question.horizon
            standing.keep(connection, each.question, Standing(moment, exposure, event, each.summed))
    return answers


def _asked(connection: duckdb.DuckDBPyConnection, question: Question, place: int) -> AskedQuestion:
    kind = PlainQuestion if is_plain(question) else TabledQuestion
    return kind(connection, question, place)
