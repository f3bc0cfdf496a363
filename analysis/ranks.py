"""Ranks: comparisons that only ask which of two values is larger.

Mann and Whitney's test asks whether a treated unit beats an untreated one more often than not. That is not a
question about means: with skewed revenue the two can point in opposite directions. Brunner and Munzel's asks
the same without assuming equal spread and is the better choice when spreads differ.

References
----------
Mann, Whitney (1947), *On a test of whether one of two random variables is stochastically larger than the
other*, Annals of Math. Statistics 18. Brunner, Munzel (2000), *The nonparametric Behrens–Fisher problem*,
Biometrical J. 42. Hodges, Lehmann (1963), *Estimates of location based on rank tests*, Annals of Math.
Statistics 34.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.inference import t_tail
from analysis.interval import Interval

Floats = NDArray[np.float64]

EXACT_PAIRS = 2_500
"""Up to so many pairs of units exact distributions are counted: 50 by 50."""

EXACT_SHIFTS = 40_000
"""Up to so many pairs without ties the ends of the shift's interval are exact."""

_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class RankTest:
    """Mann and Whitney's test.

    Attributes
    ----------
    u
        Pairs in which the treated value is larger, ties counting one half.
    superiority
        U as a share of all pairs: the probability that a treated unit beats an untreated one.
    p_value, p_corrected
        From the normal distribution with the variance corrected for ties, without and with a continuity
        correction.
    p_exact
        From the distribution over all splits, ties included: how likely a U at least as far from its
        expectation is. None with more than `EXACT_PAIRS` pairs.
    p_untied
        Twice the smaller exact tail, the tabulated distribution; None where there are ties.
    """

    u: float
    superiority: float
    p_value: float
    p_corrected: float
    p_exact: float | None
    p_untied: float | None


@dataclass(frozen=True, slots=True)
class SpreadTest:
    """Brunner and Munzel's test of P(treated > control) = ½."""

    statistic: float
    df: float
    p_value: float


def mann_whitney(treatment: ArrayLike, control: ArrayLike) -> RankTest | NotEstimable:
    """Test whether a treated unit beats an untreated one more often than not.

    Examples
    --------
    >>> test = mann_whitney([3.0, 4.0, 5.0], [1.0, 2.0, 3.5])
    >>> test.u, round(test.superiority, 4), round(test.p_untied, 4)
    (8.0, 0.8889, 0.2)
    """
    new, old = _arms(treatment, control)
    if not len(new) or not len(old):
        return NotEstimable(Cause.NO_UNITS, "an arm is empty")
    n1, n0 = len(new), len(old)
    ranks, groups = _ranks(np.concatenate([new, old]))
    u = float(ranks[:n1].sum()) - n1 * (n1 + 1) / 2
    n = n1 + n0
    ties = float((groups**3 - groups).sum()) / (n * (n - 1))
    variance = n1 * n0 / 12 * (n + 1 - ties)
    if variance <= 0:
        return NotEstimable(Cause.NO_VARIATION, "every unit of both variants has the same value")
    away = abs(u - n1 * n0 / 2)
    spread = math.sqrt(variance)
    small = n1 * n0 <= EXACT_PAIRS
    return RankTest(
        u,
        u / (n1 * n0),
        _two_tails(away / spread),
        _two_tails(max(0.0, away - 0.5) / spread),
        _permuted(ranks, n1) if small else None,
        _tabulated(u, n1, n0) if small and (groups == 1).all() else None,
    )


def brunner_munzel(treatment: ArrayLike, control: ArrayLike) -> SpreadTest | NotEstimable:
    """Test whether a treated unit beats an untreated one as often as not, the spreads being free.

    Examples
    --------
    >>> test = brunner_munzel([3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 3.5, 2.5])
    >>> round(test.statistic, 4), round(test.df, 3)
    (4.9497, 6.0)
    """
    new, old = _arms(treatment, control)
    n1, n0 = len(new), len(old)
    if min(n1, n0) < 2:
        return NotEstimable(Cause.TOO_FEW_UNITS, "two units in each arm are needed")
    ranks, _ = _ranks(np.concatenate([new, old]))
    placed1, placed0 = ranks[:n1] - _ranks(new)[0], ranks[n1:] - _ranks(old)[0]
    v1, v0 = float(placed1.var(ddof=1)), float(placed0.var(ddof=1))
    spread = n1 * v1 + n0 * v0
    if spread == 0:
        return NotEstimable(Cause.NO_VARIATION, "the arms do not overlap")
    statistic = n1 * n0 * float(ranks[:n1].mean() - ranks[n1:].mean()) / ((n1 + n0) * math.sqrt(spread))
    df = spread**2 / ((n1 * v1) ** 2 / (n1 - 1) + (n0 * v0) ** 2 / (n0 - 1))
    return SpreadTest(statistic, df, min(1.0, 2 * t_tail(df, abs(statistic))))


def hodges_lehmann(
    treatment: ArrayLike, control: ArrayLike, confidence: float = 0.95
) -> Interval | NotEstimable:
    """The median of all pairwise differences, with every shift that the rank test does not reject.

    The interval's ends are order statistics of the differences, by the exact distribution for small samples
    without ties and otherwise by the normal one with its correction for ties. For more than some millions of
    pairs take a sample first: all of them are held in memory.

    Examples
    --------
    >>> answer = hodges_lehmann([3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 3.5, 2.5])
    >>> answer.estimate, answer.low, answer.high
    (2.25, -0.5, 5.0)
    """
    new, old = _arms(treatment, control)
    if not len(new) or not len(old):
        return NotEstimable(Cause.NO_UNITS, "an arm is empty")
    n1, n0 = len(new), len(old)
    shifts = np.sort(np.subtract.outer(new, old).ravel())
    alpha = 1 - confidence
    _, groups = _ranks(np.concatenate([new, old]))
    if n1 * n0 <= EXACT_SHIFTS and (groups == 1).all():
        cumulative = np.cumsum(_u_distribution(n1, n0))
        rank = max(1, int(np.argmax(cumulative >= alpha / 2)))
        return Interval(float(np.median(shifts)), float(shifts[rank - 1]), float(shifts[n1 * n0 - rank]))
    low, high = (_shift_at(new, old, tail, shifts) for tail in (1 - alpha / 2, alpha / 2))
    return Interval(float(np.median(shifts)), low, high)


def _shift_at(new: Floats, old: Floats, level: float, shifts: Floats) -> float:
    """The shift at which the continuity-corrected z of the shifted samples passes a normal quantile."""
    target = float(special.ndtri(level))

    def z(shift: float) -> float:
        moved = new - shift
        ranks, groups = _ranks(np.concatenate([moved, old]))
        n1, n0 = len(new), len(old)
        n = n1 + n0
        away = float(ranks[:n1].sum()) - n1 * (n1 + 1) / 2 - n1 * n0 / 2
        ties = float((groups**3 - groups).sum()) / (n * (n - 1))
        corrected = away - 0.5 * float(np.sign(away))
        spread = math.sqrt(n1 * n0 / 12 * (n + 1 - ties))
        # Shifted onto each other, two constant arms are one tie: nothing tells them apart.
        return (corrected / spread if spread else 0.0) - target

    low, high = float(shifts[0]), float(shifts[-1])
    if z(low) <= 0:
        return low
    if z(high) >= 0:
        return high
    return float(optimize.brentq(z, low, high, xtol=1e-8))


def _two_tails(z: float) -> float:
    return min(1.0, 2 * float(special.ndtr(-z)))


def _tabulated(u: float, n1: int, n0: int) -> float:
    mass = _u_distribution(n1, n0)
    place = round(u)
    return min(1.0, 2 * float(min(mass[: place + 1].sum(), mass[place:].sum())))


def _u_distribution(n1: int, n0: int) -> Floats:
    """Probability of each U from 0 to n₁·n₀ without ties.

    The counts are the coefficients of the Gaussian binomial ∏ (1 − x^(n₀+i)) / (1 − x^i), i = 1 … n₁; they
    are divided by their sum as they grow, so they never leave the floating range.
    """
    size = n1 * n0 + 1
    mass = np.zeros(size)
    mass[0] = 1.0
    for i in range(1, n1 + 1):
        grown = mass.copy()
        grown[n0 + i :] -= mass[: max(0, size - n0 - i)]
        for start in range(min(i, size)):
            grown[start::i] = np.cumsum(grown[start::i])
        mass = np.maximum(grown, 0.0) * (i / (n0 + i))
    total: Floats = mass / mass.sum()
    return total


def _permuted(ranks: Floats, n1: int) -> float:
    """P(|U − E| at least as far) over all splits, by counting sums of doubled ranks."""
    doubled = np.rint(2 * ranks).astype(np.int64)
    doubled -= doubled.min()
    top = int(np.sort(doubled)[-n1:].sum())
    ways = np.zeros((n1 + 1, top + 1))
    ways[0, 0] = 1.0
    for done, value in enumerate(doubled, start=1):
        # ways[j] / C(done, j) stays a probability: chosen with j/done, left with 1 − j/done.
        size = np.arange(min(n1, done), 0, -1)
        for j in size:
            stay = ways[j] * ((done - j) / done)
            stay[value:] += ways[j - 1, : top + 1 - value] * (j / done)
            ways[j] = stay
    sums = np.arange(top + 1)
    expected = n1 * float(doubled.mean())
    away = abs(float(doubled[:n1].sum()) - expected)
    mass = ways[n1]
    return min(1.0, float(mass[np.abs(sums - expected) >= away - _TIE].sum() / mass.sum()))


def _ranks(values: Floats) -> tuple[Floats, Floats]:
    """Mid-ranks from 1, and the sizes of the groups of equal values."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    middle = ends - (count - 1) / 2
    ranks: Floats = middle[place]
    return ranks, count.astype(np.float64)


def _arms(treatment: ArrayLike, control: ArrayLike) -> tuple[Floats, Floats]:
    new, old = np.asarray(treatment, dtype=np.float64), np.asarray(control, dtype=np.float64)
    if not (np.isfinite(new).all() and np.isfinite(old).all()):
        raise InvalidInput("treatment, control: expected finite numbers")
    return new, old
