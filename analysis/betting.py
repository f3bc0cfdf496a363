"""Betting: confidence sequences for the mean of bounded values, without any approximation.

A gambler who bets against "the mean is m" and cannot lose on average if it is true, yet has grown rich, is
evidence against m. All m that nobody has grown rich against form the interval; it holds at every moment at
once. Three strategies, from the sharpest to the simplest; values are taken in the order of arrival.

References
----------
Waudby-Smith, Ramdas (2024), *Estimating means of bounded random variables by betting*, JRSS B 86.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.interval import Interval

Floats = NDArray[np.float64]

_LIMIT = 0.5
"""Bets are kept below half of what could be lost, so that no single value can ruin the gambler."""


def hedged_interval(
    values: ArrayLike, *, low: float = 0.0, high: float = 1.0, confidence: float = 0.95
) -> Interval | NotEstimable:
    """The hedged capital interval: half the money bets that the mean is larger, half that it is smaller.

    A mean m is kept while neither ½·∏(1 + λ_i·(x_i − m)) nor ½·∏(1 − λ_i·(x_i − m)) exceeds 1/α; the bets are
    λ_i = √(2·log(2/α)/(σ̂²_{i−1}·i·log(i + 1))), at most ½/m and ½/(1 − m).

    Parameters
    ----------
    values
        Shape (n,), each between ``low`` and ``high``, in the order of arrival.

    Examples
    --------
    >>> answer = hedged_interval([0.4, 0.5, 0.6] * 30)
    >>> round(answer.low, 2), round(answer.high, 2)
    (0.46, 0.54)
    """
    x = _scaled(values, low, high)
    if not len(x):
        return NotEstimable(Cause.NO_UNITS, "no value was seen")
    alpha = 1 - confidence
    bets = _bets(x, alpha / 2)
    limit = math.log(2 / alpha)

    def capital(m: float, sign: float) -> float:
        reach = m if sign > 0 else 1 - m
        bounded = np.minimum(bets, _LIMIT / reach) if reach > 0 else bets
        return float(np.log1p(sign * bounded * (x - m)).sum()) - limit

    # Each capital is monotone in m, so that each end is one root.
    lower = _root(lambda m: capital(m, 1.0), falling=True)
    upper = _root(lambda m: capital(m, -1.0), falling=False)
    return _restored(float(x.mean()), lower, upper, low, high)


def empirical_bernstein_interval(
    values: ArrayLike, *, low: float = 0.0, high: float = 1.0, confidence: float = 0.95
) -> Interval | NotEstimable:
    """The predictable plug-in interval of Bernstein's kind, in closed form.

    With bets λ_i of at most ½: Σλx/Σλ ± (log(2/α) + Σ (x_i − x̄_{i−1})²·(−log(1 − λ_i) − λ_i)) / Σλ.

    Examples
    --------
    >>> answer = empirical_bernstein_interval([0.4, 0.5, 0.6] * 30)
    >>> round(answer.low, 2), round(answer.high, 2)
    (0.41, 0.59)
    """
    x = _scaled(values, low, high)
    if not len(x):
        return NotEstimable(Cause.NO_UNITS, "no value was seen")
    alpha = 1 - confidence
    bets = np.minimum(_LIMIT, _bets(x, alpha / 2))
    below = _bernstein_bound(x, bets, alpha / 2)
    above = 1 - _bernstein_bound(1 - x, bets, alpha / 2)
    return _restored(float(x.mean()), max(0.0, below), min(1.0, above), low, high)


def hoeffding_interval(
    values: ArrayLike, *, low: float = 0.0, high: float = 1.0, confidence: float = 0.95
) -> Interval | NotEstimable:
    """The plug-in interval of Hoeffding's kind, which looks at the range only.

    Examples
    --------
    >>> answer = hoeffding_interval([0.4, 0.5, 0.6] * 30)
    >>> round(answer.low, 2), round(answer.high, 2)
    (0.34, 0.66)
    """
    x = _scaled(values, low, high)
    if not len(x):
        return NotEstimable(Cause.NO_UNITS, "no value was seen")
    tail = (1 - confidence) / 2
    i = np.arange(1, len(x) + 1)
    bets = np.minimum(1.0, np.sqrt(-8 * math.log(tail) / (i * np.log1p(i))))
    centre = float(bets @ x / bets.sum())
    reach = (float((bets**2).sum()) / 8 - math.log(tail)) / float(bets.sum())
    return _restored(float(x.mean()), max(0.0, centre - reach), min(1.0, centre + reach), low, high)


def _bernstein_bound(x: Floats, bets: Floats, tail: float) -> float:
    predicted = np.concatenate([[0.0], np.cumsum(x)[:-1] / np.arange(1, len(x))])
    cost = -np.log1p(-bets) - bets
    surprise = float(((x - predicted) ** 2) @ cost)
    return float(bets @ x - surprise + math.log(tail)) / float(bets.sum())


def _bets(x: Floats, tail: float) -> Floats:
    """What to bet at each step, knowing the past only; mean and variance start from ½ and ¼."""
    i = np.arange(1, len(x) + 1)
    mean = (0.5 + np.cumsum(x)) / (i + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (i + 1)
    known = np.concatenate([[0.25], variance[:-1]])
    bets: Floats = np.sqrt(-2 * math.log(tail) / (i * np.log1p(i) * known))
    return bets


def _root(excess: Callable[[float], float], *, falling: bool) -> float:
    """Where a capital passes its limit on [0, 1]; the end of the scale when it never does."""
    rich_end, poor_end = (0.0, 1.0) if falling else (1.0, 0.0)
    if excess(rich_end) <= 0:
        return rich_end
    return float(optimize.brentq(excess, rich_end, poor_end, xtol=1e-13))


def _scaled(values: ArrayLike, low: float, high: float) -> Floats:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidInput(f"low, high: expected finite limits in order, not {low} and {high}")
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not np.isfinite(x).all() or (len(x) and (x.min() < low or x.max() > high)):
        raise InvalidInput(f"values: expected numbers from {low} to {high}, shape (n,)")
    return (x - low) / (high - low)


def _restored(mean: float, below: float, above: float, low: float, high: float) -> Interval:
    width = high - low
    return Interval(low + width * mean, low + width * below, low + width * above)
