"""Pasts: what the last four weeks say about each metric, kept so that no page has to count.

The worker looks back once in a while, or when a metric was changed; forms, metric pages and the calculator
read what it found. What could not be counted says why.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from analysis import Moments
from experiments.catalog import Metric, list_metrics
from experiments.errors import EvenhandError, InvalidInput
from experiments.observe.trends import DayTotal, daily_totals
from experiments.planning import history_of
from experiments.store import Store
from experiments.store.tables import PastRow

DAYS = 28
"""Four whole weeks: every weekday counts alike."""

LIFETIME = timedelta(hours=6)
"""Until a past is counted again."""

UNIT_TYPES = ("user_id", "anonymous_id")


@dataclass(frozen=True, slots=True)
class Past:
    """A metric's last four weeks.

    Attributes
    ----------
    version
        Of the metric that was counted.
    units, mean, variance
        Over all units that were seen, one number for each; None where they could not be counted.
    weekly_units
        Units seen for the first time in each week.
    daily
        What happened on each day.
    missing
        Why there is nothing, in a few words; empty where there is something.
    """

    metric: str
    unit_type: str
    version: int
    as_of: datetime
    units: int = 0
    mean: float | None = None
    variance: float | None = None
    weekly_units: tuple[int, ...] = ()
    daily: tuple[DayTotal, ...] = ()
    missing: str = ""

    @property
    def daily_units(self) -> float:
        """New units a day."""
        return sum(self.weekly_units) / (7 * len(self.weekly_units)) if self.weekly_units else 0.0


def find_pasts(*, session: Session, unit_type: str = "user_id") -> dict[str, Past]:
    """What is known of every metric's past, by key."""
    rows = session.exec(select(PastRow).where(PastRow.unit_type == unit_type))
    return {row.metric: _restored(row) for row in rows}


def refresh_pasts(
    *,
    store: Store,
    columns: Path,
    now: datetime,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> int:
    """Look back again for metrics whose past is old, unknown, or of another version.

    Returns
    -------
    int
        How many pasts were counted.
    """
    with store.read() as session:
        stale = [
            (metric, unit_type)
            for unit_type in UNIT_TYPES
            for metric in _stale(
                list_metrics(session=session), find_pasts(session=session, unit_type=unit_type), now
            )
        ]
    for done, (metric, unit_type) in enumerate(stale, start=1):
        past = _look_back(store, columns, metric, unit_type, now)
        with store.write() as session:
            keep_past(session=session, past=past)
        progress(done / len(stale))
    return len(stale)


def _stale(metrics: Sequence[Metric], known: dict[str, Past], now: datetime) -> list[Metric]:
    return [
        metric
        for metric in metrics
        if (past := known.get(metric.key)) is None
        or past.version != metric.version
        or now - past.as_of >= LIFETIME
    ]


def _look_back(store: Store, columns: Path, metric: Metric, unit_type: str, now: datetime) -> Past:
    empty = Past(metric.key, unit_type, metric.version, now)
    try:
        found = history_of(
            store=store, columns=columns, key=metric.key, now=now, days=DAYS, unit_type=unit_type
        )
        daily = daily_totals(
            store=store,
            path=columns,
            metric=metric.definition,
            unit_type=unit_type,
            since=now - timedelta(days=DAYS),
            until=now,
        )
        moments = Moments.from_values(found.values)
    except (EvenhandError, ValueError) as problem:
        reason = problem.problems[0].message if isinstance(problem, InvalidInput) else str(problem)
        return replace(empty, missing=reason)
    return replace(
        empty,
        units=moments.n,
        mean=moments.value,
        variance=moments.variance,
        weekly_units=found.weekly_units,
        daily=daily,
    )


def keep_past(*, session: Session, past: Past) -> None:
    """Keep what was found, in the place of what was known before."""
    query = select(PastRow).where(PastRow.metric == past.metric, PastRow.unit_type == past.unit_type)
    row = session.exec(query).first() or PastRow(metric=past.metric, unit_type=past.unit_type, version=0)
    row.version, row.as_of, row.document = past.version, past.as_of, json.dumps(_document(past))
    session.add(row)
    session.flush()


def _document(past: Past) -> dict[str, Any]:
    document = asdict(past)
    for name in ("metric", "unit_type", "version", "as_of"):
        del document[name]
    document["daily"] = [[each.day.isoformat(), each.units, each.events, each.total] for each in past.daily]
    return document


def _restored(row: PastRow) -> Past:
    document = json.loads(row.document)
    daily = tuple(DayTotal(date.fromisoformat(day), *counts) for day, *counts in document.pop("daily"))
    weekly = tuple(document.pop("weekly_units"))
    return Past(
        row.metric, row.unit_type, row.version, row.as_of, **document, daily=daily, weekly_units=weekly
    )
