"""Moving on: an answer from the sums that stand, and from what has happened since.

Only the units to which something has happened are looked at: those with new records, those that have become
old enough for a metric, and those that have lived through another day. They are looked at twice, in the same
way as all units are otherwise: as they were when the sums were taken, and as they are now. What that costs
is in proportion to them; when they are many, everything is added up anew.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace

import duckdb

from experiments.observe import standing
from experiments.observe.asked import PlainQuestion, Rows, go_through
from experiments.observe.curves import aged
from experiments.observe.exchange import crowded, exchanged, fills
from experiments.observe.question import DAY_MS, Question
from experiments.observe.standing import Standing
from experiments.observe.statement import about_units
from experiments.observe.summing import Middles, Summed, Summing

MANY = 0.25
"""Share of the units beyond which it is quicker to look at all of them."""


def answer(connection: duckdb.DuckDBPyConnection, question: Question, pool: Executor) -> Rows | None:
    """The statement's rows, or None where everything has to be added up."""
    if not standing.can_stand(question):
        return None
    stood = standing.read(connection, question)
    if stood is None or stood.horizon > question.horizon or crowded(question, stood.summed):
        return None
    everybody = PlainQuestion(connection, question, 0)
    summed = _moved(connection, everybody, stood, pool)
    if summed is None:
        everybody.drop()
        return None
    exposure, event = standing.newest(connection)
    standing.keep(connection, question, Standing(question.horizon, exposure, event, summed))
    return [*summed.rows, *fills(question, summed), *everybody.ask(about_units(question))]


def _moved(
    connection: duckdb.DuckDBPyConnection, everybody: PlainQuestion, stood: Standing, pool: Executor
) -> Summed | None:
    question = everybody.question
    touched, units = _touch(connection, everybody, stood)
    if not touched:
        return stood.summed
    if touched > units * MANY:
        return None
    then = replace(question, horizon=stood.horizon)
    with _set_apart(connection, question):
        before = _summed(connection, then, stood.summed.middles, pool, stood)
        after = _summed(connection, question, stood.summed.middles, pool)
    summed = exchanged(question, stood.summed, before, after)
    return None if summed is None or crowded(question, summed) else summed


def _touch(
    connection: duckdb.DuckDBPyConnection, everybody: PlainQuestion, stood: Standing
) -> tuple[int, int]:
    """Find the units to which something has happened; how many they are, and how many units there are."""
    table = everybody.table("sorted_out")
    happened = " UNION ".join(_happened(everybody.question, table, stood))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE touched AS "  # noqa: S608 - our own names, and numbers
        f"SELECT unit, ROW_NUMBER() OVER (ORDER BY unit) AS number FROM ({happened}) "
        f"SEMI JOIN {table} USING (unit)"
    )
    ((touched, units),) = connection.execute(
        f"SELECT (SELECT COUNT(*) FROM touched), (SELECT COUNT(*) FROM {table})"  # noqa: S608 - the same
    ).fetchall()
    return int(touched), int(units)


def _happened(question: Question, table: str, stood: Standing) -> Iterator[str]:
    unit, then, now = question.unit_type, stood.horizon, question.horizon
    for name, read in (("exposure", stood.exposure), ("event", stood.event)):
        yield (
            f"SELECT {unit} AS unit FROM {name} "  # noqa: S608 - the same
            f"WHERE (id > {read:d} OR occurred_at > {then:d}) AND occurred_at <= {now:d}"
        )
    for span in sorted({question.span(metric) for metric in question.metrics} - {0}):
        yield (
            f"SELECT unit FROM {table} "  # noqa: S608 - the same
            f"WHERE first_at > {then - span:d} AND first_at <= {now - span:d}"
        )
    if aged(question):
        yield (
            f"SELECT unit FROM {table} JOIN event ON event.{unit} = unit "  # noqa: S608 - the same
            f"WHERE occurred_at > {then - DAY_MS:d} AND occurred_at <= {now:d} "
            f"AND ({now:d} - first_at) // {DAY_MS:d} > ({then:d} - first_at) // {DAY_MS:d}"
        )


@contextmanager
def _set_apart(connection: duckdb.DuckDBPyConnection, question: Question) -> Iterator[None]:
    """Let the records of the touched units stand for the log, with numbers that leave none out.

    However it ends, the log is what is found under its names again.
    """
    unit = question.unit_type
    for name, which in (("event", "TRUE"), ("exposure", "experiment = ?")):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE touched_{name} AS "  # noqa: S608 - our own names, and numbers
            f"SELECT {name}.* REPLACE (touched.number AS {unit}) FROM {name} "
            f"JOIN touched ON touched.unit = {name}.{unit} "
            f"WHERE {which} AND occurred_at <= {question.horizon:d}",
            [question.experiment] if "?" in which else [],
        )
    connection.execute("CREATE OR REPLACE TEMP VIEW unit AS SELECT number FROM touched")
    try:
        yield
    finally:
        for view in ("event", "exposure", "unit"):
            connection.execute(f"DROP VIEW IF EXISTS temp.{view}")
        for table in ("touched_event", "touched_exposure", "touched"):
            connection.execute(f"DROP TABLE {table}")


def _summed(
    connection: duckdb.DuckDBPyConnection,
    question: Question,
    middles: Middles,
    pool: Executor,
    stood: Standing | None = None,
) -> Summed:
    """What the touched units come to; or what they came to from the rows that had been read."""
    for name in ("event", "exposure"):
        known = f"WHERE id <= {getattr(stood, name):d}" if stood else ""
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM touched_{name} {known}")
    asked = PlainQuestion(connection, question, 1)
    go_through(connection, [asked], pool)
    segments = list(asked.segments())
    summed = Summing(asked.sheet, middles).summed(pool, segments)
    asked.drop()
    return summed
