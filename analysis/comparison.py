"""Comparisons: a treatment against the control, as a difference and as a lift.

One test decides. The difference interval, the lift interval and the p-value are all inversions of it: they
exclude "no change" together or not at all.
"""

import math
from dataclasses import dataclass

from analysis.errors import Cause, NotEstimable
from analysis.estimate import Estimate
from analysis.inference import FixedHorizon, Inference


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the range the data are compatible with.

    A bound is infinite where the data do not limit it.
    """

    estimate: float
    low: float
    high: float

    @property
    def bounded(self) -> bool:
        """Whether both ends are finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def within(self, low: float, high: float) -> bool:
        """Whether the whole interval lies strictly between two values."""
        return low < self.low and self.high < high


@dataclass(frozen=True, slots=True)
class Comparison:
    """A treatment against the control.

    Attributes
    ----------
    difference
        Absolute: treatment − control.
    lift
        Relative to the control's mean; positive means more, also when that mean is negative. None where the
        control's mean is zero.
    statistic
        Difference divided by its standard error.
    df
        Degrees of freedom of the standard error.
    p_value
        Two-sided, from the same test as the intervals.
    method, inference, confidence
        How it was computed.
    """

    treatment: Estimate
    control: Estimate
    difference: Interval
    lift: Interval | None
    standard_error: float
    statistic: float
    df: float
    p_value: float
    method: str
    inference: str
    confidence: float

    @property
    def significant(self) -> bool:
        """Whether the interval excludes no change."""
        return self.difference.low > 0 or self.difference.high < 0


_DEFAULT = FixedHorizon()


def compare(
    treatment: Estimate | NotEstimable,
    control: Estimate | NotEstimable,
    inference: Inference = _DEFAULT,
) -> Comparison | NotEstimable:
    """Compare a treatment with the control by Welch's unequal-variances test.

    Parameters
    ----------
    treatment, control
        Estimates of the same metric on different units.
    inference
        At which moments the answer is valid, and how sure it is.

    Returns
    -------
    Comparison or NotEstimable
        The latter when an arm has no estimate or neither arm has any variation.

    References
    ----------
    Welch (1947), *The generalization of "Student's" problem when several different population variances are
    involved*, Biometrika 34. Fieller (1954), *Some problems in interval estimation*, JRSS B 16.

    Examples
    --------
    >>> old = Estimate(10.0, 0.3, 400, 399, "mean")
    >>> new = Estimate(11.0, 0.4, 400, 399, "mean")
    >>> answer = compare(new, old)
    >>> round(answer.difference.low, 3), round(answer.difference.high, 3), round(answer.p_value, 4)
    (0.018, 1.982, 0.0459)
    """
    if isinstance(treatment, NotEstimable):
        return treatment
    if isinstance(control, NotEstimable):
        return control
    error = math.hypot(treatment.standard_error, control.standard_error)
    if error == 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit of both variants has the same value")
    difference = treatment.value - control.value
    if not (math.isfinite(difference) and math.isfinite(error)):
        return NotEstimable(Cause.NOT_FINITE, "the values are beyond the range of floating point")

    df = welch_df(treatment, control)
    n = treatment.n + control.n
    width = inference.multiplier(df=df, n=n)
    statistic = difference / error
    return Comparison(
        treatment=treatment,
        control=control,
        difference=Interval(difference, difference - width * error, difference + width * error),
        lift=fieller_lift(treatment, control, width),
        standard_error=error,
        statistic=statistic,
        df=df,
        p_value=inference.p_value(statistic, df=df, n=n),
        method="welch",
        inference=inference.name,
        confidence=inference.confidence,
    )


def welch_df(treatment: Estimate, control: Estimate) -> float:
    """Degrees of freedom of a difference of independent estimates, by Welch and Satterthwaite.

    An arm without variation contributes nothing, so the other arm's degrees of freedom remain.
    """
    one, other = treatment.standard_error**2, control.standard_error**2
    whole = one + other
    # Shares instead of fourth powers: standard errors of 1e-100 neither under- nor overflow.
    one, other = one / whole, other / whole
    spent = one * one / treatment.df + other * other / control.df
    return math.inf if spent == 0 else 1 / spent


def fieller_lift(treatment: Estimate, control: Estimate, width: float) -> Interval | None:
    """The relative change and every value of it that the test does not reject, by Fieller's theorem.

    Parameters
    ----------
    width
        Half-width of the test in standard errors; the lifts kept are those for which
        ``|m₁ − (1 + lift)·m₀| ≤ width · SE(m₁ − (1 + lift)·m₀)``.

    Returns
    -------
    Interval or None
        None when the control's mean is zero. When the control's mean could itself be zero at this
        confidence the set has no end on at least one side; it is given as unbounded on both.
    """
    base = control.value
    if base == 0:
        return None
    ratio = treatment.value / base
    sign = math.copysign(1.0, base)
    g = (width * control.standard_error / base) ** 2
    estimate = sign * (ratio - 1)
    if not math.isfinite(ratio):
        return None
    if g >= 1:
        return Interval(estimate, -math.inf, math.inf)
    one, other = treatment.standard_error / base, control.standard_error / base
    root = width * math.sqrt(max(0.0, one**2 * (1 - g) + (ratio * other) ** 2))
    ends = sorted((sign * ((ratio - root) / (1 - g) - 1), sign * ((ratio + root) / (1 - g) - 1)))
    return Interval(estimate, ends[0], ends[1])
