"""Small logs, and the same observation by brute force: plain Python over lists, written independently."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from experiments.fields import length_of
from experiments.metrics import MetricDraft
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
    seen = _seen(asked, exposures)
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
    counters = {metric.key: _Counter(asked, metric, kept, events) for metric in asked.metrics}
    return Expected(
        units={name: sum(variant == name for variant, _ in kept.values()) for name in asked.variants},
        excluded={"crossover": len(crossed), "override": len(by_hand)},
        arrivals={day: dict(counts) for day, counts in arrivals.items()},
        values={key: counter.values() for key, counter in counters.items()},
        immature={key: sum(not counter.matured(unit) for unit in kept) for key, counter in counters.items()},
        daily={key: counter.daily() for key, counter in counters.items()},
    )


def _seen(asked: Question, exposures: Sequence[Exposure]) -> dict[str, list[Exposure]]:
    seen: dict[str, list[Exposure]] = defaultdict(list)
    for each in exposures:
        unit = getattr(each, asked.unit_type)
        in_phase = asked.since <= each.occurred_at < asked.until and each.occurred_at <= asked.horizon
        ours = each.experiment == asked.experiment and each.variant in asked.variants
        if ours and unit is not None and in_phase:
            seen[unit].append(each)
    return seen


@dataclass
class _Counter:
    """One metric, counted by hand."""

    asked: Question
    metric: MetricDraft
    kept: dict[str, tuple[str, int]]
    events: Sequence[Event]

    def __post_init__(self) -> None:
        window = self.metric.window
        self.window = None if window is None else length_of(window) // timedelta(milliseconds=1)
        everybody = [self.level(unit) for unit in self.kept]
        cap = self.metric.cap
        self.cap = max(0.0, float(np.quantile(everybody, cap.quantile))) if cap and everybody else math.inf

    def level(self, unit: str, until: float = math.inf) -> float:
        """What a unit has reached at a moment, before capping."""
        _, first = self.kept[unit]
        end = min(self.asked.horizon, until, math.inf if self.window is None else first + self.window - 1)
        gains = [
            (each.value or 0.0) if _sums(self.metric) else 1.0
            for each in self.events
            if getattr(each, self.asked.unit_type) == unit
            and each.event == self.metric.event
            and first <= each.occurred_at <= end
        ]
        return min(sum(gains), 1.0) if self.metric.kind == "proportion" else sum(gains)

    def matured(self, unit: str) -> bool:
        return self.kept[unit][1] <= self.asked.horizon - (self.window or 0)

    def values(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {name: [] for name in self.asked.variants}
        for unit, (variant, _) in self.kept.items():
            if self.matured(unit):
                found[variant].append(min(self.level(unit), self.cap))
        return found

    def daily(self) -> dict[str, dict[date, list[float]]]:
        found: dict[str, dict[date, list[float]]] = {name: {} for name in self.asked.variants}
        for number in range(-12, 13):
            day = _date(NOON + number * DAY)
            end = _millis(day + timedelta(days=1)) - 1
            for unit, (variant, first) in self.kept.items():
                if self.matured(unit) and first + (self.window or 0) <= end:
                    until = end if self.window is None else math.inf
                    found[variant].setdefault(day, []).append(min(self.level(unit, until), self.cap))
        return found


def _sums(metric: MetricDraft) -> bool:
    return metric.kind == "mean" and metric.aggregation == "sum"


def _date(millis: int) -> date:
    return datetime.fromtimestamp(millis / 1_000, tz=UTC).date()


def _millis(day: date) -> int:
    return to_millis(datetime(day.year, day.month, day.day, tzinfo=UTC))
