"""Doubts: which flags a comparison raises, from everything that is known about it."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from analysis.comparison import Comparison
from analysis.estimate import Estimate
from analysis.flags import (
    Flag,
    covariate_differs,
    denominator_moved,
    dominant_unit,
    few_events,
    identical_arms,
    peeked,
    skewed_allocation,
    sudden_jump,
    too_good,
)
from analysis.kinds import SHARES, covariate_places, outcome_of
from analysis.moments import Moments
from analysis.observation import Day
from analysis.plan import Plan
from analysis.questions import Question

Days = tuple[Sequence[Day], Sequence[Day]]
"""The cumulative days of the treatment and of the control."""

SETTLED = 100
"""Units an arm needs before a jump from one day to the next is looked for."""


MOST_LOOKS = 100
"""More looks than these raise the error rate hardly further, and are slow to compute."""


def doubts_of(
    question: Question, answer: Comparison, *, plan: Plan, days: Days, as_of: datetime
) -> Iterable[Flag]:
    """Say what a careful reader should know beside a number."""
    raised = (
        *rough_doubts(question),
        too_good(answer),
        identical_arms(answer),
        *_broken(question),
        _early(answer, plan, as_of),
        sudden_jump(daily_changes(question, days)),
    )
    return (flag for flag in raised if flag is not None)


def daily_changes(question: Question, days: Days) -> list[Estimate]:
    """How far each day moved the cumulative difference, with how far chance moves it in a day.

    Between two days the variance of the difference changes by what new units and values bring; that is the
    variance of the step when these are independent of what came before. An even day's share is its least.
    """
    earlier = {each.day: each.moments for each in days[1]}
    known = [
        (new, earlier[each.day])
        for each in days[0]
        if each.day in earlier and min((new := each.moments).n, earlier[each.day].n) >= SETTLED
    ]
    place = outcome_of(question.metric)
    values = [float(new.mean[place] - old.mean[place]) for new, old in known if new.k > place < old.k]
    spreads = [_variance(new, place) + _variance(old, place) for new, old in known if new.k > place < old.k]
    changes = []
    for number in range(1, len(values)):
        step = max(abs(spreads[number] - spreads[number - 1]), spreads[number] / (number + 1))
        moved = values[number] - values[number - 1]
        if math.isfinite(moved) and math.isfinite(step):
            changes.append(Estimate(moved, math.sqrt(step), known[number][0].n, math.inf, "day"))
    return changes


def _variance(arm: Moments, place: int) -> float:
    return float(arm.covariance[place, place]) / arm.n


def rough_doubts(question: Question) -> Iterable[Flag]:
    """Why a normal approximation may be rough: few events of a share, a heavy tail of anything else."""
    if question.metric.kind in SHARES:
        raised = [None if question.counts() is None else few_events(_shares(question))]
    elif question.shape is None:
        raised = []
    else:
        sizes = dict(zip(("treatment", "control"), question.sizes, strict=True))
        raised = [
            skewed_allocation(question.shape.skewness, sizes=sizes),
            dominant_unit(question.shape.largest_share),
        ]
    return [flag for flag in raised if flag is not None]


def _shares(question: Question) -> dict[str, Moments]:
    arms, place = question.moments or (), outcome_of(question.metric)
    return {name: arm.take([place]) for name, arm in zip(("treatment", "control"), arms, strict=True)}


def _broken(question: Question) -> Iterable[Flag | None]:
    """Signs that the groups were not alike, or that the comparison is not of like with like."""
    if question.moments is None:
        return
    treatment, control = question.moments
    if treatment.k == control.k:
        places = covariate_places(question.metric, treatment)
        found = [flag for place in places if (flag := covariate_differs(treatment, control, place))]
        yield min(found, key=lambda flag: flag.value, default=None)
    if question.metric.kind == "ratio" and min(treatment.k, control.k) > 1:
        yield denominator_moved(treatment, control)


def _early(answer: Comparison, plan: Plan, as_of: datetime) -> Flag | None:
    """A claim at a fixed horizon that was looked at before, when the planned end has not come.

    Looks alone do no harm: an experiment that ran to its planned end is judged by its one planned look,
    whatever was seen on the way.
    """
    end = plan.planned_end
    if not answer.significant or (end is not None and as_of >= end):
        return None
    return peeked(looks=min(plan.looked + 1, MOST_LOOKS), inference=plan.inference, over=plan.closed)
