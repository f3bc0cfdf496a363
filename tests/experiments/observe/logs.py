"""Small logs, and the same observation by brute force: plain Python over lists, written independently."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from experiments.definition import MetricDraft
from experiments.fields import length_of
from experiments.observe import Question
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure

NOON = to_millis(datetime(2026, 3, 15, 12, tzinfo=UTC))
HOUR = 3_600_000
DAY = 24 * HOUR


def question(metrics: Sequence[dict[str, Any]] | None = None, **changes: Any) -> Question:
    """A question about ``checkout`` with variants ``old`` and ``new``, asked ten days later."""
    drafts = [
        MetricDraft.model_validate(each)
        for each in metrics or [{"key": "buys", "kind": "proportion", "event": "buy"}]
    ]
    asked: dict[str, Any] = {
        "experiment": "checkout",
        "unit_type": "user_id",
        "variants": ["old", "new"],
        "metrics": drafts,
        "since": -(2**62),
        "until": 2**62,
        "horizon": NOON + 10 * DAY,
    }
    return Question(**{**asked, **changes})


_count = iter(range(10**9))


def shown(unit: str | None, variant: str = "new", at: int = 0, **changes: Any) -> Exposure:
    """A unit met a variant, some milliseconds after noon."""
    made = Exposure(f"x{next(_count)}", "checkout", unit, None, variant, NOON + at, NOON)
    return made._replace(**changes)


def did(
    unit: str | None, event: str = "buy", at: int = HOUR, value: float | None = None, **changes: Any
) -> Event:
    """Something happened to a unit, some milliseconds after noon."""
    made = Event(f"e{next(_count)}", unit, None, event, value, NOON + at, NOON)
    return made._replace(**changes)


@dataclass
class Expected:
    """What the brute force found."""

    units: dict[str, int]
    excluded: dict[str, int]
    arrivals: dict[date, dict[str, int]]
    values: dict[str, dict[str, list[float]]]
    immature: dict[str, int]
    daily: dict[str, dict[str, dict[date, list[float]]]]


def brute_force(asked: Question, exposures: Sequence[Exposure], events: Sequence[Event]) -> Expected:
    """Count by hand."""
    seen: dict[str, list[Exposure]] = defaultdict(list)
    for each in exposures:
        unit = getattr(each, asked.unit_type)
        in_phase = asked.since <= each.occurred_at < asked.until and each.occurred_at <= asked.horizon
        if (
            each.experiment == asked.experiment
            and unit is not None
            and each.variant in asked.variants
            and in_phase
        ):
            seen[unit].append(each)
    by_hand = {unit for unit, met in seen.items() if any(each.mark == "override" for each in met)}
    crossed = {unit for unit, met in seen.items() if len({each.variant for each in met}) > 1} - by_hand
    kept = {
        unit: (met[0].variant, min(each.occurred_at for each in met))
        for unit, met in seen.items()
        if unit not in by_hand | crossed
    }
    arrivals: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for variant, first in kept.values():
        arrivals[_date(first)][variant] += 1

    values: dict[str, dict[str, list[float]]] = {}
    daily: dict[str, dict[str, dict[date, list[float]]]] = {}
    immature = {}
    for metric in asked.metrics:
        window = None if metric.window is None else length_of(metric.window) // timedelta(milliseconds=1)

        def level(
            unit: str, first: int, until: float, metric: MetricDraft = metric, window: int | None = window
        ) -> float:
            total = 0.0
            for each in events:
                counts = getattr(each, asked.unit_type) == unit and each.event == metric.event
                if counts and first <= each.occurred_at <= min(asked.horizon, until):
                    if window is None or each.occurred_at < first + window:
                        total += (each.value or 0.0) if _sums(metric) else 1.0
            return min(total, 1.0) if metric.kind == "proportion" else total

        def capped(value: float, cap: float) -> float:
            return min(value, cap)

        everybody = [level(unit, first, math.inf) for unit, (_, first) in kept.items()]
        cap = float(np.quantile(everybody, metric.cap.quantile)) if metric.cap and everybody else math.inf
        values[metric.key] = {name: [] for name in asked.variants}
        for unit, (variant, first) in kept.items():
            if window is None or first <= asked.horizon - window:
                values[metric.key][variant].append(capped(level(unit, first, math.inf), cap))
        immature[metric.key] = len(kept) - sum(map(len, values[metric.key].values()))
        daily[metric.key] = {name: {} for name in asked.variants}
        days = sorted({_date(NOON + n * DAY) for n in range(-12, 13)})
        for name in asked.variants:
            for day in days:
                end = _millis(day + timedelta(days=1)) - 1
                reached = []
                for unit, (variant, first) in kept.items():
                    counts_from = first if window is None else first + window
                    there = first <= asked.horizon - (window or 0)
                    if variant == name and there and counts_from <= end:
                        until = end if window is None else math.inf
                        reached.append(capped(level(unit, first, until), cap))
                if reached:
                    daily[metric.key][name][day] = reached
    return Expected(
        units={name: sum(variant == name for variant, _ in kept.values()) for name in asked.variants},
        excluded={"crossover": len(crossed), "override": len(by_hand)},
        arrivals={day: dict(counts) for day, counts in arrivals.items()},
        values=values,
        immature=immature,
        daily=daily,
    )


def _sums(metric: MetricDraft) -> bool:
    return metric.kind == "mean" and metric.aggregation == "sum"


def _date(millis: int) -> date:
    return datetime.fromtimestamp(millis / 1_000, tz=UTC).date()


def _millis(day: date) -> int:
    return to_millis(datetime(day.year, day.month, day.day, tzinfo=UTC))
