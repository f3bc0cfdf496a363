"""Lift: the change relative to the control's mean, and the range of lifts that a test does not reject.

The second of three steps that combine freely. Whatever the inference, it hands over one number, the
half-width of its test in standard errors; three ways of turning that into a range are offered by name.

- ``fieller`` keeps every lift that the test of the *difference* would not reject, so it excludes "no change"
  exactly when the difference does. The default.
- ``log`` is symmetric for the logarithm of the ratio; for positive means only.
- ``delta`` is symmetric for the ratio itself. Popular elsewhere; with skewed values it covers too rarely.

The lift is (m₁ − m₀) / |m₀|: positive means more, also when the control's mean is negative.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from analysis.estimate import Estimate
from analysis.interval import Interval


class LiftMethod(StrEnum):
    """How the range of lifts is found."""

    FIELLER = "fieller"
    LOG = "log"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class Relative:
    """A difference beside the mean that it is divided by.

    Attributes
    ----------
    difference, variance
        Treatment − control, and the square of its standard error.
    base, base_variance
        The control's mean and the square of its standard error.
    covariance
        Of the difference with the control's mean: −Var(m₀) for two plain means.
    """

    difference: float
    variance: float
    base: float
    base_variance: float
    covariance: float

    @classmethod
    def of(cls, difference: Estimate, control: Estimate, *, shrinkage: float = 1.0) -> "Relative":
        """Set a difference beside its control.

        An adjusted estimate carries the unadjusted mean that a lift refers to, because dividing by an
        adjusted mean would change what "ten per cent more" means. ``shrinkage`` is the share of the data's
        own difference in the estimate: below 1 where a prior has pulled it.
        """
        anchor = control.anchor
        if anchor is None:
            spread = control.standard_error**2
            return cls(
                difference.value, difference.standard_error**2, control.value, spread, -shrinkage * spread
            )
        return cls(
            difference.value,
            difference.standard_error**2,
            anchor.value,
            anchor.standard_error**2,
            -shrinkage * anchor.covariance,
        )

    @property
    def lift(self) -> float:
        """The relative change; asked only where the base is not zero."""
        return self.difference / abs(self.base)

    @property
    def standard_error(self) -> float:
        """Of the lift, by the delta method at the estimated lift."""
        return self.error_at(self.difference / self.base)

    def error_at(self, ratio: float) -> float:
        """Standard error of the lift linearised at a given ratio D / m₀: √Var(D − ratio·m₀) / |m₀|."""
        spread = self.variance - 2 * ratio * self.covariance + ratio * ratio * self.base_variance
        return math.sqrt(max(0.0, spread)) / abs(self.base)


def lift_interval(relative: Relative, width: float, method: LiftMethod) -> Interval | None:
    """The lift with its range.

    Parameters
    ----------
    relative
        The difference and its base.
    width
        Half-width of the test in standard errors.
    method
        How the range is found.

    Returns
    -------
    Interval or None
        None when the base is zero or so small that the lift is beyond floating point; for ``log`` also when
        a mean is not positive.

    Examples
    --------
    >>> change = Relative(difference=1.0, variance=0.25, base=10.0, base_variance=0.09, covariance=-0.09)
    >>> for method in LiftMethod:
    ...     found = lift_interval(change, 1.96, method)
    ...     print(method, round(found.low, 4), round(found.high, 4))
    fieller 0.0019 0.2057
    log 0.0029 0.2065
    delta -0.0016 0.2016
    """
    if relative.base == 0 or not math.isfinite(relative.lift):
        return None
    if not math.isfinite(width) or not math.isfinite(relative.standard_error):
        return Interval(relative.lift, -math.inf, math.inf)
    match method:
        case LiftMethod.FIELLER:
            return _fieller(relative, width)
        case LiftMethod.LOG:
            return _log(relative, width)
        case LiftMethod.DELTA:
            reach = width * relative.standard_error
            return Interval(relative.lift, relative.lift - reach, relative.lift + reach)


def _fieller(relative: Relative, width: float) -> Interval:
    """Solve |D − L·m₀| ≤ width · SE(D − L·m₀) for L, a quadratic.

    When the base itself could be zero at this confidence the set has no end on at least one side; it is
    given as unbounded on both.

    References
    ----------
    Fieller (1954), *Some problems in interval estimation*, JRSS B 16.
    """
    base = relative.base
    d = relative.difference / base
    # Everything is measured in the base, so that neither huge nor tiny metrics leave the floating range.
    v = relative.variance / base / base
    c = relative.covariance / base / base
    b = relative.base_variance / base / base
    square = width * width
    g = square * b
    if not g < 1:
        return Interval(relative.lift, -math.inf, math.inf)
    middle = (d - square * c) / (1 - g)
    # The discriminant, arranged so that only c² − v·b is a difference of like quantities.
    inside = square * (v - 2 * d * c + d * d * b + square * (c * c - v * b))
    reach = math.sqrt(max(0.0, inside)) / (1 - g)
    sign = math.copysign(1.0, base)
    low, high = sorted((sign * (middle - reach), sign * (middle + reach)))
    return Interval(relative.lift, low, high)


def _log(relative: Relative, width: float) -> Interval | None:
    """The interval of log(m₁ / m₀), taken back to the lift.

    References
    ----------
    Hedges, Gurevitch, Curtis (1999), *The meta-analysis of response ratios in experimental ecology*,
    Ecology 80.
    """
    ratio = 1 + relative.difference / relative.base
    if relative.base <= 0 or ratio <= 0:
        return None
    error = log_ratio_error(relative)
    return Interval(relative.lift, ratio * math.exp(-width * error) - 1, _grown(ratio, width * error))


def _grown(ratio: float, exponent: float) -> float:
    """Ratio · e^exponent − 1, infinite where it leaves the floating range."""
    logarithm = math.log(ratio) + exponent
    return math.expm1(logarithm) if logarithm < 709 else math.inf


def log_ratio_error(relative: Relative) -> float:
    """Standard error of log(m₁ / m₀): √(SE₁² / m₁² + SE₀² / m₀²) for two plain means."""
    ratio = 1 + relative.difference / relative.base
    return relative.standard_error / abs(ratio)


def ratio_df(treatment: Estimate, control: Estimate) -> float:
    """Welch's degrees of freedom for the contrast m₁ − r·m₀ at the estimated ratio r.

    The difference test uses the contrast at r = 1. At the two ends of a lift interval a ratio away from 1
    is tested, for which some prefer these; the interval then no longer inverts the difference test exactly.

    References
    ----------
    Tamhane, Logan (2004), *Finding the maximum safe dose level for heteroscedastic data*, J. Biopharm.
    Statistics 14.
    """
    ratio = treatment.value / control.value
    return contrast_df(treatment.standard_error, ratio * control.standard_error, treatment.df, control.df)


def log_ratio_df(treatment: Estimate, control: Estimate) -> float:
    """Welch's degrees of freedom on the scale of logarithms."""
    return contrast_df(
        treatment.standard_error / treatment.value,
        control.standard_error / control.value,
        treatment.df,
        control.df,
    )


def contrast_df(one: float, other: float, one_df: float, other_df: float) -> float:
    """Degrees of freedom of a difference of independent estimates, by Welch and Satterthwaite.

    (SE₁² + SE₀²)² / (SE₁⁴ / df₁ + SE₀⁴ / df₀). A side without variation contributes nothing, so the other
    side's degrees of freedom remain.

    References
    ----------
    Satterthwaite (1946), *An approximate distribution of estimates of variance components*, Biometrics 2.
    """
    largest = max(abs(one), abs(other))
    # Scaled by the larger: standard errors of 1e-200 neither under- nor overflow when squared.
    first, second = (one / largest) ** 2, (other / largest) ** 2
    spent = first * first / one_df + second * second / other_df
    return math.inf if spent == 0 else (first + second) ** 2 / spent
