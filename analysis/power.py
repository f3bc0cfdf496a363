"""Power: how many units and weeks an experiment needs, and what it can then detect.

Everything is reckoned for the comparison of one treatment with the control on the scale of lifts. Looking
while running, several treatments, several guardrails and covariates each change one factor of the same
formula,

    n₀ = δ² · v / (μ·lift)² · (1 + 1/ρ),

where δ is the drift the inference needs, v the variance left after adjustment and ρ treated units for each
untreated one. Power after the fact is not offered: it is a function of the p-value and says nothing new.

References
----------
Kohavi, Tang, Xu (2020), *Trustworthy online controlled experiments*, chapter 17. Schultzberg, Ankargren,
Frånberg (2024), arXiv 2402.11609, for β/G with G guardrails.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

from analysis.boundaries import drift_for_power, spending_boundaries
from analysis.errors import InvalidInput
from analysis.estimate import Estimate
from analysis.inference import AlwaysValid
from analysis.many_to_one import critical_value
from analysis.moments import Moments
from analysis.spending import Spending

DAYS_A_WEEK = 7

SMALLEST_CHANGE = 1e-7
"""In standard deviations of a unit; less takes more units than there are people, by far."""

MOST_DAYS = 1e6
"""Longer than anybody waits."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is known of a metric before the experiment: its mean and its variance per unit."""

    mean: float
    variance: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.variance) and self.variance > 0):
            raise InvalidInput("baseline: expected a finite mean and a variance above 0")
        if self.mean == 0:
            raise InvalidInput("baseline: a lift over a mean of 0 is not defined")

    @classmethod
    def of_proportion(cls, share: float) -> "Baseline":
        """From a conversion rate."""
        if not 0 < share < 1:
            raise InvalidInput("baseline: a proportion lies between 0 and 1; a mean needs its sd as well")
        return cls(share, share * (1 - share))

    @classmethod
    def of_moments(cls, moments: Moments) -> "Baseline":
        """From the metric's history."""
        return cls(moments.value, moments.variance)

    @classmethod
    def of_estimate(cls, estimate: Estimate) -> "Baseline":
        """From any estimate of the history, a ratio's for instance: its variance per unit is SE²·n."""
        return cls(estimate.value, estimate.standard_error**2 * estimate.n)


@dataclass(frozen=True, slots=True)
class Design:
    """How the experiment will be run and read.

    Attributes
    ----------
    weights
        Shares of control and treatments, in any scale, the control first.
    confidence, power
        Of the whole family of comparisons, and of each.
    inference
        ``fixed``, ``sequential``, ``group_sequential`` or ``always_valid``.
    looks
        Of a group-sequential plan, equally spaced.
    metrics
        Primary metrics that share the error rate.
    correction
        ``dunnett`` for several treatments on one metric, ``bonferroni``, or ``none``.
    guardrails
        Number of guardrails that must all pass: the chance of missing is divided among them.
    correlation
        Between the metric and its covariate from before the exposure; the variance falls to 1 − ρ².
    margin
        For a guardrail: the harm tolerated, relative. One-sided, and the lift counts from the margin.
    """

    weights: tuple[float, ...] = (1.0, 1.0)
    confidence: float = 0.95
    power: float = 0.8
    inference: str = "fixed"
    looks: int = 5
    metrics: int = 1
    correction: str = "bonferroni"
    guardrails: int = 0
    correlation: float = 0.0
    margin: float | None = None

    def __post_init__(self) -> None:
        if len(self.weights) < 2 or not all(0 < each < math.inf for each in self.weights):
            raise InvalidInput("weights: expected at least two shares above 0")
        if not (0.5 <= self.confidence < 1 and 0 < self.power < 1):
            raise InvalidInput("confidence, power: expected shares between 0 and 1")
        if not -1 < self.correlation < 1:
            raise InvalidInput("correlation: expected a number between −1 and 1")
        if min(self.looks, self.metrics) < 1 or self.guardrails < 0:
            raise InvalidInput("looks, metrics, guardrails: expected counts")

    @property
    def alpha(self) -> float:
        """Error rate of one side of one comparison, after correction."""
        whole = 1 - self.confidence
        sides = 1 if self.margin is not None else 2
        treatments = len(self.weights) - 1
        comparisons = treatments * self.metrics
        if self.margin is not None or self.correction == "none" or comparisons == 1:
            return whole / sides
        if self.correction == "dunnett" and self.metrics == 1:
            control = self.weights[0]
            loadings = np.sqrt([w / (w + control) for w in self.weights[1:]])
            c = critical_value(loadings, df=math.inf, confidence=self.confidence)
            return float(special.ndtr(-c))
        return whole / comparisons / sides

    @property
    def drift(self) -> float:
        """Expected z at the end that is found with the wanted power."""
        return self._drift_for(1 - (1 - self.power) / max(1, self.guardrails))

    def _drift_for(self, power: float) -> float:
        match self.inference:
            case "fixed":
                return -float(special.ndtri(self.alpha)) + float(special.ndtri(power))
            case "sequential":
                return _brownian_drift(self.alpha, power)
            case "group_sequential":
                times = [(k + 1) / self.looks for k in range(self.looks)]
                sides = 1 if self.margin is not None else 2
                upper = spending_boundaries(times, self.alpha, Spending(), sides=sides)
                return drift_for_power(times, upper, power, sides=sides)
            case "always_valid":
                # As if judged at the optimum alone, so it errs on the safe side.
                level = AlwaysValid(1_000, 1 - 2 * self.alpha)
                return level.multiplier(df=math.inf, n=1_000) + float(special.ndtri(power))
        raise InvalidInput(f"inference: {self.inference!r} has no sample size")

    def power_at(self, drift: float) -> float:
        """Power when the expected z at the end is ``drift``."""
        if drift <= 0:
            return self.alpha
        low, high = 1e-9, 1 - 1e-12
        if self._drift_for(high) <= drift:
            return high
        if self._drift_for(max(low, self.alpha)) >= drift:
            return self.alpha
        return float(
            optimize.brentq(lambda p: self._drift_for(p) - drift, max(low, self.alpha), high, xtol=1e-10)
        )


DEFAULT_DESIGN = Design()


@dataclass(frozen=True, slots=True)
class Units:
    """Units needed: of each variant in the order of the weights, and in all; whole numbers."""

    by_variant: tuple[int, ...]
    total: int


def sample_size(baseline: Baseline, lift: float, design: Design = DEFAULT_DESIGN) -> Units:
    """Units that detect a lift with the design's power, for its least favoured treatment.

    Parameters
    ----------
    baseline
        The metric's mean and variance.
    lift
        Relative change to detect; for a guardrail the true change expected, usually 0.

    Examples
    --------
    >>> sample_size(Baseline.of_proportion(0.1), 0.05).total
    113024
    >>> sample_size(Baseline.of_proportion(0.1), 0.05, Design(inference="sequential")).total
    119502
    """
    distance = _distance(lift, design)
    if distance == 0 or not math.isfinite(distance):
        raise InvalidInput("lift: expected a finite change other than zero, or a margin beyond it")
    change = abs(distance * baseline.mean) / math.sqrt(_left(baseline, design))
    if not change > SMALLEST_CHANGE:
        raise InvalidInput("lift: so small beside the metric's spread that no experiment is large enough")
    needed = (design.drift / change) ** 2
    share = _spread(design.weights)
    by_variant = tuple(math.ceil(needed * share * w - 1e-9) for w in design.weights)
    return Units(by_variant, sum(by_variant))


def detectable_lift(baseline: Baseline, total: int, design: Design = DEFAULT_DESIGN) -> float:
    """The smallest lift that a number of units, over all variants, detects with the design's power.

    For a guardrail, the smallest margin that can be shown when the treatment does nothing.

    Examples
    --------
    >>> round(detectable_lift(Baseline.of_proportion(0.1), 113_024), 4)
    0.05
    """
    if total < 2:
        raise InvalidInput(f"total: expected at least two units, not {total}")
    return design.drift * _relative_error(baseline, total, design)


def power(baseline: Baseline, lift: float, total: int, design: Design = DEFAULT_DESIGN) -> float:
    """The chance of detecting a lift with a number of units over all variants.

    Examples
    --------
    >>> round(power(Baseline.of_proportion(0.1), 0.05, 113_024), 3)
    0.8
    """
    if total < 2:
        raise InvalidInput(f"total: expected at least two units, not {total}")
    return design.power_at(abs(_distance(lift, design)) / _relative_error(baseline, total, design))


@dataclass(frozen=True, slots=True)
class Duration:
    """Days until the units have come, and the whole weeks to run."""

    days: int
    weeks: int


def days_needed(units: int, daily_units: float, *, at_least_weeks: int = 1) -> Duration:
    """How long it takes; whole weeks, because weekdays differ from weekends.

    Examples
    --------
    >>> days_needed(113_024, 6_000)
    Duration(days=19, weeks=3)
    """
    if not 0 < daily_units < math.inf or units < 0:
        raise InvalidInput("daily_units: expected more than 0 a day")
    if units / daily_units > MOST_DAYS:
        raise InvalidInput("daily_units: so few that the experiment would never end")
    days = math.ceil(units / daily_units)
    return Duration(days, max(at_least_weeks, math.ceil(days / DAYS_A_WEEK)))


@dataclass(frozen=True, slots=True)
class Week:
    """What can be detected after so many weeks."""

    week: int
    units: int
    lift: float
    difference: float


def lift_by_week(
    baseline: Baseline, weekly_units: Sequence[int], design: Design = DEFAULT_DESIGN
) -> tuple[Week, ...]:
    """The detectable lift after each week, from the units new in each.

    Examples
    --------
    >>> table = lift_by_week(Baseline.of_proportion(0.1), [40_000, 30_000, 25_000])
    >>> [round(week.lift, 3) for week in table]
    [0.084, 0.064, 0.055]
    """
    rows, total = [], 0
    for week, new in enumerate(weekly_units, start=1):
        total += new
        lift = detectable_lift(baseline, total, design)
        rows.append(Week(week, total, lift, lift * abs(baseline.mean)))
    return tuple(rows)


def best_control_share(treatments: int) -> float:
    """The control's share that makes comparisons with it most precise: √k parts to one of each treatment.

    Examples
    --------
    >>> round(best_control_share(4), 4)
    0.3333
    """
    if treatments < 1:
        raise InvalidInput("treatments: expected at least one")
    return math.sqrt(treatments) / (math.sqrt(treatments) + treatments)


def for_inference(design: Design, inference: str) -> Design:
    """The same design, read in another way: for tables that set them side by side."""
    return replace(design, inference=inference)


def _distance(lift: float, design: Design) -> float:
    return lift if design.margin is None else lift + design.margin


def _left(baseline: Baseline, design: Design) -> float:
    """Variance per unit that the covariate does not explain."""
    return baseline.variance * (1 - design.correlation**2)


def _spread(weights: Sequence[float]) -> float:
    """Units for each unit of weight: with n_a = c·w_a, Var(D)·n = v·(1/w₀ + 1/w_min)/c."""
    return 1 / weights[0] + 1 / min(weights[1:])


def _relative_error(baseline: Baseline, total: int, design: Design) -> float:
    scale = total / math.fsum(design.weights)
    return math.sqrt(_left(baseline, design) * _spread(design.weights) / scale) / abs(baseline.mean)


def _brownian_drift(alpha: float, power: float) -> float:
    """Drift at which a Brownian path passes b somewhere on [0, 1] with the given probability.

    P = Φ(θ − b) + e^(2θb)·Φ(−θ − b), by the reflection principle; b = z(1 − α/2) for α on one side.
    """
    b = -float(special.ndtri(alpha / 2))

    def excess(theta: float) -> float:
        late = math.exp(2 * theta * b + float(special.log_ndtr(-theta - b)))
        return float(special.ndtr(theta - b)) + late - power

    if excess(0.0) >= 0:
        return 0.0
    return float(optimize.brentq(excess, 0.0, b + 40.0, xtol=1e-12))
