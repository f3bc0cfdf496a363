"""History: what a window of the past holds, as if every unit in it had been in an experiment.

A unit counts from the first thing that it did in the window, and its numbers are those that an experiment
would have measured: the same statement counts both. A metric with a window after the exposure looks further
back by as much, so that every unit is old enough.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analysis import Observation
from experiments.errors import InvalidInput
from experiments.metrics import MetricDraft
from experiments.observe.counting import count_all
from experiments.observe.engines import Engine
from experiments.observe.question import DAY_MS, Question, span_of
from experiments.observe.statement import values_statement_of
from experiments.store.instants import from_millis, to_millis

SINGLE = frozenset({"proportion", "mean", "retention", "time_to_event"})
"""The kinds that give each unit one number."""

WEEK_MS = 7 * DAY_MS

EVERYBODY = "all"
"""The one variant of a past."""


def daily_units(weekly_units: Sequence[int]) -> float:
    """New units a day over some weeks."""
    return sum(weekly_units) / (7 * len(weekly_units)) if weekly_units else 0.0


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
        return daily_units(self.weekly_units)


@dataclass(frozen=True, slots=True)
class Glance:
    """What was counted of a past, and the units that were first seen in each of its weeks."""

    observation: Observation
    weekly_units: tuple[int, ...]

    @property
    def daily_units(self) -> float:
        """New units a day."""
        return daily_units(self.weekly_units)


def past_question(
    metrics: Sequence[MetricDraft],
    *,
    known: Mapping[str, MetricDraft],
    unit_type: str,
    now: datetime,
    days: int,
) -> Question:
    """The question about so many days of the past, asked of metrics of one span.

    Parameters
    ----------
    known
        All definitions by key: ratios are made of some of them.
    """
    others = [known[key] for metric in metrics for key in metric.parts]
    horizon = to_millis(now)
    until = horizon - _span(metrics[0], known)
    return Question(
        experiment="",
        unit_type=unit_type,
        variants=[EVERYBODY],
        metrics=metrics,
        others=list({each.key: each for each in others}.values()),
        since=until - days * DAY_MS,
        until=until,
        horizon=horizon,
        past=True,
    )


def look_back(*, engine: Engine, metric: MetricDraft, unit_type: str, now: datetime, days: int) -> History:
    """Collect a metric's number of every unit.

    Raises
    ------
    InvalidInput
        If the metric gives units no single number.
    """
    if metric.kind not in SINGLE:
        raise InvalidInput.at(metric.key, f"is a {metric.kind}, which gives units no number of their own")
    question = past_question([metric], known={}, unit_type=unit_type, now=now, days=days)
    (rows,) = engine.fetch_all([values_statement_of(question)])
    first, values = np.array(rows, dtype=np.float64).reshape(-1, 2).T
    weeks = max(1, days // 7)
    places = np.clip((first - question.since) // WEEK_MS, 0, weeks - 1).astype(np.int64)
    return History(values, tuple(int(count) for count in np.bincount(places, minlength=weeks)))


def count_pasts(
    *,
    engine: Engine,
    metrics: Sequence[MetricDraft],
    known: Mapping[str, MetricDraft],
    unit_type: str,
    now: datetime,
    days: int,
) -> dict[str, Glance]:
    """Count the past of several metrics, those of one span together; by the metric's key."""
    together: dict[int, list[MetricDraft]] = defaultdict(list)
    for metric in metrics:
        together[_span(metric, known)].append(metric)
    questions = [
        past_question(each, known=known, unit_type=unit_type, now=now, days=days)
        for each in together.values()
    ]
    observed = count_all(engine=engine, questions=questions)
    glances = [
        Glance(observation, _weekly(question, observation, days))
        for question, observation in zip(questions, observed, strict=True)
    ]
    return {
        metric.key: glance
        for question, glance in zip(questions, glances, strict=True)
        for metric in question.metrics
    }


def _span(metric: MetricDraft, known: Mapping[str, MetricDraft]) -> int:
    return span_of([known[key] for key in metric.parts] or [metric])


def _weekly(question: Question, observation: Observation, days: int) -> tuple[int, ...]:
    counts = [0] * max(1, days // 7)
    for day, arrived in observation.arrivals.items():
        since = (day - from_millis(question.since).date()).days
        counts[min(since // 7, len(counts) - 1)] += sum(arrived.values())
    return tuple(counts)
