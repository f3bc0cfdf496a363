"""Findings: questions answered family by family, corrected, and read as what each metric is for."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from scipy import special

from analysis.comparison import Comparison, compare
from analysis.errors import NotEstimable
from analysis.estimate import Estimate, mean
from analysis.flags import Flag
from analysis.inference import FixedHorizon, Inference
from analysis.interval import Interval
from analysis.kinds import SHARES
from analysis.margins import limit_p
from analysis.multiplicity import benjamini_hochberg, benjamini_hochberg_levels, holm, holm_levels
from analysis.observation import Lifetable
from analysis.plan import Correction, Plan, PlannedMetric, Role
from analysis.proportions import FEW, compare_counts
from analysis.questions import RARE, Question
from analysis.readout import Beside, Finding, Part, Reading
from analysis.survival import log_rank_of

Answered = tuple[Question, Comparison | NotEstimable, float | None]
"""A question at its corrected level, its answer there, and its adjusted p-value."""


def answer_roles(plan: Plan, questions: Sequence[Question]) -> list[Answered]:
    """Answer all questions, the metrics of each role as one family."""
    answered: list[Answered] = []
    for role in dict.fromkeys(question.metric.role for question in questions):
        family = [question for question in questions if question.metric.role is role]
        answered += answer_family(family, _correction(role, plan.correction), 1 - plan.confidence)
    return answered


def _correction(role: Role, planned: Correction) -> Correction:
    """Primary metrics as planned; secondaries by false discovery; guardrails must all hold, so none."""
    if planned is Correction.NONE or role is Role.GUARDRAIL:
        return Correction.NONE
    return planned if role is Role.PRIMARY else Correction.BENJAMINI_HOCHBERG


def answer_family(family: Sequence[Question], correction: Correction, alpha: float) -> list[Answered]:
    """Answer one family, each question at the level that agrees with its corrected decision."""
    answers = [question.answer() for question in family]
    p_values = [answer.p_value for answer in answers if isinstance(answer, Comparison)]
    corrected = iter(zip(*_correct(p_values, alpha, correction), strict=True))
    answered: list[Answered] = []
    for question, answer in zip(family, answers, strict=True):
        if isinstance(answer, NotEstimable):
            answered.append((question, answer, None))
            continue
        p_adjusted, level = next(corrected)
        matched = question.under(question.inference.at_confidence(1 - level))
        answered.append((matched, matched.answer(), p_adjusted))
    return answered


def _correct(
    p_values: Sequence[float], alpha: float, correction: Correction
) -> tuple[Sequence[float], Sequence[float]]:
    match correction:
        case Correction.HOLM:
            return holm(p_values), holm_levels(p_values, alpha)
        case Correction.BENJAMINI_HOCHBERG:
            return benjamini_hochberg(p_values), benjamini_hochberg_levels(p_values, alpha)
        case Correction.NONE:
            return p_values, [alpha] * len(p_values)


def finding_of(plan: Plan, answered: Answered) -> Finding:
    """Read an answer."""
    question, answer, p_adjusted = answered
    control, treatment = question.plain.control, question.plain.treatment
    found = Finding(
        metric=question.metric.key,
        role=question.metric.role,
        variant=question.treatment,
        control=plan.control,
        reading=Reading.NOT_ESTIMABLE,
        treatment_n=question.sizes[0],
        control_n=question.sizes[1],
        treatment_value=treatment.value if isinstance(treatment, Estimate) else None,
        control_value=control.value if isinstance(control, Estimate) else None,
        harm_limit=question.metric.harm_limit,
        segment=question.segment,
    )
    if isinstance(answer, NotEstimable):
        return replace(found, not_estimable=str(answer.cause))
    return replace(
        found,
        reading=interpret(question.metric, answer, plan.mde),
        difference=answer.difference,
        lift=_possible(question.metric, answer.lift),
        standard_error=answer.standard_error,
        p_value=answer.p_value,
        p_value_adjusted=p_adjusted,
        significant=answer.significant,
        method=answer.method,
        inference=answer.inference,
        confidence=answer.confidence,
        detectable_lift=_detectable_lift(answer, question.inference, plan.power),
        variance_reduction=variance_reduction(question, answer),
    )


def explained(
    finding: Finding, question: Question, answer: Comparison, *, flags: Iterable[Flag] = ()
) -> Finding:
    """Add what stands beside a number and decides nothing."""
    beside = _beside(question, answer)
    return replace(finding, flags=tuple(flags), parts=_parts(question), beside=beside)


def interpret(metric: PlannedMetric, answer: Comparison, mde: float | None = None) -> Reading:
    """Say what a comparison means for a metric in its role.

    A guardrail is a test of non-inferiority: it is safe when its whole interval of lifts is on the good side
    of the harm limit, which is the one-sided test at half the error rate of the interval that people see.
    """
    if metric.role is Role.GUARDRAIL:
        return _against_limit(metric, answer.lift)
    if answer.significant:
        return Reading.BETTER if answer.difference.estimate * metric.direction.sign > 0 else Reading.WORSE
    if mde is not None and answer.lift is not None and answer.lift.within(-mde, mde):
        return Reading.EQUIVALENT
    return Reading.INCONCLUSIVE


def _against_limit(metric: PlannedMetric, lift: Interval | None) -> Reading:
    limit = metric.harm_limit
    if lift is None or limit is None:
        return Reading.INCONCLUSIVE
    good, bad = (lift.low > limit, lift.high < limit)
    if metric.direction.sign < 0:
        good, bad = (lift.high < limit, lift.low > limit)
    if good:
        return Reading.SAFE
    return Reading.HARMFUL if bad else Reading.INCONCLUSIVE


def variance_reduction(question: Question, answer: Comparison) -> float | None:
    """The share of the difference's variance that the covariates took away."""
    if question.adjusted is None:
        return None
    plain = question.unadjusted().answer()
    before = plain.standard_error if isinstance(plain, Comparison) else math.nan
    return 1 - (answer.standard_error / before) ** 2 if before > 0 else None


def _possible(metric: PlannedMetric, lift: Interval | None) -> Interval | None:
    """A share cannot fall by more than all of it: with few events the interval is cut off there."""
    if metric.kind not in SHARES or lift is None or lift.low >= -1:
        return lift
    return replace(lift, low=max(lift.low, -1.0))


def _detectable_lift(answer: Comparison, inference: Inference, power: float) -> float | None:
    """The lift that the present standard error would find with the planned power."""
    base = answer.control.value if answer.control.anchor is None else answer.control.anchor.value
    if base == 0:
        return None
    width = inference.multiplier(df=answer.df, n=answer.treatment.n + answer.control.n)
    if not math.isfinite(width):
        return None
    return (width + float(special.ndtri(power))) * answer.standard_error / abs(base)


def _parts(question: Question) -> tuple[Part, ...]:
    """The two halves of a ratio: who only sees the ratio cannot tell a rise above from a fall below."""
    if question.metric.kind != "ratio" or question.moments is None:
        return ()
    parts = []
    for place, name in enumerate(("numerator", "denominator")):
        new, old = (mean(arm.take([place])) for arm in question.moments if arm.k > place)
        answer = compare(new, old, question.inference)
        if isinstance(answer, Comparison):
            values = (answer.treatment.value, answer.control.value)
            parts.append(Part(name, *values, answer.difference, answer.lift, answer.p_value))
    return tuple(parts)


def _beside(question: Question, answer: Comparison) -> tuple[Beside, ...]:
    """Other tests of the same question."""
    told = (_score_beside(question), _log_rank_beside(question), _limit_beside(question, answer))
    return tuple(each for each in told if each is not None)


def _score_beside(question: Question) -> Beside | None:
    counts = question.counts()
    if counts is None or not RARE <= counts.fewest < FEW or not isinstance(question.inference, FixedHorizon):
        return None
    scored = compare_counts(counts, question.inference.confidence)
    return None if isinstance(scored, NotEstimable) else Beside("score", scored.p_value, scored.difference)


def _log_rank_beside(question: Question) -> Beside | None:
    treatment, control = question.arms
    if not isinstance(treatment, Lifetable) or not isinstance(control, Lifetable):
        return None
    test = log_rank_of(treatment, control)
    return None if isinstance(test, NotEstimable) else Beside("log_rank", test.p_value)


def _limit_beside(question: Question, answer: Comparison) -> Beside | None:
    metric = question.metric
    if metric.role is not Role.GUARDRAIL or metric.harm_limit is None:
        return None
    p_value = limit_p(
        answer.treatment,
        answer.control,
        metric.harm_limit,
        question.inference,
        more_is_better=metric.direction.sign > 0,
    )
    return None if isinstance(p_value, NotEstimable) else Beside("noninferiority", p_value)
