"""Estimators: from the moments of one variant to a value with its standard error.

The first of three steps that combine freely: an estimator, a scale (difference or lift) and an inference.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from analysis.errors import Cause, NotEstimable
from analysis.moments import Moments


@dataclass(frozen=True, slots=True)
class Anchor:
    """The unadjusted mean behind an adjusted estimate: what a lift is relative to.

    ``covariance`` is that of the adjusted with the unadjusted mean.
    """

    value: float
    standard_error: float
    covariance: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error.

    Attributes
    ----------
    value, standard_error
        In the metric's own unit.
    n
        Units behind it.
    df
        Degrees of freedom of the standard error, for Student's t; infinite where it is normal.
    method
        The estimator's name.
    anchor
        The unadjusted mean, where the value is an adjusted one.
    """

    value: float
    standard_error: float
    n: int
    df: float
    method: str
    anchor: Anchor | None = field(default=None, repr=False)

    @property
    def asymptotic(self) -> "Estimate":
        """The same estimate with its standard error taken as known, for a normal instead of Student's t."""
        return replace(self, df=math.inf)


def mean(moments: Moments) -> Estimate | NotEstimable:
    """Estimate the mean of the first variable.

    The standard error is s / √n. A sample without any variation still has an estimate, with standard error
    zero; whether a *comparison* is possible is decided where both arms are known.

    Examples
    --------
    >>> mean(Moments.from_summary(n=100, mean=5.0, var=4.0))
    Estimate(value=5.0, standard_error=0.2, n=100, df=99, method='mean')
    """
    return _of_moments(moments, "mean")


def proportion(moments: Moments) -> Estimate | NotEstimable:
    """Estimate a proportion from the moments of zeros and ones.

    At the sizes of online experiments the mean of zeros and ones *is* the proportion and Welch's test its
    test; the sample variance has the divisor n − 1 as for any mean. With few successes or failures see
    `analysis.proportions`.

    Examples
    --------
    >>> round(proportion(Moments.from_counts(successes=30, n=100)).standard_error, 5)
    0.04606
    """
    return _of_moments(moments, "proportion")


def ratio(moments: Moments, numerator: int = 0, denominator: int = 1) -> Estimate | NotEstimable:
    """Estimate a ratio of two means of the same units, R = m_x / m_y, by the delta method.

    Var(R) = (s²_x − 2·R·s_xy + R²·s²_y) / (n·m_y²), the variance of the linearised values x − R·y. The
    unit is the unit of randomisation: revenue per order, say, with users as units.

    Parameters
    ----------
    moments
        Of at least two variables.
    numerator, denominator
        Which of them.

    References
    ----------
    Deng, Knoblich, Lu (2018), *Applying the delta method in metric analytics*, KDD, section 3.1.

    Examples
    --------
    >>> orders = Moments.from_values([[20.0, 2.0], [10.0, 1.0], [33.0, 3.0]])
    >>> answer = ratio(orders)
    >>> round(answer.value, 3), round(answer.standard_error, 3)
    (10.5, 0.382)
    """
    pair = moments.take([numerator, denominator])
    below = _of_moments(pair.take([1]), "mean")
    if isinstance(below, NotEstimable):
        return below
    if below.value == 0:
        return NotEstimable(Cause.ZERO_DENOMINATOR, "the denominator's mean is zero")
    value = float(pair.mean[0]) / below.value
    if not math.isfinite(value):
        return NotEstimable(Cause.NOT_FINITE, "the ratio is beyond the range of floating point")
    linear = _of_moments(pair.combine([1.0, -value]), "ratio")
    if isinstance(linear, NotEstimable):
        return linear
    return Estimate(value, linear.standard_error / abs(below.value), moments.n, moments.n - 1, "ratio")


def linearised(
    moments: Moments, kappa: float, numerator: int = 0, denominator: int = 1
) -> Estimate | NotEstimable:
    """Estimate the mean of x − κ·y, where κ is the control's ratio.

    The difference of two such means has the sign of the difference of the ratios, and unlike a ratio it is
    a mean of one number per unit, so it can be adjusted, stratified or capped like any other.

    References
    ----------
    Budylin, Drutsa, Katsev, Tsoy (2018), *Consistent transformation of ratio metrics for efficient online
    controlled experiments*, WSDM.

    Examples
    --------
    >>> linearised(Moments.from_values([[20.0, 2.0], [10.0, 1.0], [33.0, 3.0]]), kappa=10.0).value
    1.0
    """
    return _of_moments(moments.take([numerator, denominator]).combine([1.0, -kappa]), "linearised")


def pooled(estimates: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """A weighted sum of independent estimates, with Satterthwaite's degrees of freedom.

    Examples
    --------
    >>> halves = [Estimate(1.0, 0.1, 50, 49, "mean"), Estimate(3.0, 0.1, 50, 49, "mean")]
    >>> whole = pooled(halves, [0.5, 0.5])
    >>> whole.value, round(whole.standard_error, 4), round(whole.df, 6)
    (2.0, 0.0707, 98.0)
    """
    value = math.fsum(weight * each.value for weight, each in zip(weights, estimates, strict=True))
    errors = [abs(weight) * each.standard_error for weight, each in zip(weights, estimates, strict=True)]
    error = math.hypot(*errors)
    shares = [(each / error) ** 2 if error else 0.0 for each in errors]
    spent = math.fsum(share * share / each.df for share, each in zip(shares, estimates, strict=True))
    n = sum(each.n for each in estimates)
    return Estimate(value, error, n, 1 / spent if spent else math.inf, estimates[0].method)


def _of_moments(moments: Moments, method: str) -> Estimate | NotEstimable:
    if moments.n == 0:
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    if moments.n == 1:
        return NotEstimable(Cause.TOO_FEW_UNITS, "one unit has no spread; at least two are needed")
    if not (math.isfinite(moments.value) and math.isfinite(moments.variance)):
        return NotEstimable(Cause.NOT_FINITE, "the sums are beyond the range of floating point")
    # A combination of variables may come out a rounding error below zero.
    error = math.sqrt(max(0.0, moments.variance) / moments.n)
    return Estimate(moments.value, error, moments.n, moments.n - 1, method)
