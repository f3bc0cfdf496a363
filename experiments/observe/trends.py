"""Trends: what a metric's events added up to on each day, for the picture on its page."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlglot import exp

from experiments.metrics import MetricDraft
from experiments.observe.engines import Engine
from experiments.observe.gathering import amount, fits, reads_number
from experiments.observe.question import DAY_MS
from experiments.observe.scanning import Scan, Statement
from experiments.observe.sql import DAY_MS_REAL, both, filled, zero
from experiments.store.instants import from_millis, to_millis


@dataclass(frozen=True, slots=True)
class DayTotal:
    """One day: units to which the event happened, how often, and what its values added up to."""

    day: date
    units: int
    events: int
    total: float


def daily_totals(
    *, engine: Engine, metric: MetricDraft, unit_type: str, since: datetime, until: datetime
) -> tuple[DayTotal, ...]:
    """Add a metric's events up by day (UTC), over all units; days without any are zero.

    A metric that is made of others has none of its own.
    """
    if metric.kind == "ratio":
        return ()
    asked = _totals(metric, unit_type, to_millis(since), to_millis(until))
    (rows,) = engine.fetch_all([Statement(asked, {"event": Scan(to_millis(since), metric.events or None)})])
    found = {from_millis(int(row[0]) * DAY_MS).astimezone(UTC).date(): row[1:] for row in rows}
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    days = [date.fromordinal(each) for each in range(first.toordinal() + 1, last.toordinal())]
    return tuple(DayTotal(day, *found.get(day, (0, 0, 0.0))) for day in days)


def _totals(metric: MetricDraft, unit_type: str, since: int, until: int) -> exp.Select:
    value = exp.func("COALESCE", exp.Sum(this=amount(metric)), zero()) if reads_number(metric) else zero()
    return filled(
        """
        SELECT CAST(FLOOR(occurred_at / :day) AS BIGINT) AS day, COUNT(DISTINCT :unit), COUNT(*), :value
        FROM event
        WHERE occurred_at >= :since AND occurred_at < :until AND NOT :unit IS NULL AND :fits
        GROUP BY CAST(FLOOR(occurred_at / :day) AS BIGINT)
        """,
        day=DAY_MS_REAL.copy(),
        value=value,
        since=since,
        until=until,
        unit=exp.column(unit_type),
        fits=both(*fits(metric)),
    )
