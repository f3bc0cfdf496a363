"""Trends: what a metric's events added up to on each day, for the picture on its page."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlglot import exp

from experiments.definition import MetricDraft
from experiments.observe import columns
from experiments.observe.statement import DAY_MS, DIALECT, filled, gain
from experiments.store import Store
from experiments.store.instants import from_millis, to_millis


@dataclass(frozen=True, slots=True)
class DayTotal:
    """One day: units to which it happened, and what it added up to."""

    day: date
    units: int
    total: float


def daily_totals(
    *, store: Store, path: Path, metric: MetricDraft, unit_type: str, since: datetime, until: datetime
) -> tuple[DayTotal, ...]:
    """Add a metric's events up by day (UTC), over all units; days without any are zero."""
    start, end = to_millis(since), to_millis(until)
    unbounded = metric.model_copy(update={"window": None})
    with columns.opened(path) as connection:
        columns.refresh(connection, store)
        rows = connection.execute(_totals(unbounded, unit_type, start, end).sql(dialect=DIALECT)).fetchall()
    found = {
        from_millis(int(day) * DAY_MS).astimezone(UTC).date(): (units, total) for day, units, total in rows
    }
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    days = [date.fromordinal(each) for each in range(first.toordinal(), last.toordinal() + 1)]
    return tuple(DayTotal(day, *found.get(day, (0, 0.0))) for day in days)


def _totals(metric: MetricDraft, unit_type: str, since: int, until: int) -> exp.Select:
    piece = filled(
        """
        SELECT CAST(FLOOR(occurred_at / :day) AS BIGINT) AS day, COUNT(DISTINCT :unit)
        FROM event
        WHERE occurred_at >= :since AND occurred_at < :until AND NOT :unit IS NULL AND event = :event
        GROUP BY CAST(FLOOR(occurred_at / :day) AS BIGINT)
        """,
        day=exp.Literal.number(f"{DAY_MS}.0"),
        since=since,
        until=until,
        unit=exp.column(unit_type),
        event=metric.event,
    )
    return piece.select(gain(metric).as_("total"), copy=False)
