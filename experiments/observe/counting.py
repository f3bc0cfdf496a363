"""Counting: run the statement and read its rows into an observation."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import Any

import numpy as np

from analysis import Day, Moments, Observation, Shape
from experiments.observe.engines import Engine
from experiments.observe.statement import DAY_MS, Question, compose
from experiments.store.instants import from_millis

Row = tuple[str, str, str, int | None, int, float, float]


@dataclass
class _Steps:
    """What one metric gained in one variant, by day: units, units with a level of their own, sum, squares.

    The squares are around the fixed centre, over the units that have a level; the others are at zero. To
    take them as squares of the centre here, not one by one in the sums, keeps the digits of a variance when
    the values are large.
    """

    by_day: dict[int, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0] * 4))

    def add(self, day: int, n: float, levels: float, total: float, squares: float) -> None:
        step = self.by_day[day]
        for place, gain in enumerate((n, levels, total, squares)):
            step[place] += gain


def count(
    *,
    engine: Engine,
    question: Question,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Observation:
    """Ask the engine, and read its answer.

    Parameters
    ----------
    progress
        Is told the share of new ledger rows that have been copied, where the engine keeps a copy.
    """
    rows = engine.fetch(compose(question), progress)
    return read_rows(question, rows)


def read_rows(question: Question, rows: Iterable[tuple[Any, ...]]) -> Observation:
    """Turn the statement's rows into an observation."""
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        parts[row[0]].append(row)
    arrivals: dict[int, dict[str, int]] = defaultdict(dict)
    for _, _, variant, day, n, _, _ in parts["arrival"]:
        arrivals[day or 0][variant] = n
    through = [row[3] for row in parts["through"] if row[3] is not None]
    excluded = {"crossover": 0, "override": 0} | {row[1]: row[4] for row in parts["excluded"]}
    return Observation(
        as_of=from_millis(question.horizon),
        data_through=from_millis(max(through)) if through else None,
        units={name: sum(day.get(name, 0) for day in arrivals.values()) for name in question.variants},
        arrivals={_date(day): dict(counts) for day, counts in sorted(arrivals.items())},
        excluded=excluded,
        moments=_totals(question, parts["total"]),
        immature={metric.key: 0 for metric in question.metrics}
        | {row[1]: row[4] for row in parts["immature"]},
        daily=_daily(question, parts, arrivals),
        shapes={row[1]: Shape(row[4], row[5], row[6]) for row in parts["shape"] if row[4]},
    )


def _totals(question: Question, rows: Iterable[Row]) -> dict[str, dict[str, Moments]]:
    moments: dict[str, dict[str, Moments]] = {metric.key: {} for metric in question.metrics}
    for _, metric, variant, _, n, mean, variance in rows:
        moments[metric][variant] = Moments.from_summary(n=n, mean=mean, var=variance)
    return moments


def _daily(
    question: Question, parts: Mapping[str, list[Row]], arrivals: Mapping[int, Mapping[str, int]]
) -> dict[str, dict[str, tuple[Day, ...]]]:
    centres = {row[1]: row[5] for row in parts["centre"]}
    steps: dict[tuple[str, str], _Steps] = defaultdict(_Steps)
    matured = {draft.key for draft in question.metrics if draft.window is not None}
    for _, metric, variant, when, levels, total, squares in parts["step"]:
        # A unit counts from its arrival, or, where the metric has a window, from the window's end.
        steps[metric, variant].add(when or 0, levels if metric in matured else 0, levels, total, squares)
    for draft in question.metrics:
        if draft.window is None:
            for day, counts in arrivals.items():
                for variant, n in counts.items():
                    steps[draft.key, variant].add(day, n, 0, 0.0, 0.0)
    last = question.horizon // DAY_MS
    daily: dict[str, dict[str, tuple[Day, ...]]] = {draft.key: {} for draft in question.metrics}
    days = _days({day for each in steps.values() for day in each.by_day if day <= last})
    for (metric_key, variant), each in steps.items():
        daily[metric_key][variant] = tuple(_accumulated(each, days, centres[metric_key]))
    return daily


def _days(seen: set[int]) -> list[int]:
    """Every day from the first to the last, the quiet ones included, as long as that stays a picture."""
    if not seen:
        return []
    span = range(min(seen), max(seen) + 1)
    return list(span) if len(span) <= 400 else sorted(seen)


def _accumulated(steps: _Steps, days: list[int], centre: float) -> Iterable[Day]:
    """Moments of everything up to each day, from sums around a fixed centre."""
    gains = (np.array(steps.by_day.get(day, [0.0] * 4)) for day in days)
    for day, (n, levels, total, squares) in zip(days, accumulate(gains, np.add), strict=True):
        if n:
            mean = total / n
            cross = max(0.0, squares + (n - levels) * centre**2 - n * (mean - centre) ** 2)
            yield Day(_date(day), Moments(int(n), np.array([mean]), np.array([[cross]])))


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * DAY_MS / 1_000, tz=UTC).date()
