"""Sensitivity: whether a conclusion hangs on one choice.

Adjusting, capping and keeping the largest unit are choices that reasonable people make differently. Where a
reading changes with one of them, the choice decided and not the data.
"""

import math
from collections.abc import Iterable, Sequence

from analysis.comparison import Comparison
from analysis.errors import NotEstimable
from analysis.findings import interpret
from analysis.moments import Moments
from analysis.observation import Observation
from analysis.plan import Plan
from analysis.questions import Question, ask
from analysis.readout import Alternative, DataCheck, Reading

NOTABLE_SHARE = 0.01
"""A unit with less of a metric's total than this does not decide anything, so it is not left out on trial."""

ROUNDING = 1e-9
"""By less than this share of the spread a value is beyond what was possible for nothing but rounding."""


def alternatives_of(
    plan: Plan, observation: Observation, questions: Sequence[Question]
) -> tuple[Alternative, ...]:
    """Answer every question again with other choices, at the level of its finding."""
    told = []
    for question in questions:
        choices = dict(_choices(plan, observation, question))
        answer = question.answer() if choices else None
        if isinstance(answer, Comparison):
            reading = interpret(question.metric, answer, plan.mde)
            for choice, others in choices.items():
                answers = (_told(plan, question, reading, choice, other.answer()) for other in others)
                told += _furthest([each for each in answers if each is not None])
    return tuple(told)


def _furthest(answers: list[Alternative]) -> list[Alternative]:
    """Of several ways to make one choice, the one that changes most: a reading before a p-value."""
    return sorted(answers, key=lambda each: (each.agrees, -each.p_value))[:1]


def sensitivity_check(alternatives: Sequence[Alternative]) -> Iterable[DataCheck]:
    """Tell the comparisons whose reading changes."""
    if alternatives:
        changed = [f"{each.metric}:{each.variant}:{each.choice}" for each in alternatives if not each.agrees]
        yield DataCheck("sensitivity", not changed, detail=", ".join(dict.fromkeys(changed)), advisory=True)


def _choices(
    plan: Plan, observation: Observation, question: Question
) -> Iterable[tuple[str, Sequence[Question]]]:
    """Other choices, each with the ways in which it may come out."""
    if question.adjusted is not None:
        yield "unadjusted", [question.unadjusted()]
    free = observation.uncapped.get(question.metric.key, {})
    if question.treatment in free and plan.control in free:
        arms = (free[question.treatment], free[plan.control])
        yield "uncapped", [ask(question.metric, question.treatment, arms, question.inference)]
    yield "without_largest", list(_without_largest(observation, question))


def _without_largest(observation: Observation, question: Question) -> Iterable[Question]:
    """The question without the unit that has most of the metric.

    Its value is its share of the sum of all variants, for a metric of one sign. Moments do not say whose it
    is, so each arm that can have had it is tried.
    """
    shape, moments, metric = question.shape, question.moments, question.metric
    if shape is None or moments is None or metric.kind != "mean" or shape.largest_share < NOTABLE_SHARE:
        return
    all_arms = observation.moments.get(metric.key, {}).values()
    largest = shape.largest_share * abs(sum(arm.n * arm.value for arm in all_arms))
    new, old = (arm.take([0]) for arm in moments)
    less_new, less_old = _less(new, largest), _less(old, largest)
    if less_new is not None:
        yield ask(metric, question.treatment, (less_new, old), question.inference)
    if less_old is not None:
        yield ask(metric, question.treatment, (new, less_old), question.inference)


def _less(arm: Moments, value: float) -> Moments | None:
    """The moments of one variable without a unit of that value; None when there can have been none."""
    if arm.n < 3:
        return None
    away, whole = value - arm.value, float(arm.cross[0, 0])
    cross = whole - away * away * arm.n / (arm.n - 1)
    if cross < -ROUNDING * whole or not math.isfinite(cross):
        return None
    spread = max(0.0, cross) / (arm.n - 2)
    return Moments.from_summary(n=arm.n - 1, mean=arm.value - away / (arm.n - 1), var=spread)


def _told(
    plan: Plan, question: Question, reading: Reading, choice: str, answer: Comparison | NotEstimable
) -> Alternative | None:
    if isinstance(answer, NotEstimable):
        return None
    other = interpret(question.metric, answer, plan.mde)
    return Alternative(
        question.metric.key,
        question.treatment,
        choice,
        other,
        other is reading,
        answer.difference,
        answer.lift,
        answer.p_value,
    )
