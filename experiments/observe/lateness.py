"""Lateness: events that came after the log had long gone past their moment.

That an event came a day after it happened does not make it late: a file of last year's events, or what a
warehouse loads every night, comes all at once. Late is what came into a log that already held events from a
day later, since a reader of that log took the day for complete.
"""

from collections.abc import Iterator

from sqlglot import exp

from experiments.observe.answers import row
from experiments.observe.gathering import bound_in, needs_every_event
from experiments.observe.question import DAY_MS, HOUR_MS, Question
from experiments.observe.sql import bound, filled


def reached(question: Question) -> exp.Select:
    """For each hour in which events came, how far the log had reached before it; null for the first.

    Where every event came within a day there is nothing to tell, and nothing is added up.
    """
    hours = filled(
        """
        SELECT :hour AS hour, MAX(occurred_at) AS newest FROM event
        WHERE NOT received_at IS NULL AND occurred_at <= :horizon AND EXISTS (
            SELECT 1 FROM event AS slow
            WHERE slow.received_at - slow.occurred_at > :day AND slow.occurred_at <= :horizon
        )
        GROUP BY :hour
        """,
        hour=_hour("received_at"),
        horizon=question.horizon,
        day=DAY_MS,
    )
    return filled(
        """
        SELECT hour, MAX(newest) OVER (ORDER BY hour ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
          AS newest
        FROM hours
        """
    ).from_(hours.subquery("hours"), copy=False)


def late_rows(question: Question) -> Iterator[exp.Select]:
    """Late events of the units that count, after their exposure; and whether it is known when any came."""
    late = filled(
        """
        SELECT FROM event
        JOIN (SELECT unit, first_at FROM units WHERE EXISTS (SELECT 1 FROM reached)) AS met
          ON :unit = met.unit
        JOIN reached ON reached.hour = :hour
        WHERE event.occurred_at >= met.first_at AND event.occurred_at <= :horizon
          AND event.received_at - event.occurred_at > :day AND event.occurred_at + :day < reached.newest
        """,
        unit=exp.column(question.unit_type, "event"),
        hour=_hour("event.received_at"),
        horizon=question.horizon,
        day=DAY_MS,
    )
    late.set("expressions", [])
    if not needs_every_event(question):
        names = sorted({name for metric in question.counted for name in metric.events})
        late = late.where(bound_in("event.event", names), copy=False)
    yield row(late, "late")
    known = filled("SELECT 1 AS one FROM event WHERE NOT received_at IS NULL LIMIT 1")
    yield row(exp.select().from_(known.subquery("known")), "arrived")


def _hour(moment: str) -> exp.Expr:
    hour = exp.Literal.number(f"{HOUR_MS}.0")
    return bound("CAST(FLOOR(:moment / :hour) AS BIGINT)", moment=exp.to_column(moment), hour=hour)
