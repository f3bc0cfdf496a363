"""Many to one: several treatments against one control, by Dunnett.

The comparisons share the control, so they are correlated, and Bonferroni asks too much. Because the
correlations have the form ρ_ij = l_i·l_j with l_i = √(n_i/(n_i + n_0)), the multivariate t probability is an
integral over two variables only,

    P(max |T_i| ≤ c) = ∫∫ ∏ [Φ((l_i·x + c·s)/√(1 − l_i²)) − Φ((l_i·x − c·s)/√(1 − l_i²))] φ(x) f(s) dx ds,

where s is the estimated over the true standard deviation. It is taken by quadrature, without random numbers.

References
----------
Dunnett (1955), *A multiple comparison procedure for comparing several treatments with a control*, JASA 50.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.interval import Interval
from analysis.moments import Moments
from analysis.quadrature import panel

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ManyToOne:
    """One treatment against the control, corrected for the other treatments."""

    difference: Interval
    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class DunnettTest:
    """All treatments against one control.

    Attributes
    ----------
    critical_value
        For the largest |t|.
    df
        Of the common variance.
    """

    comparisons: tuple[ManyToOne, ...]
    critical_value: float
    df: int


def dunnett(
    treatments: Sequence[Moments], control: Moments, confidence: float = 0.95
) -> DunnettTest | NotEstimable:
    """Compare the means of several treatments with one control, with a common variance.

    Parameters
    ----------
    treatments, control
        Moments of the same metric.
    confidence
        That all intervals hold together.

    Examples
    --------
    >>> arm = lambda mean: Moments.from_summary(n=20, mean=mean, var=4.0)
    >>> test = dunnett([arm(11.5), arm(10.5)], arm(10.0))
    >>> round(test.critical_value, 3), [round(each.p_value, 3) for each in test.comparisons]
    (2.268, [0.039, 0.646])
    """
    if not treatments:
        raise InvalidInput("treatments: expected at least one")
    arms = [control, *treatments]
    df = sum(arm.n for arm in arms) - len(arms)
    if min(arm.n for arm in arms) < 1 or df < 1:
        return NotEstimable(Cause.TOO_FEW_UNITS, "every arm needs a unit, and one arm more than one")
    variance = math.fsum(float(arm.cross[0, 0]) for arm in arms) / df
    if variance == 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit has its variant's value")
    loadings = np.array([math.sqrt(arm.n / (arm.n + control.n)) for arm in treatments])
    critical = critical_value(loadings, df=df, confidence=confidence)
    found = []
    for arm in treatments:
        error = math.sqrt(variance * (1 / arm.n + 1 / control.n))
        gap = arm.value - control.value
        p_value = tail_of_largest(abs(gap) / error, loadings, df=df)
        interval = Interval(gap, gap - critical * error, gap + critical * error)
        found.append(ManyToOne(interval, gap / error, p_value))
    return DunnettTest(tuple(found), critical, df)


def critical_value(loadings: Floats, *, df: float, confidence: float = 0.95) -> float:
    """The value that the largest |t| stays below with the given probability.

    Parameters
    ----------
    loadings
        l_i = √(n_i/(n_i + n_0)) of each treatment; √½ with equal arms.
    df
        Infinite for a known variance.

    Examples
    --------
    >>> round(critical_value(np.full(4, 0.5**0.5), df=math.inf), 4)
    2.4418
    """
    target = math.log(1 - confidence)

    def excess(c: float) -> float:
        return math.log(max(tail_of_largest(c, loadings, df=df), 1e-300)) - target

    upper = 8.0
    while excess(upper) > 0 and upper < 1e6:
        upper *= 4
    return float(optimize.brentq(excess, 1e-3, upper, xtol=1e-10))


def tail_of_largest(c: float, loadings: Floats, *, df: float) -> float:
    """P(max |T_i| > c)."""
    x, x_mass = _normal_nodes()
    s, s_mass = _scale_nodes(df)
    rest = np.sqrt(1 - loadings**2)
    kept = np.ones((len(s), len(x)))
    for loading, scale in zip(loadings, rest, strict=True):
        middle = loading * x[np.newaxis, :]
        reach = c * s[:, np.newaxis]
        outside = special.ndtr((-reach - middle) / scale) + special.ndtr((middle - reach) / scale)
        kept *= 1 - outside
    # 1 − ∏ loses digits once the tail is below 1e-13; there Bonferroni's sum is exact enough.
    tail = float(s_mass @ (1 - kept) @ x_mass)
    if tail > 1e-12:
        return min(1.0, tail)
    single = special.ndtr(-c) if math.isinf(df) else special.stdtr(df, -c)
    return min(1.0, 2 * len(loadings) * float(single))


def _normal_nodes() -> tuple[Floats, Floats]:
    x, weights = panel(-8.5, 8.5, 96)
    return x, weights * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _scale_nodes(df: float) -> tuple[Floats, Floats]:
    """Nodes for s = √(χ²_ν/ν): equal steps of probability would miss the tails, so steps of quantiles."""
    if math.isinf(df):
        return np.ones(1), np.ones(1)
    low = math.sqrt(2 * float(special.gammaincinv(df / 2, 1e-15)) / df)
    high = math.sqrt(2 * float(special.gammainccinv(df / 2, 1e-15)) / df)
    s, weights = panel(low, high, 64)
    log_density = (
        math.log(2)
        + df / 2 * math.log(df / 2)
        - float(special.gammaln(df / 2))
        + (df - 1) * np.log(s)
        - df * s * s / 2
    )
    mass = weights * np.exp(log_density)
    return s, mass / mass.sum()
