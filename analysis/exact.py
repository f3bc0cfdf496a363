"""Exact tests of a two-by-two table: no approximation, for a handful of successes.

Fisher's test holds both margins fixed and is conservative; with the mid-p value half of the observed table
counts. Barnard's and Boschloo's hold only the arms' sizes fixed and take the worst nuisance probability,
which makes them more powerful and slower.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.interval import Interval
from analysis.score import Counts

Floats = NDArray[np.float64]

_TIE = 1 + 1e-7
_TABLES = 250_000
"""More tables than this are beyond the unconditional tests; the score test is as good there."""


@dataclass(frozen=True, slots=True)
class FisherTest:
    """P-values given both margins. ``p_value`` counts the tables no likelier than the one that came."""

    p_value: float
    p_greater: float
    p_less: float
    p_mid: float


def fisher_test(counts: Counts) -> FisherTest:
    """Compare two proportions given the total number of successes.

    References
    ----------
    Fisher (1935), *The logic of inductive inference*, JRSS 98. Lancaster (1961), *Significance tests in
    discrete distributions*, JASA 56, for the mid-p value.

    Examples
    --------
    >>> test = fisher_test(Counts(152, 1000, 120, 1000))
    >>> round(test.p_value, 4), round(test.p_greater, 4)
    (0.043, 0.0215)
    """
    support, weights = _conditional(counts)
    probability = np.exp(weights - special.logsumexp(weights))
    place = counts.treatment - int(support[0])
    observed = float(probability[place])
    alike = float(probability[probability <= observed * _TIE].sum())
    ties = float(probability[np.isclose(probability, observed, rtol=1e-7, atol=0)].sum())
    return FisherTest(
        min(1.0, alike),
        min(1.0, float(probability[place:].sum())),
        min(1.0, float(probability[: place + 1].sum())),
        min(1.0, alike - ties / 2),
    )


def odds_ratio(counts: Counts, confidence: float = 0.95) -> Interval | NotEstimable:
    """The sample odds ratio x₁(n₀ − x₀) / (x₀(n₁ − x₁)) with Woolf's interval on logarithms.

    References
    ----------
    Woolf (1955), *On estimating the relation between blood group and disease*, Annals of Human Genetics 19.

    Examples
    --------
    >>> answer = odds_ratio(Counts(152, 1000, 120, 1000))
    >>> round(answer.estimate, 4), round(answer.low, 4), round(answer.high, 4)
    (1.3145, 1.0163, 1.7001)
    """
    cells = (
        counts.treatment,
        counts.control_n - counts.control,
        counts.control,
        counts.treatment_n - counts.treatment,
    )
    if min(cells) == 0:
        return NotEstimable(Cause.TOO_FEW_EVENTS, "an empty cell has no logarithm")
    a, b, c, d = cells
    value = (a * b) / (c * d)
    reach = -float(special.ndtri((1 - confidence) / 2)) * math.sqrt(sum(1 / cell for cell in cells))
    return Interval(value, value * math.exp(-reach), value * math.exp(reach))


def conditional_odds_ratio(counts: Counts, confidence: float = 0.95) -> Interval | NotEstimable:
    """The likeliest odds ratio given both margins, with the exact interval.

    The number of treated successes follows the noncentral hypergeometric distribution; the estimate is the
    odds ratio at which its mean is the observed number, the interval all that neither one-sided test rejects
    at α/2.

    References
    ----------
    Cornfield (1956), *A statistical problem arising from retrospective studies*, 3rd Berkeley Symposium.

    Examples
    --------
    >>> answer = conditional_odds_ratio(Counts(152, 1000, 120, 1000))
    >>> round(answer.estimate, 4), round(answer.low, 4), round(answer.high, 4)
    (1.3143, 1.0083, 1.7159)
    """
    support, weights = _conditional(counts)
    if len(support) == 1:
        return NotEstimable(Cause.NO_VARIATION, "the margins leave only this table")
    place = counts.treatment - int(support[0])
    alpha = 1 - confidence

    def tilted(logarithm: float) -> Floats:
        moved = weights + support * logarithm
        shifted: Floats = np.exp(moved - moved.max())
        shifted /= shifted.sum()
        return shifted

    lowest, highest = place == 0, place == len(support) - 1
    if lowest or highest:
        value = 0.0 if lowest else math.inf
    else:
        value = _solved(lambda each: float(tilted(each) @ support) - counts.treatment)
    low = 0.0 if lowest else _solved(lambda each: float(tilted(each)[place:].sum()) - alpha / 2)
    high = math.inf if highest else _solved(lambda each: alpha / 2 - float(tilted(each)[: place + 1].sum()))
    return Interval(value, low, high)


def barnard_test(counts: Counts) -> float | NotEstimable:
    """Two-sided p-value over all tables at least as far by the pooled z, at the worst common probability.

    Raises
    ------
    InvalidInput
        If the arms are too large for it; use the score test then.

    References
    ----------
    Barnard (1947), *Significance tests for 2 × 2 tables*, Biometrika 34. Suissa, Shuster (1985), *Exact
    unconditional sample sizes for the 2 × 2 binomial trial*, JRSS A 148, for the pooled z.

    Examples
    --------
    >>> round(barnard_test(Counts(7, 15, 12, 15)), 4)
    0.0682
    """
    _require_small(counts)
    if counts.treatment + counts.control in (0, counts.n):
        return NotEstimable(Cause.NO_VARIATION, "every unit of both variants has the same value")
    far = np.abs(_pooled_z(counts))
    reached = far >= far[counts.treatment, counts.control] / _TIE
    return _worst(counts, reached)


def boschloo_test(counts: Counts) -> float | NotEstimable:
    """Two-sided p-value over all tables with as small a one-sided Fisher p, doubled, at its worst.

    References
    ----------
    Boschloo (1970), *Raised conditional level of significance for the 2 × 2 table when testing the equality
    of two probabilities*, Statistica Neerlandica 24.

    Examples
    --------
    >>> round(boschloo_test(Counts(7, 15, 12, 15)), 4)
    0.0682
    """
    _require_small(counts)
    if counts.treatment + counts.control in (0, counts.n):
        return NotEstimable(Cause.NO_VARIATION, "every unit of both variants has the same value")
    sides = (
        _worst(counts, tail <= tail[counts.treatment, counts.control] * _TIE)
        for tail in _fisher_tails(counts)
    )
    return min(1.0, 2 * min(sides))


def _conditional(counts: Counts) -> tuple[NDArray[np.int64], Floats]:
    """The possible numbers of treated successes given the margins, with their log weights."""
    total = counts.treatment + counts.control
    support = np.arange(max(0, total - counts.control_n), min(total, counts.treatment_n) + 1)
    return support, _log_choose(counts.treatment_n, support) + _log_choose(counts.control_n, total - support)


def _log_choose(n: int, k: NDArray[np.int64]) -> Floats:
    chosen: Floats = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return chosen


def _solved(excess: Callable[[float], float]) -> float:
    """The odds ratio at which a rising function of its logarithm is zero."""
    return math.exp(optimize.brentq(excess, -50.0, 50.0, xtol=1e-13, rtol=1e-13))


def _require_small(counts: Counts) -> None:
    if (counts.treatment_n + 1) * (counts.control_n + 1) > _TABLES:
        raise InvalidInput("counts: the arms are too large for an unconditional test; use the score test")


def _pooled_z(counts: Counts) -> Floats:
    """The pooled z of every table, shape (n₁ + 1, n₀ + 1); 0 where it is 0 / 0."""
    n1, n0 = counts.treatment_n, counts.control_n
    x1, x0 = np.arange(n1 + 1)[:, np.newaxis], np.arange(n0 + 1)[np.newaxis, :]
    p = (x1 + x0) / (n1 + n0)
    error = np.sqrt(p * (1 - p) * (1 / n1 + 1 / n0))
    z: Floats = np.divide(x1 / n1 - x0 / n0, error, out=np.zeros_like(error), where=error > 0)
    return z


def _fisher_tails(counts: Counts) -> tuple[Floats, Floats]:
    """One-sided Fisher p-values of every table, greater and less; each total of successes is one family."""
    n1, n0 = counts.treatment_n, counts.control_n
    greater, less = np.ones((n1 + 1, n0 + 1)), np.ones((n1 + 1, n0 + 1))
    for total in range(n1 + n0 + 1):
        x1 = np.arange(max(0, total - n0), min(total, n1) + 1)
        weights = _log_choose(n1, x1) + _log_choose(n0, total - x1)
        probability = np.exp(weights - special.logsumexp(weights))
        greater[x1, total - x1] = np.cumsum(probability[::-1])[::-1]
        less[x1, total - x1] = np.cumsum(probability)
    return greater, less


def _worst(counts: Counts, reached: NDArray[np.bool_]) -> float:
    """The largest probability of a set of tables over the common success probability."""
    chosen = reached.astype(np.float64)

    def probability(p: float) -> float:
        one, other = _binomial(counts.treatment_n, p), _binomial(counts.control_n, p)
        return float(one @ chosen @ other)

    grid = (np.arange(400) + 0.5) / 400
    heights = [probability(float(p)) for p in grid]
    peak = float(grid[int(np.argmax(heights))])
    found = optimize.minimize_scalar(
        lambda p: -probability(p),
        bounds=(max(1e-9, peak - 1 / 400), min(1 - 1e-9, peak + 1 / 400)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return min(1.0, max(*heights, -float(found.fun)))


def _binomial(n: int, p: float) -> Floats:
    x = np.arange(n + 1)
    mass: Floats = np.exp(_log_choose(n, x) + x * math.log(p) + (n - x) * math.log1p(-p))
    return mass
