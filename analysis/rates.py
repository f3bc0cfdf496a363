"""Rates: events per exposure, such as errors per thousand requests, compared between two arms.

Given the total number of events, the treatment's part of it is binomial; that makes three of the four methods
here intervals for one share in other clothes. They assume that events come one by one, independently: where
users produce bursts of them, use a ratio metric with users as units.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.interval import Interval
from analysis.shares import clopper_pearson, no_likelier, wilson


@dataclass(frozen=True, slots=True)
class RateComparison:
    """The ratio of two rates with its intervals and p-values, by method."""

    ratio: float
    exact: Interval
    log_wald: Interval | None
    score: Interval
    p_exact: float
    p_score: float
    p_etest: float


def compare_rates(
    treatment: tuple[int, float], control: tuple[int, float], confidence: float = 0.95
) -> RateComparison | NotEstimable:
    """Compare two Poisson rates.

    Parameters
    ----------
    treatment, control
        (events, exposure) of each arm.

    References
    ----------
    Przyborowski, Wilenski (1940), *Homogeneity of results in testing samples from Poisson series*, Biometrika
    31, exact. Gu, Ng, Tang, Schucany (2008), *Testing the ratio of two Poisson rates*, Biometrical J. 50,
    score. Krishnamoorthy, Thomson (2004), *A more powerful test for comparing two Poisson means*, J. Stat.
    Planning and Inference 119, E-test.

    Examples
    --------
    >>> answer = compare_rates((155, 1010.0), (120, 1000.0))
    >>> round(answer.ratio, 4), round(answer.p_exact, 4), round(answer.score.low, 4)
    (1.2789, 0.0464, 1.0083)
    """
    (x1, t1), (x0, t0) = treatment, control
    if min(x1, x0) < 0 or not (0 < t1 < math.inf and 0 < t0 < math.inf):
        raise InvalidInput("treatment, control: expected (events ≥ 0, exposure > 0)")
    total = x1 + x0
    if total == 0:
        return NotEstimable(Cause.TOO_FEW_EVENTS, "no event in either arm")
    null = t1 / (t1 + t0)
    alpha = 1 - confidence
    ratio = (x1 / t1) / (x0 / t0) if x0 else math.inf
    z = (x1 - total * null) / math.sqrt(total * null * (1 - null))
    return RateComparison(
        ratio=ratio,
        exact=_of_share(ratio, clopper_pearson(x1, total, alpha), t0 / t1),
        log_wald=_log_wald(ratio, x1, x0, alpha),
        score=_of_share(ratio, wilson(x1, total, alpha), t0 / t1),
        p_exact=no_likelier(x1, total, null),
        p_score=2 * float(special.ndtr(-abs(z))),
        p_etest=_etest(total, null, z),
    )


def _of_share(ratio: float, ends: tuple[float, float], scale: float) -> Interval:
    """From the treatment's share of the events to the ratio of rates."""
    low, high = ((share / (1 - share) if share < 1 else math.inf) * scale for share in ends)
    return Interval(ratio, low, high)


def _log_wald(ratio: float, x1: int, x0: int, alpha: float) -> Interval | None:
    if min(x1, x0) == 0:
        return None
    reach = -float(special.ndtri(alpha / 2)) * math.sqrt(1 / x1 + 1 / x0)
    return Interval(ratio, ratio * math.exp(-reach), ratio * math.exp(reach))


def _etest(total: int, null: float, z: float) -> float:
    """P(|Z| ≥ |z|) where both counts are Poisson with their means estimated under the hypothesis."""
    first, x1 = _poisson(total * null)
    second, x0 = _poisson(total * (1 - null))
    both = x1[:, np.newaxis] + x0[np.newaxis, :]
    spread = np.sqrt(both * null * (1 - null))
    distance = np.abs(x1[:, np.newaxis] - both * null)
    far = (distance >= abs(z) * spread * (1 - 1e-12)) & (both > 0)
    return min(1.0, float(first @ far @ second))


def _poisson(mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and counts within twelve standard deviations of the mean."""
    reach = 12 * math.sqrt(mean) + 30
    counts = np.arange(max(0, math.floor(mean - reach)), math.ceil(mean + reach) + 1)
    return np.exp(special.xlogy(counts, mean) - mean - special.gammaln(counts + 1)), counts
