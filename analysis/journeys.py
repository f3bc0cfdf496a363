"""Journeys: what units do after their exposure, step by step and day by day.

Funnels, returns, curves of what lasts and effects by days since exposure explain a result. Later steps
condition on behaviour that the treatment changes, so none of them is a comparison of its own.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np

from analysis.comparison import Comparison, compare
from analysis.effects import difference
from analysis.errors import NotEstimable
from analysis.estimate import Estimate, mean, proportion
from analysis.explanations import AgePoint, AgeSeries, CohortDay, Funnel, Lasting, Return, Step
from analysis.inference import Inference
from analysis.interval import Interval
from analysis.kinds import plain_pair
from analysis.moments import Moments
from analysis.novelty import effect_drift
from analysis.observation import Age, Lifetable, Observation
from analysis.plan import Plan, PlannedMetric
from analysis.survival import Curve, curve_of

NOVELTY_LEVEL = 0.01
"""Below this p-value an effect is said to fade or grow: one false claim in a hundred comparisons."""

ROUNDING = 1e-6
"""Of the largest standard error among days: below that a day has no variance but that of rounding."""

CURVE_POINTS = 100
"""A curve is told at no more times than a picture can show."""


def funnels_of(plan: Plan, observation: Observation) -> tuple[Funnel, ...]:
    """Every step of every funnel as a share of all exposed units."""
    told = []
    for metric in plan.metrics:
        arms = observation.moments.get(metric.key, {})
        if metric.kind != "funnel" or not any(arm.n for arm in arms.values()):
            continue
        arms = {name: arms[name] for name in plan.weights if name in arms and arms[name].n}
        steps = tuple(
            _step(plan, name, {variant: arm.take([place]) for variant, arm in arms.items()})
            for place, name in enumerate(metric.steps)
            if all(place < arm.k for arm in arms.values())
        )
        told.append(Funnel(metric.key, {name: arm.n for name, arm in arms.items()}, steps))
    return tuple(told)


def _step(plan: Plan, name: str, arms: Mapping[str, Moments]) -> Step:
    return Step(
        name,
        {variant: round(arm.n * arm.value) for variant, arm in arms.items()},
        {variant: arm.value for variant, arm in arms.items()},
        _differences(plan, arms),
    )


def returns_of(plan: Plan, observation: Observation) -> tuple[Return, ...]:
    """Who was active on each day after the exposure, of those who are old enough.

    Activity is that of the unit and not of a metric, so the first metric that was followed tells it. The days
    after the last on which anybody was active are left out.
    """
    arms = next(iter(observation.ages.values()), {})
    last = max((age.day for ages in arms.values() for age in ages if age.active), default=0)
    days = sorted({age.day for ages in arms.values() for age in ages if 0 < age.day <= last})
    by_day = {name: {age.day: age for age in ages} for name, ages in arms.items() if name in plan.weights}
    told = []
    for day in days:
        alive = {name: ages[day] for name, ages in by_day.items() if day in ages and ages[day].moments.n}
        active = {
            name: Moments.from_counts(successes=min(age.active, age.moments.n), n=age.moments.n)
            for name, age in alive.items()
        }
        told.append(
            Return(
                day,
                {name: arm.n for name, arm in active.items()},
                {name: arm.value for name, arm in active.items()},
                _differences(plan, active),
            )
        )
    return tuple(told)


def cohorts_of(plan: Plan, observation: Observation) -> tuple[CohortDay, ...]:
    """Who came back on each day of life by the week of the exposure, and how treatments differ in that."""
    found: dict[tuple[date, int], dict[str, Moments]] = {}
    for each in observation.cohorts:
        if each.variant in plan.weights and each.old_enough:
            came = Moments.from_counts(successes=min(each.active, each.old_enough), n=each.old_enough)
            found.setdefault((each.week, each.day), {})[each.variant] = came
    return tuple(
        CohortDay(
            week,
            day,
            {name: arm.n for name, arm in arms.items()},
            {name: arm.value for name, arm in arms.items()},
            _differences(plan, arms),
        )
        for (week, day), arms in sorted(found.items())
    )


def _differences(plan: Plan, shares: Mapping[str, Moments]) -> dict[str, Interval]:
    """How treatments differ from the control in a share, where that can be estimated."""
    found = {}
    for name in plan.treatments:
        if name in shares and plan.control in shares:
            pair = (proportion(shares[name]), proportion(shares[plan.control]))
            answer = compare(*pair, plan.inference_for(name))
            if isinstance(answer, Comparison):
                found[name] = answer.difference
    return found


def ages_of(plan: Plan, observation: Observation) -> tuple[AgeSeries, ...]:
    """The effect on each day since the exposure, and whether it fades or grows."""
    told = []
    for metric in plan.metrics:
        arms = observation.ages.get(metric.key, {})
        control = {age.day: age for age in arms.get(plan.control, ())}
        for name in plan.treatments:
            pairs = [(age, control[age.day]) for age in arms.get(name, ()) if age.day in control]
            if pairs:
                told.append(_age_series(metric, name, pairs, plan.inference_for(name)))
    return tuple(told)


def _age_series(
    metric: PlannedMetric, variant: str, pairs: list[tuple[Age, Age]], inference: Inference
) -> AgeSeries:
    effects, points = [], []
    most = max(new.moments.n + old.moments.n for new, old in pairs)
    for (new, old), effect in zip(pairs, _effects(metric, pairs), strict=True):
        n = new.moments.n + old.moments.n
        points.append(_age_point(new.day, n, effect, inference))
        # A day that few have lived to is told of, but it is another population's.
        if effect is not None and 2 * n >= most:
            effects.append(effect)
    # After a metric's window nothing can be gained any more, and those days say nothing.
    while points and points[-1].estimate is None:
        points.pop()
    drift = effect_drift(effects)
    if isinstance(drift, NotEstimable):
        return AgeSeries(metric.key, variant, tuple(points))
    p_value = drift.slope.p_value
    change = drift.late_minus_early.interval
    return AgeSeries(metric.key, variant, tuple(points), p_value, change, p_value < NOVELTY_LEVEL)


def _effects(metric: PlannedMetric, pairs: list[tuple[Age, Age]]) -> list[Estimate | None]:
    """The difference on each day; none where nobody gained anything and all variance is that of rounding."""
    found = [_effect(metric, new.moments, old.moments) for new, old in pairs]
    errors = [each.standard_error for each in found if each is not None]
    least = ROUNDING * max(errors, default=0.0)
    return [None if each is None or each.standard_error <= least else each for each in found]


def _effect(metric: PlannedMetric, treatment: Moments, control: Moments) -> Estimate | None:
    """The difference in what units gained on one day of their lives."""
    if metric.kind == "ratio":
        pair = plain_pair(metric, treatment, control)
        new, old = pair.treatment, pair.control
    else:
        new, old = mean(treatment), mean(control)
    if isinstance(new, NotEstimable) or isinstance(old, NotEstimable):
        return None
    effect = difference(new, old)
    return None if isinstance(effect, NotEstimable) else effect


def _age_point(day: int, n: int, effect: Estimate | None, inference: Inference) -> AgePoint:
    if effect is None:
        return AgePoint(day, n, None, None, None)
    reach = inference.multiplier(df=effect.df, n=effect.n) * effect.standard_error
    if not math.isfinite(reach):
        return AgePoint(day, n, effect.value, None, None)
    return AgePoint(day, n, effect.value, effect.value - reach, effect.value + reach)


def lasting_of(plan: Plan, observation: Observation) -> tuple[Lasting, ...]:
    """Kaplan and Meier's curve of every variant, for metrics that time an event."""
    told = []
    for metric in plan.metrics:
        tables = observation.lifetables.get(metric.key, {})
        for name in plan.weights:
            table = tables.get(name)
            curve = None if table is None else curve_of(table)
            if table is not None and isinstance(curve, Curve):
                told.append(_lasting(plan, metric, name, table, curve))
    return tuple(told)


def _lasting(plan: Plan, metric: PlannedMetric, variant: str, table: Lifetable, curve: Curve) -> Lasting:
    times = _shown(curve, table.times[-1] if metric.horizon is None else float(metric.horizon))
    points = [curve.at(time, plan.confidence)[1] for time in times]
    return Lasting(
        metric.key,
        variant,
        tuple(round(time) for time in times),
        tuple(point.estimate for point in points),
        tuple(point.low for point in points),
        tuple(point.high for point in points),
    )


def _shown(curve: Curve, end: float) -> Iterable[float]:
    """The event times within the horizon, or as many even times as a picture shows."""
    inside = curve.times[curve.times <= end]
    if len(inside) < CURVE_POINTS:
        return [0.0, *inside.tolist()]
    reach = min(end, curve.end)
    return [float(each) for each in np.round(np.linspace(0.0, reach, CURVE_POINTS + 1))]
