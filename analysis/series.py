"""Series: each comparison, and the split, day by day."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from analysis.comparison import Comparison
from analysis.errors import NotEstimable
from analysis.estimate import Estimate
from analysis.explanations import Level, Point, Series, SplitPoint
from analysis.kinds import plain_pair
from analysis.moments import Moments
from analysis.observation import Observation
from analysis.plan import Plan, PlannedMetric
from analysis.questions import Question, ask
from analysis.sample_ratio import expected_range


def series_of(observation: Observation, plan: Plan, questions: Sequence[Question]) -> Iterable[Series]:
    """Ask each question again at the end of every day, at the confidence that its finding has."""
    for question in questions:
        arms = observation.daily.get(question.metric.key, {})
        control = {each.day: each.moments for each in arms.get(plan.control, ())}
        points = []
        for each in arms.get(question.treatment, ()):
            pair = (each.moments, control.get(each.day, Moments.empty(each.moments.k)))
            then = ask(question.metric, question.treatment, pair, question.inference)
            points.append(_point(each.day, sum(then.sizes), then.answer()))
        if points:
            yield Series(question.metric.key, question.treatment, tuple(points))


def _point(day: date, units: int, answer: Comparison | NotEstimable) -> Point:
    lift = answer.lift if isinstance(answer, Comparison) else None
    if lift is None:
        return Point(day, units, None, None, None)
    if not lift.bounded:
        return Point(day, units, lift.estimate, None, None)
    return Point(day, units, lift.estimate, lift.low, lift.high)


def levels_of(observation: Observation, plan: Plan, metric: str) -> Mapping[str, tuple[Level, ...]]:
    """The metric itself in every variant at the end of every day, as counted.

    Parameters
    ----------
    metric
        The key of a planned metric; one that is not followed day by day has no levels.
    """
    planned = next(each for each in plan.metrics if each.key == metric)
    arms = observation.daily.get(metric, {})
    return {
        name: tuple(Level(each.day, each.moments.n, _level(planned, each.moments)) for each in arms[name])
        for name in plan.weights
        if name in arms
    }


def _level(metric: PlannedMetric, moments: Moments) -> float | None:
    estimate = plain_pair(metric, moments, moments).treatment
    return estimate.value if isinstance(estimate, Estimate) else None


def split_of(plan: Plan, observation: Observation) -> Iterable[SplitPoint]:
    """Each day's arrivals, and each variant's share of all arrivals up to its end."""
    whole = math.fsum(plan.weights.values())
    reached = dict.fromkeys(plan.weights, 0)
    for day, arrived in sorted(observation.arrivals.items()):
        for name in reached:
            reached[name] += arrived.get(name, 0)
        total = sum(reached.values())
        bounds = {name: expected_range(total, weight / whole) for name, weight in plan.weights.items()}
        yield SplitPoint(
            day=day,
            arrived={name: arrived.get(name, 0) for name in reached},
            share={name: count / total if total else 0.0 for name, count in reached.items()},
            low={name: low for name, (low, _) in bounds.items()},
            high={name: high for name, (_, high) in bounds.items()},
        )
