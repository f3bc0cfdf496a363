"""History: a metric's values over all units of a past window, for planning and for replays."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from experiments.metrics import MetricDraft
from experiments.observe import columns
from experiments.observe.gathering import gain, named
from experiments.observe.question import DAY_MS
from experiments.observe.sql import DIALECT, filled
from experiments.observe.values import level
from experiments.store import Store
from experiments.store.instants import to_millis


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What a window of the past holds for a metric.

    Attributes
    ----------
    values
        One number for each unit that was seen in the window, shape (n,).
    weekly_units
        Units seen for the first time in each week of the window.
    """

    values: NDArray[np.float64]
    weekly_units: tuple[int, ...]

    @property
    def daily_units(self) -> float:
        """New units a day."""
        return sum(self.weekly_units) / (7 * len(self.weekly_units)) if self.weekly_units else 0.0


def look_back(
    *, store: Store, path: Path, metric: MetricDraft, unit_type: str, since: datetime, until: datetime
) -> History:
    """Collect a metric's history over all units with any event in the window, of whatever kind."""
    start, end = to_millis(since), to_millis(until)
    with columns.opened(path) as connection:
        columns.refresh(connection, store)
        unbounded = metric.model_copy(update={"window": None})
        statement = _values(unbounded, unit_type, start, end).sql(dialect=DIALECT)
        found = connection.execute(statement).fetchnumpy()
    values = np.asarray(found["value"], dtype=np.float64)
    weeks = max(1, (end - start) // (7 * DAY_MS))
    first = (np.asarray(found["first_at"], dtype=np.int64) - start) // (7 * DAY_MS)
    counts = np.bincount(np.clip(first, 0, weeks - 1), minlength=weeks) if len(first) else np.zeros(weeks)
    return History(values, tuple(int(count) for count in counts))


def _values(metric: MetricDraft, unit_type: str, since: int, until: int) -> exp.Select:
    piece = filled(
        """
        SELECT MIN(occurred_at) AS first_at FROM event
        WHERE occurred_at >= :since AND occurred_at < :until AND NOT :unit IS NULL GROUP BY :unit
        """,
        since=since,
        until=until,
        unit=exp.column(unit_type),
    )
    return piece.select(level(metric, gain(metric, named(metric))).as_("value"), copy=False)
