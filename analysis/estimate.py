"""Estimators: from the moments of one variant to a value with its standard error.

The first of three steps that combine freely: an estimator, a scale (difference or lift) and an inference.
"""

import math
from dataclasses import dataclass

from analysis.errors import Cause, NotEstimable
from analysis.moments import Moments


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
    """

    value: float
    standard_error: float
    n: int
    df: float
    method: str


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
    test; the sample variance has the divisor n − 1 as for any mean.
    """
    return _of_moments(moments, "proportion")


def _of_moments(moments: Moments, method: str) -> Estimate | NotEstimable:
    if moments.n == 0:
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    if moments.n == 1:
        return NotEstimable(Cause.TOO_FEW_UNITS, "one unit has no spread; at least two are needed")
    if not (math.isfinite(moments.value) and math.isfinite(moments.variance)):
        return NotEstimable(Cause.NOT_FINITE, "the sums are beyond the range of floating point")
    error = math.sqrt(moments.variance / moments.n)
    return Estimate(moments.value, error, moments.n, moments.n - 1, method)
