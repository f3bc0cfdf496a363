"""Reading: from what was planned and what was counted to a readout. Pure: the same input, the same bytes."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from scipy import special

from analysis import estimate
from analysis.comparison import Comparison, Interval, compare
from analysis.errors import NotEstimable
from analysis.estimate import Estimate
from analysis.flags import Flag, dominant_unit, few_events, identical_arms, skewed_allocation, too_good
from analysis.inference import AlwaysValid, Inference
from analysis.moments import Moments
from analysis.multiplicity import benjamini_hochberg, benjamini_hochberg_levels, holm, holm_levels
from analysis.observation import Observation, Shape
from analysis.plan import Correction, Plan, PlannedMetric, Role
from analysis.readout import Finding, Point, Reading, Readout, Series, SplitPoint
from analysis.sample_ratio import expected_range
from analysis.soundness import check_data
from analysis.verdict import judge

BURN_IN = 100
"""Units an arm needs before harm is looked for: earlier, the variance itself is not known well enough."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One metric of one treatment, with its estimates and inference."""

    metric: PlannedMetric
    treatment: str
    arms: tuple[Moments, Moments]
    inference: Inference
    shape: Shape | None = None

    def answer(self) -> Comparison | NotEstimable:
        return compare(*self.estimates(), self.inference)

    def estimates(self) -> tuple[Estimate | NotEstimable, Estimate | NotEstimable]:
        treatment, control = self.arms
        return estimate_of(self.metric.kind, treatment), estimate_of(self.metric.kind, control)


def read(plan: Plan, observation: Observation, *, version: str) -> Readout:
    """Read an experiment.

    Parameters
    ----------
    plan
        What was asked.
    observation
        What was counted.
    version
        The version of the code, kept with the result.
    """
    checks = check_data(plan, observation)
    questions = list(_questions(plan, observation))
    findings = _findings(plan, questions)
    over = plan.is_over(as_of=observation.as_of, units=sum(observation.units.values()))
    return Readout(
        experiment=plan.experiment,
        phase=plan.phase,
        as_of=observation.as_of,
        data_through=observation.data_through,
        version=version,
        plan=plan,
        over=over,
        units={name: observation.units.get(name, 0) for name in plan.weights},
        excluded=observation.excluded,
        immature=observation.immature,
        checks=checks,
        comparisons=tuple(findings),
        verdict=judge(
            treatments=plan.treatments,
            findings=findings,
            checks=checks,
            over=over,
            locked=plan.inference == "fixed",
            does_harm=_harm_at_this_moment(plan, questions, early=plan.inference == "fixed" and not over),
        ),
        series=tuple(_series(plan, observation, findings)),
        split=tuple(_split(plan, observation)),
    )


def _harm_at_this_moment(
    plan: Plan, questions: Sequence[_Question], *, early: bool
) -> Callable[[Finding], bool]:
    """How harm is established now; secondary metrics establish none."""
    watched = {
        (question.metric.key, question.treatment): question
        for question in questions
        if question.metric.role is not Role.SECONDARY
    }

    def does_harm(finding: Finding) -> bool:
        question = watched.get((finding.metric, finding.variant))
        if question is None:
            return False
        if early:
            return _harmful_at_any_time(question, plan)
        return finding.reading in (Reading.WORSE, Reading.HARMFUL)

    return does_harm


def estimate_of(kind: str, moments: Moments) -> Estimate | NotEstimable:
    """Estimate a metric of a kind from its moments in one variant."""
    return estimate.proportion(moments) if kind == "proportion" else estimate.mean(moments)


def _questions(plan: Plan, observation: Observation) -> Iterable[_Question]:
    for metric in plan.metrics:
        arms = observation.moments.get(metric.key, {})
        control = arms.get(plan.control, Moments.empty())
        for treatment in plan.treatments:
            pair = (arms.get(treatment, Moments.empty()), control)
            shape = observation.shapes.get(metric.key)
            yield _Question(metric, treatment, pair, plan.inference_for(treatment), shape)


def _findings(plan: Plan, questions: Sequence[_Question]) -> list[Finding]:
    """Answer the questions family by family, each family with its correction."""
    findings: list[Finding] = []
    for role in dict.fromkeys(question.metric.role for question in questions):
        family = [question for question in questions if question.metric.role is role]
        findings += _family(family, _correction(role, plan.correction), plan)
    return findings


def _correction(role: Role, planned: Correction) -> Correction:
    """Primary metrics as planned; secondaries by false discovery; guardrails must all hold, so none."""
    if planned is Correction.NONE or role is Role.GUARDRAIL:
        return Correction.NONE
    return planned if role is Role.PRIMARY else Correction.BENJAMINI_HOCHBERG


def _family(family: Sequence[_Question], correction: Correction, plan: Plan) -> list[Finding]:
    answers = [question.answer() for question in family]
    p_values = [answer.p_value for answer in answers if isinstance(answer, Comparison)]
    adjusted, levels = _correct(p_values, 1 - plan.confidence, correction)
    corrections = iter(zip(adjusted, levels, strict=True))
    findings = []
    for question, answer in zip(family, answers, strict=True):
        if isinstance(answer, NotEstimable):
            findings.append(_unanswered(question, answer, plan))
            continue
        p_adjusted, level = next(corrections)
        matched = replace(question, inference=question.inference.at_confidence(1 - level))
        again = matched.answer()
        if isinstance(again, Comparison):
            findings.append(_answered(matched, again, p_adjusted, plan))
    return findings


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


def _answered(question: _Question, answer: Comparison, p_adjusted: float, plan: Plan) -> Finding:
    return Finding(
        metric=question.metric.key,
        role=question.metric.role,
        variant=question.treatment,
        control=plan.control,
        reading=interpret(question.metric, answer, plan.mde),
        treatment_n=answer.treatment.n,
        control_n=answer.control.n,
        treatment_value=answer.treatment.value,
        control_value=answer.control.value,
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
        harm_limit=question.metric.harm_limit,
        flags=tuple(_doubts(question, answer)),
    )


def _possible(metric: PlannedMetric, lift: Interval | None) -> Interval | None:
    """A share cannot fall by more than all of it: with few events the interval is cut off there."""
    if metric.kind != "proportion" or lift is None or lift.low >= -1:
        return lift
    return replace(lift, low=max(lift.low, -1.0))


def _doubts(question: _Question, answer: Comparison) -> Iterable[Flag]:
    """What a careful reader should know beside the number."""
    flags = (*_rough(question), too_good(answer), identical_arms(answer))
    return (flag for flag in flags if flag is not None)


def _rough(question: _Question) -> Iterable[Flag | None]:
    """Why a normal approximation may be rough: few events of a share, a heavy tail of anything else."""
    treatment, control = question.arms
    if question.metric.kind == "proportion":
        return (few_events({"treatment": treatment, "control": control}),)
    if question.shape is None:
        return ()
    sizes = {"treatment": treatment.n, "control": control.n}
    return (
        skewed_allocation(question.shape.skewness, sizes=sizes),
        dominant_unit(question.shape.largest_share),
    )


def _unanswered(question: _Question, answer: NotEstimable, plan: Plan) -> Finding:
    treatment, control = question.estimates()
    return Finding(
        metric=question.metric.key,
        role=question.metric.role,
        variant=question.treatment,
        control=plan.control,
        reading=Reading.NOT_ESTIMABLE,
        treatment_n=question.arms[0].n,
        control_n=question.arms[1].n,
        treatment_value=treatment.value if isinstance(treatment, Estimate) else None,
        control_value=control.value if isinstance(control, Estimate) else None,
        harm_limit=question.metric.harm_limit,
        not_estimable=str(answer.cause),
    )


def interpret(metric: PlannedMetric, answer: Comparison, mde: float | None = None) -> Reading:
    """Say what a comparison means for a metric in its role."""
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


def _harmful_at_any_time(question: _Question, plan: Plan) -> bool:
    """Look for harm before a fixed horizon's end, by a test that is valid at every look."""
    if min(arm.n for arm in question.arms) < BURN_IN:
        return False
    watch = replace(question, inference=AlwaysValid(plan.optimum, plan.confidence))
    answer = watch.answer()
    if isinstance(answer, NotEstimable):
        return False
    return interpret(question.metric, answer) in (Reading.WORSE, Reading.HARMFUL)


def _detectable_lift(answer: Comparison, inference: Inference, power: float) -> float | None:
    """The lift that the present standard error would find with the planned power."""
    if answer.control.value == 0:
        return None
    width = inference.multiplier(df=answer.df, n=answer.treatment.n + answer.control.n)
    if not math.isfinite(width):
        return None
    return (width + float(special.ndtri(power))) * answer.standard_error / abs(answer.control.value)


def _series(plan: Plan, observation: Observation, findings: Sequence[Finding]) -> Iterable[Series]:
    kinds = {metric.key: metric.kind for metric in plan.metrics}
    for finding in findings:
        arms = observation.daily.get(finding.metric, {})
        control = {each.day: each.moments for each in arms.get(plan.control, ())}
        confidence = finding.confidence or plan.confidence
        inference = plan.inference_for(finding.variant).at_confidence(confidence)
        points = []
        for each in arms.get(finding.variant, ()):
            base = control.get(each.day, Moments.empty())
            kind = kinds[finding.metric]
            answer = compare(estimate_of(kind, each.moments), estimate_of(kind, base), inference)
            points.append(_point(each.day, each.moments.n + base.n, answer))
        if points:
            yield Series(finding.metric, finding.variant, tuple(points))


def _point(day: date, units: int, answer: Comparison | NotEstimable) -> Point:
    lift = answer.lift if isinstance(answer, Comparison) else None
    if lift is None:
        return Point(day, units, None, None, None)
    if not lift.bounded:
        return Point(day, units, lift.estimate, None, None)
    return Point(day, units, lift.estimate, lift.low, lift.high)


def _split(plan: Plan, observation: Observation) -> Iterable[SplitPoint]:
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
