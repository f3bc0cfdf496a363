"""Every kind of metric counted by hand: plain Python over lists, with nothing of the statement's ways."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np

from analysis import Moments, Observation
from experiments.fields import length_of
from experiments.metrics import MetricDraft
from experiments.observe import Question, layout, text_of
from experiments.observe.counting import read_rows
from experiments.observe.layout import COLUMNS, UNIT
from experiments.observe.readied import answer_all
from experiments.store.instants import from_millis, to_millis
from experiments.store.ledger import Event, Exposure
from tests.experiments.observe.logs import DAY

Values = list[list[float]]


def observe(asked: Question, exposures: Sequence[Exposure], events: Sequence[Event]) -> Observation:
    """Count in tables of our own making."""
    return read_rows(asked, answered(text_of(asked), exposures, events))


def answered(text: str, exposures: Sequence[Exposure], events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """Ask a statement of tables of our own making, with texts as ids."""
    with duckdb.connect() as connection:
        for name, records in (("exposure", exposures), ("event", events)):
            columns = COLUMNS[name]
            described = ", ".join(
                f"{column} {'VARCHAR' if kind == UNIT else kind}" for column, kind in columns.items()
            )
            connection.execute(f"CREATE TABLE {name} ({described})")
            rows = [
                [place if column == "id" else getattr(record, column) for column in columns]
                for place, record in enumerate(records)
            ]
            if rows:
                marks = ", ".join("?" for _ in columns)
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
        return connection.execute(text).fetchall()


def observe_in_memory(asked: Question, exposures: Sequence[Exposure], events: Sequence[Event]) -> Observation:
    """Count as the embedded engine does, in the columnar copy's own tables."""
    (observation,) = observe_together([asked], exposures, events)
    return observation


def observe_together(
    questions: Sequence[Question], exposures: Sequence[Exposure], events: Sequence[Event]
) -> list[Observation]:
    """The same for several questions about one log."""
    with duckdb.connect() as connection:
        connection.execute("SET pandas_analyze_sample = 0")
        layout.create(connection)
        for name, records in (("exposure", exposures), ("event", events)):
            columns = COLUMNS[name]
            rows = [
                [place if column == "id" else getattr(record, column) for column in columns]
                for place, record in enumerate(records)
            ]
            layout.stage(connection, name)
            if rows:
                layout.arrive(connection, name, np.array(rows, dtype=object))
            layout.settle(connection, name)
        answers = answer_all(connection, questions)
        return [read_rows(asked, answer) for asked, answer in zip(questions, answers, strict=True)]


@dataclass
class Hand:
    """A log, read by hand."""

    asked: Question
    exposures: Sequence[Exposure]
    events: Sequence[Event]

    def __post_init__(self) -> None:
        self.kept: dict[str, tuple[str, int]] = {}
        self.left_out: dict[str, str] = {}
        for unit in sorted({self._unit(each) for each in self._ours()} - {None}, key=str):
            self._place(str(unit))

    def _ours(self) -> list[Exposure]:
        return [
            each
            for each in self.exposures
            if each.experiment == self.asked.experiment
            and each.variant in self.asked.variants
            and each.occurred_at <= self.asked.horizon
        ]

    def _unit(self, record: Any) -> Any:
        return getattr(record, self.asked.unit_type)

    def _place(self, unit: str) -> None:
        met = [each for each in self._ours() if self._unit(each) == unit]
        met = [each for each in met if self.asked.since <= each.occurred_at < self.asked.until]
        if not met:
            self.left_out[unit] = "unexposed"
        elif any(each.mark == "override" for each in met):
            self.left_out[unit] = "override"
        elif self._busy(unit):
            self.left_out[unit] = "bot"
        elif len({each.variant for each in met}) > 1:
            self.left_out[unit] = "crossover"
        else:
            self.kept[unit] = (met[0].variant, min(each.occurred_at for each in met))

    def _busy(self, unit: str) -> bool:
        limit = self.asked.bots.events_per_day if self.asked.bots else None
        days = [each.occurred_at // DAY for each in self.of(unit) if each.occurred_at <= self.asked.horizon]
        return limit is not None and any(days.count(day) > limit for day in days)

    def of(self, unit: str) -> list[Event]:
        return [each for each in self.events if self._unit(each) == unit]

    def span(self, metric: MetricDraft) -> int:
        return max(reach(part)[1] or 0 for part in self.parts(metric))

    def parts(self, metric: MetricDraft) -> list[MetricDraft]:
        known = {each.key: each for each in (*self.asked.metrics, *self.asked.others)}
        return [known[key] for key in metric.parts] or [metric]

    def matured(self, metric: MetricDraft) -> list[str]:
        return [
            unit for unit, (_, first) in self.kept.items() if first + self.span(metric) <= self.asked.horizon
        ]

    def hits(
        self, metric: MetricDraft, unit: str, until: float = math.inf, *, before: bool = False
    ) -> list[Event]:
        """The events that a metric takes, the oldest first."""
        _, first = self.kept[unit]
        start, end = reach(metric)
        low, high = first + start, math.inf if end is None else first + end
        if before:
            low, high = first - self.asked.back, first
        return sorted(
            (
                each
                for each in self.of(unit)
                if low <= each.occurred_at < high
                and each.occurred_at <= min(self.asked.horizon, until)
                and (metric.counts_any_event or each.event in metric.events)
                and fits(metric, each)
            ),
            key=lambda each: each.occurred_at,
        )

    def number(
        self, metric: MetricDraft, unit: str, until: float = math.inf, *, before: bool = False
    ) -> float:
        """A unit's number, before capping."""
        hits = self.hits(metric, unit, until, before=before)
        if metric.kind == "retention":
            return float(bool(hits) != (metric.lost and not before))
        if metric.kind in ("proportion", "time_to_event"):
            return float(len(hits) >= metric.at_least)
        return metric.scale * self._aggregated(metric, unit, hits)

    def _aggregated(self, metric: MetricDraft, unit: str, hits: list[Event]) -> float:
        moments = [each.occurred_at for each in hits]
        amounts = [worth(metric, each) for each in hits]
        match metric.aggregation:
            case "sum":
                return math.fsum(each or 0.0 for each in amounts)
            case "count":
                return float(len(hits))
            case "max":
                return max((each for each in amounts if each is not None), default=0.0)
            case "count_distinct":
                return float(len({value_of(metric, each) for each in hits} - {None}))
            case "days":
                return float(len({(each - self.kept[unit][1]) // DAY for each in moments}))
            case "sessions":
                pairs = pairwise(moments)
                return float(bool(hits)) + sum(later - earlier > self.asked.gap for earlier, later in pairs)
            case "last":
                latest = [worth(metric, each) or 0.0 for each in hits if each.occurred_at == moments[-1]]
                return max(latest, default=0.0)
        raise AssertionError(metric.aggregation)

    def cap(self, metric: MetricDraft) -> float:
        if metric.cap is None or not self.kept:
            return math.inf
        return max(
            0.0, float(np.quantile([self.number(metric, unit) for unit in self.kept], metric.cap.quantile))
        )

    def rows(self, metric: MetricDraft, units: Iterable[str], until: float = math.inf) -> Values:
        """Each unit's variables."""
        caps = {part.key: self.cap(part) for part in self.parts(metric)}
        seen = [unit for unit in self.kept if self.seen(unit)]
        known = {each.key: each for each in (*self.asked.metrics, *self.asked.others)}
        keys = self.asked.predecessors(metric)
        middles = {
            key: np.mean([self.number(known[key], unit, before=True) for unit in seen]) if seen else 0.0
            for key in keys
        }
        found = []
        for unit in units:
            if metric.kind == "funnel":
                own = self.steps(metric, unit)
            else:
                own = [min(self.number(part, unit, until), caps[part.key]) for part in self.parts(metric)]
            before = [
                self.number(known[key], unit, before=True) if self.seen(unit) else float(middles[key])
                for key in keys
            ]
            found.append([*own, *before, *([float(self.seen(unit))] if keys else [])])
        return found

    def seen(self, unit: str) -> bool:
        first = self.kept[unit][1]
        return any(
            first - self.asked.back <= each.occurred_at < first and each.occurred_at <= self.asked.horizon
            for each in self.of(unit)
        )

    def steps(self, metric: MetricDraft, unit: str) -> list[float]:
        """Which steps a unit reached in their order."""
        moment, reached = -math.inf, []
        for step in metric.steps:
            later = [
                each.occurred_at
                for each in self.hits(metric, unit)
                if each.event == step and each.occurred_at >= moment
            ]
            moment = min(later, default=math.inf)
            reached.append(float(moment < math.inf))
        return reached

    def values(self, metric: MetricDraft, variant: str) -> list[tuple[str, float]]:
        """The values of a quantile metric, with their units."""
        units = [unit for unit in self.matured(metric) if self.kept[unit][0] == variant]
        if metric.per == "unit":
            return [(unit, self._aggregated(metric, unit, self.hits(metric, unit))) for unit in units]
        return [(unit, worth(metric, each) or 0.0) for unit in units for each in self.hits(metric, unit)]

    def unreadable(self, metric: MetricDraft) -> int:
        """Events in the metric's time that have a text where it needs a number."""
        free = metric.model_copy(update={"where": None, "value": "value", "aggregation": "count"})
        free = free.model_copy(update={"kind": "proportion"}) if metric.kind == "quantile" else free
        return sum(not readable(metric, each) for unit in self.kept for each in self.hits(free, unit))


def reach(metric: MetricDraft) -> tuple[int, int | None]:
    def length(text: str) -> int:
        return length_of(text) // timedelta(milliseconds=1)

    if metric.from_ and metric.to:
        return length(metric.from_), length(metric.to)
    return 0, None if metric.window is None else length(metric.window)


def value_of(metric: MetricDraft, event: Event) -> Any:
    if metric.value == "value":
        return event.value
    found: Any = json.loads(event.properties or "{}")
    for name in metric.value.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return None if found is None else str(found)


def worth(metric: MetricDraft, event: Event) -> float | None:
    found = value_of(metric, event)
    return None if found is None else float(found)


def _is_number(value: Any) -> bool:
    try:
        return abs(float(value)) <= 1e100
    except (TypeError, ValueError):
        return False


def readable(metric: MetricDraft, event: Event) -> bool:
    numeric = metric.kind == "quantile" or (
        metric.kind == "mean" and metric.aggregation in ("sum", "max", "last")
    )
    found = value_of(metric, event)
    if numeric and metric.value != "value" and found is not None and not _is_number(found):
        return False
    size = json.loads(event.properties or "{}").get("size")
    return metric.where is None or "size" not in str(metric.where) or size is None or _is_number(size)


def fits(metric: MetricDraft, event: Event) -> bool:
    """The filters that the tests use: a size above two, a colour."""
    properties = json.loads(event.properties or "{}")
    if not readable(metric, event):
        return False
    needed = metric.kind == "quantile" or (metric.kind == "mean" and metric.aggregation in ("max", "last"))
    if needed and value_of(metric, event) is None:
        return False
    match metric.where:
        case None:
            return True
        case {"attribute": "size"}:
            return _is_number(properties.get("size")) and float(properties["size"]) > 2
        case {"not": {"attribute": "colour"}}:
            return properties.get("colour") not in ("red", "blue")
    raise AssertionError(metric.where)


def agree(seen: Moments | None, rows: Values) -> None:
    """The same moments, as far as two orders of adding allow."""
    if not rows:
        assert seen is None or seen.n == 0
        return
    assert seen is not None
    expected = Moments.from_values(np.array(rows))
    scale = np.maximum(np.abs(rows).max(axis=0), 1.0)
    assert seen.n == expected.n
    np.testing.assert_allclose(seen.mean / scale, expected.mean / scale, rtol=1e-9, atol=1e-9)
    squares = np.outer(scale, scale)
    np.testing.assert_allclose(seen.cross / squares, expected.cross / squares, rtol=1e-7, atol=1e-8)


def end_of(day: date) -> int:
    """The last millisecond of a day."""
    return to_millis(datetime(day.year, day.month, day.day, tzinfo=UTC)) + DAY - 1


def day_of(millis: int) -> date:
    """The day of a moment, in UTC."""
    return from_millis(millis).date()
