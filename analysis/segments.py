"""Segments: the same questions for the units with one value of a segment, and whether effects differ.

All comparisons in segments are one family, corrected by Benjamini and Hochberg. A segment in which an effect
is significant and another in which it is not need not differ: only the test of the difference says so.

References
----------
Cochran (1954), *The combination of estimates from different experiments*, Biometrics 10, for Q.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from analysis.comparison import Comparison
from analysis.doubts import rough_doubts
from analysis.effects import difference
from analysis.errors import NotEstimable
from analysis.estimate import Estimate
from analysis.explanations import Interaction
from analysis.findings import answer_family, finding_of
from analysis.group_sequential import GroupSequential
from analysis.inference import Inference, Sequential
from analysis.kinds import counted_of, of_kind
from analysis.multiplicity import benjamini_hochberg
from analysis.observation import Cut, Observation
from analysis.plan import Correction, Plan
from analysis.pooling import combine_estimates
from analysis.questions import Question, ask
from analysis.readout import Finding
from analysis.shrinkage import drawn_together

FEWEST = 30
"""Units an arm needs in a value for its effect to count when values are compared: with fewer, its standard
error is itself a guess and finds differences that are not there."""

Group = tuple[str, str, str]
"""Metric, segment and treatment: the questions that differ in the segment's value alone."""


def label_of(cut: Cut) -> str:
    """How a finding names its segment: ``channel=email``, ``channel=`` where the value is not known."""
    return f"{cut.segment}={cut.value or ''}"


def read_segments(
    plan: Plan, observation: Observation
) -> tuple[tuple[Finding, ...], tuple[Interaction, ...]]:
    """Compare in every planned segment, and test whether effects differ between its values."""
    questions = list(_questions(plan, observation))
    correction = Correction.NONE if plan.correction is Correction.NONE else Correction.BENJAMINI_HOCHBERG
    answered = answer_family([each for _, each in questions], correction, 1 - plan.confidence)
    groups: dict[Group, list[Question]] = {}
    for group, question in questions:
        groups.setdefault(group, []).append(question)
    shrunken = _shrunken(groups)
    findings = (
        replace(
            finding_of(plan, each),
            flags=tuple(rough_doubts(each[0])) if isinstance(each[1], Comparison) else (),
            shrunken=shrunken.get((group, each[0].segment)),
        )
        for (group, _), each in zip(questions, answered, strict=True)
    )
    return tuple(findings), _interactions(groups, 1 - plan.confidence)


def _questions(plan: Plan, observation: Observation) -> Iterable[tuple[Group, Question]]:
    """Value by value: every metric that was counted there, of every treatment."""
    whole = sum(observation.units.get(name, 0) for name in plan.weights)
    for metric in plan.metrics:
        for cut in observation.cuts:
            if cut.segment not in plan.segments or metric.key not in of_kind(cut, metric):
                continue
            control = counted_of(cut, metric, plan.control)
            share = sum(cut.units.get(name, 0) for name in plan.weights) / whole if whole else 0.0
            for treatment in plan.treatments:
                inference = _scaled(plan.inference_for(treatment), share)
                question = ask(metric, treatment, (counted_of(cut, metric, treatment), control), inference)
                yield (metric.key, cut.segment, treatment), replace(question, segment=label_of(cut))


def _scaled(inference: Inference, share: float) -> Inference:
    """The plan's inference in a part of the units: the planned size is that share of the whole."""
    if isinstance(inference, Sequential | GroupSequential):
        return replace(inference, size=max(1, round(inference.size * share)))
    return inference


def _effects(questions: Iterable[Question]) -> dict[str, Estimate]:
    """The difference in each value that has one."""
    effects = {}
    for question in questions:
        new, old = question.pair.treatment, question.pair.control
        few = min(question.sizes) < FEWEST
        if few or isinstance(new, NotEstimable) or isinstance(old, NotEstimable):
            continue
        effect = difference(new, old)
        if isinstance(effect, Estimate):
            effects[question.segment or ""] = effect
    return effects


def _shrunken(groups: Mapping[Group, Sequence[Question]]) -> dict[tuple[Group, str | None], float]:
    values: dict[tuple[Group, str | None], float] = {}
    for group, questions in groups.items():
        effects = _effects(questions)
        together = drawn_together(list(effects.values()))
        if not isinstance(together, NotEstimable):
            values |= {(group, name): each for name, each in zip(effects, together, strict=True)}
    return values


def _interactions(groups: Mapping[Group, Sequence[Question]], alpha: float) -> tuple[Interaction, ...]:
    """Test each group for heterogeneity, and correct the tests together."""
    tests = {group: combine_estimates(list(_effects(each).values())) for group, each in groups.items()}
    p_values = [test.p_value for test in tests.values() if not isinstance(test, NotEstimable)]
    adjusted = iter(benjamini_hochberg(p_values))
    told = []
    for (metric, segment, variant), test in tests.items():
        if isinstance(test, NotEstimable):
            cause = str(test.cause)
            told.append(Interaction(metric, segment, variant, differs=False, not_estimable=cause))
            continue
        p_adjusted = next(adjusted)
        told.append(
            Interaction(
                metric,
                segment,
                variant,
                differs=p_adjusted <= alpha,
                p_value=test.p_value,
                p_value_adjusted=p_adjusted,
                statistic=test.q,
                df=test.df,
            )
        )
    return tuple(told)
