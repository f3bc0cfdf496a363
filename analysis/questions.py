"""Questions: one metric of one treatment against the control, ready to be asked under any inference."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from analysis.comparison import Comparison, compare
from analysis.errors import Cause, NotEstimable
from analysis.estimate import Estimate
from analysis.inference import AlwaysValid, FixedHorizon, Inference
from analysis.kinds import (
    SHARES,
    Counted,
    Pair,
    adjusted_pair,
    counted_of,
    plain_pair,
    units_in,
)
from analysis.moments import Moments
from analysis.observation import Observation, Shape
from analysis.plan import Plan, PlannedMetric
from analysis.proportions import compare_counts
from analysis.score import Counts

BURN_IN = 100
"""Units an arm needs before an always valid interval is drawn or harm is looked for."""

FIRST_SUCCESSES = 20
"""Successes an arm needs besides where a share is read by an always valid interval."""

RARE = 5
"""Below so many successes or failures in an arm, a share at a fixed horizon is judged by the score test."""


@dataclass(frozen=True, slots=True)
class Question:
    """One metric of one treatment against the control.

    Attributes
    ----------
    arms
        What was counted in the treatment and in the control.
    plain, adjusted
        The estimates as counted, and without what covariates explain; the latter None without covariates.
    segment
        None over all units; see `analysis.readout.Finding`.
    waiting
        Units whose window has not passed yet.
    """

    metric: PlannedMetric
    treatment: str
    arms: tuple[Counted, Counted]
    plain: Pair
    adjusted: Pair | None
    inference: Inference
    shape: Shape | None = None
    segment: str | None = None
    waiting: int = 0

    @property
    def sizes(self) -> tuple[int, int]:
        """Units in the treatment and in the control."""
        return units_in(self.arms[0]), units_in(self.arms[1])

    @property
    def pair(self) -> Pair:
        """The estimates that are compared."""
        return self.adjusted or self.plain

    @property
    def moments(self) -> tuple[Moments, Moments] | None:
        """The arms of a metric that is counted in moments."""
        treatment, control = self.arms
        both = isinstance(treatment, Moments) and isinstance(control, Moments)
        return (treatment, control) if both else None  # type: ignore[return-value]  # both were just asked

    def under(self, inference: Inference) -> "Question":
        """The same question under another inference."""
        return replace(self, inference=inference)

    def unadjusted(self) -> "Question":
        """The same question without its covariates."""
        return replace(self, adjusted=None)

    def answer(self) -> Comparison | NotEstimable:
        """Compare the two variants.

        Shares are compared by Welch's test on zeros and ones, as means are, down to five successes and
        failures in each arm: with arms of like size it agrees with the score test, and one test for all
        metrics keeps a scorecard comparable with those of other platforms. With fewer than thirty the score
        test is told beside it. Below five, where Wald's interval leaves the scale and an arm may have no
        variance at all, the score test and its intervals take over at a fixed horizon; the other inferences
        have no such test.
        """
        if min(self.sizes) < self.metric.smallest:
            return NotEstimable(Cause.TOO_FEW_UNITS, f"fewer than {self.metric.smallest} units in a variant")
        if not any(self.sizes) and self.waiting:
            return NotEstimable(Cause.NOT_MATURED, "no unit's window has passed")
        if isinstance(self.inference, AlwaysValid) and self.too_early:
            return NotEstimable(
                Cause.TOO_FEW_UNITS, f"an always valid interval begins at {BURN_IN} units in each variant"
            )
        found = compare(self.pair.treatment, self.pair.control, self.inference)
        counts = self.counts()
        if isinstance(found, NotEstimable) or counts is None or counts.fewest >= RARE:
            return found
        if self.adjusted is not None or not isinstance(self.inference, FixedHorizon):
            return found
        return _by_score(found, counts)

    @property
    def too_early(self) -> bool:
        """Whether an arm is so small that its variance is not known well enough for a limit theorem.

        An always valid interval stands on the estimated variance from its first look on; at a fixed size the
        t distribution allows for that, here only waiting does.
        """
        counts = self.counts()
        few = counts is not None and min(counts.treatment, counts.control) < FIRST_SUCCESSES
        return min(self.sizes) < BURN_IN or few

    def counts(self) -> Counts | None:
        """Successes and units of a share."""
        moments = self.moments
        if self.metric.kind not in SHARES or moments is None:
            return None
        if not isinstance(self.plain.treatment, Estimate) or not isinstance(self.plain.control, Estimate):
            return None
        values, sizes = (self.plain.treatment.value, self.plain.control.value), self.sizes
        if not all(0 <= value <= 1 for value in values):
            return None
        successes = [round(value * n) for value, n in zip(values, sizes, strict=True)]
        return Counts(successes[0], sizes[0], successes[1], sizes[1])


def questions_of(plan: Plan, observation: Observation) -> Iterable[Question]:
    """Ask every planned metric of every treatment, over all units."""
    for metric in plan.metrics:
        control = counted_of(observation, metric, plan.control)
        for treatment in plan.treatments:
            asked = ask(
                metric,
                treatment,
                (counted_of(observation, metric, treatment), control),
                plan.inference_for(treatment),
            )
            waiting = observation.immature.get(metric.key, 0)
            yield replace(asked, shape=observation.shapes.get(metric.key), waiting=waiting)


def ask(
    metric: PlannedMetric, treatment: str, arms: tuple[Counted, Counted], inference: Inference
) -> Question:
    """Put a question about what was counted in a treatment and in the control."""
    plain, adjusted = plain_pair(metric, *arms), adjusted_pair(metric, *arms)
    return Question(metric, treatment, arms, plain, adjusted, inference)


def _by_score(found: Comparison, counts: Counts) -> Comparison:
    """The same comparison with the test and the intervals that hold up with few events."""
    scored = compare_counts(counts, found.confidence)
    return (
        found
        if isinstance(scored, NotEstimable)
        else replace(
            found,
            difference=scored.difference,
            lift=scored.lift,
            statistic=scored.statistic,
            p_value=scored.p_value,
            method=scored.method,
        )
    )
