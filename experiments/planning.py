"""Planning: what a metric's past says about an experiment that has not begun."""

import math
from datetime import datetime, timedelta
from pathlib import Path

from analysis import Moments
from experiments.catalog import find_metrics
from experiments.errors import InvalidInput
from experiments.observe.history import History, look_back
from experiments.store import Store

MOST_DAYS = 366


def history_of(
    *, store: Store, columns: Path, key: str, now: datetime, days: int = 28, unit_type: str = "user_id"
) -> History:
    """Collect a metric's past.

    Parameters
    ----------
    columns
        Where the columnar copy of the ledger lies.
    days
        How far to look back; whole weeks are the fairest.

    Raises
    ------
    NotFound
        If there is no such metric.
    InvalidInput
        If nothing happened in that time.
    """
    if not 7 <= days <= MOST_DAYS:
        raise InvalidInput.at("days", f"expected 7 to {MOST_DAYS}")
    with store.read() as session:
        metric = find_metrics(session=session, keys=[key])[key].definition
    since = now - timedelta(days=days)
    found = look_back(store=store, path=columns, metric=metric, unit_type=unit_type, since=since, until=now)
    if not len(found.values):
        raise InvalidInput.at(key, f"no unit was seen in the last {days} days")
    return found


def expected_z(history: History, *, lift: float, size: int) -> float:
    """The z that a true lift reaches at the planned end, with two equal arms of such units."""
    moments = Moments.from_values(history.values)
    error = 2 * math.sqrt(moments.variance / size)
    if error == 0:
        raise InvalidInput.at("metric", "every unit has the same value; there is nothing to plan with")
    return abs(moments.value) * lift / error
