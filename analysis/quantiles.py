"""Quantiles: medians and tails with standard errors, also when values come in clusters.

The standard error is Woodruff's: the sample quantiles at q ± z·√(q(1 − q)/n) lie 2·z standard errors apart.
It needs no density estimate. With several values of each user the fraction below the quantile varies more
than √(q(1 − q)/n), and the variance grows in proportion.

Quantiles are of type 7 (linear interpolation) unless another type is named.

References
----------
Woodruff (1952), *Confidence intervals for medians and other position measures*, JASA 47. Deng, Knoblich, Lu
(2018), *Applying the delta method in metric analytics*, KDD. Hyndman, Fan (1996), *Sample
quantiles in statistical packages*, The American Statistician 50.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate, ratio
from analysis.moments import Moments
from analysis.observation import QuantileSample

Floats = NDArray[np.float64]

FEWEST = 10
"""Below n·q(1 − q) = 10 the neighbours of a quantile are too few for its standard error."""

Z = 1.959963984540054
"""The width at which Woodruff's interval is read: 95 %."""

_TYPES = {
    1: "inverted_cdf",
    2: "averaged_inverted_cdf",
    6: "weibull",
    7: "linear",
    8: "median_unbiased",
}


def quantile(
    values: ArrayLike, q: float, clusters: ArrayLike | None = None, *, fewest: float = FEWEST
) -> Estimate | NotEstimable:
    """Estimate a quantile with its standard error.

    Parameters
    ----------
    values
        Shape (n,).
    q
        Level, between 0 and 1.
    clusters
        The unit that each value belongs to, shape (n,); None when every value is its own unit.
    fewest
        Refuse below this n·q(1 − q).

    Returns
    -------
    Estimate or NotEstimable
        ``n`` counts units. Not estimable with too few values near the quantile, or where ties leave
        Woodruff's interval without length: rounded latencies do that.

    Examples
    --------
    >>> answer = quantile(range(1, 101), 0.5)
    >>> answer.value, round(answer.standard_error, 3)
    (50.5, 4.925)
    """
    y = _checked(values, q)
    if not len(y):
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    low, high = outer_interval(y, q)
    value = float(np.quantile(y, q))
    plain = _woodruff(len(y), q, value, (low, high), fewest)
    if clusters is None or isinstance(plain, NotEstimable):
        return plain
    labels = np.asarray(clusters)
    if labels.shape != y.shape:
        raise InvalidInput(f"clusters: expected one label for each of {len(y)} values")
    return _clustered(plain, fraction_below(y, labels, value), len(y), q)


def of_sample(sample: QuantileSample, q: float, *, fewest: float = FEWEST) -> Estimate | NotEstimable:
    """Estimate a quantile from what was counted of the values: the same numbers as `quantile` on the values.

    Parameters
    ----------
    sample
        The sample quantile, those at Woodruff's levels, and how many values units have below it and in all.
    q, fewest
        As for `quantile`.

    Examples
    --------
    >>> units = Moments.from_values([[1.0, 1.0], [0.0, 1.0]] * 50)
    >>> answer = of_sample(QuantileSample(100, 50.5, 40.7, 60.3, units), 0.5)
    >>> answer.value, answer.method
    (50.5, 'quantile')
    """
    _require_level(q)
    if not sample.values or sample.value is None or sample.low is None or sample.high is None:
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    plain = _woodruff(sample.values, q, sample.value, (sample.low, sample.high), fewest)
    one_each = sample.below.n == sample.values and float(sample.below.cross[1, 1]) == 0
    if one_each or isinstance(plain, NotEstimable):
        return plain
    return _clustered(plain, ratio(sample.below), sample.values, q)


def _woodruff(
    n: int, q: float, value: float, outer: tuple[float, float], fewest: float
) -> Estimate | NotEstimable:
    """The quantile with the error that its neighbours give, every value its own unit."""
    if n * q * (1 - q) < fewest:
        return NotEstimable(Cause.TOO_FEW_UNITS, f"fewer than {fewest} expected values beside the quantile")
    low, high = outer
    if low == high:
        return NotEstimable(Cause.NO_VARIATION, "too many equal values at the quantile")
    # The factor √((n − 1)/n) is a convention shared with other platforms; it is 1 at any size that matters.
    error = (high - low) / (2 * Z) * math.sqrt((n - 1) / n)
    return Estimate(value, error, n, n - 1, "quantile")


def _clustered(
    plain: Estimate, fraction: Estimate | NotEstimable, n: int, q: float
) -> Estimate | NotEstimable:
    """The same error, times how much more the fraction below varies between units than between values."""
    if isinstance(fraction, NotEstimable):
        return fraction
    inflation = fraction.standard_error / math.sqrt(q * (1 - q) / n)
    error = plain.standard_error * inflation
    return Estimate(plain.value, error, fraction.n, fraction.df, "quantile_clustered")


def outer_interval(values: ArrayLike, q: float, z: float = Z) -> tuple[float, float]:
    """Sample quantiles at q ± z·√(q(1 − q)/n), the levels kept between 0 and 1."""
    y = _checked(values, q)
    step = z * math.sqrt(q * (1 - q) / len(y))
    low, high = np.quantile(y, [max(0.0, q - step), min(1.0, q + step)])
    return float(low), float(high)


def fraction_below(values: Floats, clusters: NDArray[np.generic], at: float) -> Estimate | NotEstimable:
    """The share of values up to a point, with clusters as units: a ratio of per-cluster counts.

    Examples
    --------
    >>> y, user = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 1, 1])
    >>> fraction_below(y, user, 2.5).value
    0.5
    """
    _, member = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(member)
    below = np.bincount(member, weights=values <= at)
    return ratio(Moments.from_values(np.column_stack([below, sizes])))


@dataclass(frozen=True, slots=True)
class OrderInterval:
    """A quantile's interval between two order statistics; ranks count from 1, None beyond the sample."""

    low_rank: int | None
    high_rank: int | None
    low: float
    high: float
    coverage: float


def order_interval(values: ArrayLike, q: float, confidence: float = 0.95) -> OrderInterval | NotEstimable:
    """The distribution-free interval of one sample's quantile.

    Between the order statistics with ranks B(α/2) and B(1 − α/2) + 1, where B is the quantile function of the
    binomial; the coverage is exact for continuous values and at least the one asked for.

    References
    ----------
    Hahn, Meeker (1991), *Statistical intervals*, section 5.2.

    Examples
    --------
    >>> answer = order_interval(range(1, 61), 0.5)
    >>> answer.low_rank, answer.high_rank, round(answer.coverage, 4)
    (22, 39, 0.9727)
    """
    y = np.sort(_checked(values, q))
    n = len(y)
    if n == 0:
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    alpha = 1 - confidence
    at_most = special.bdtr(np.arange(n + 1), n, q)
    low, high = int(np.argmax(at_most >= alpha / 2)), int(np.argmax(at_most >= 1 - alpha / 2)) + 1
    below = float(at_most[low - 1]) if low >= 1 else 0.0
    above = float(at_most[high - 1]) if high <= n else 1.0
    return OrderInterval(
        low if low >= 1 else None,
        high if high <= n else None,
        float(y[low - 1]) if low >= 1 else -math.inf,
        float(y[high - 1]) if high <= n else math.inf,
        above - below,
    )


def maritz_jarrett(values: ArrayLike, q: float) -> Estimate | NotEstimable:
    """The quantile of type 7 with the standard error of Maritz and Jarrett.

    The order statistics are weighted by how likely each is to be the ⌊n·q + ½⌋-th of a new sample, a Beta
    distribution; the error is the standard deviation under those weights.

    References
    ----------
    Maritz, Jarrett (1978), *A note on estimating the variance of the sample median*, JASA 73. Wilcox (2005),
    *Introduction to robust estimation and hypothesis testing*, section 3.5.3.

    Examples
    --------
    >>> round(maritz_jarrett(range(1, 61), 0.5).standard_error, 3)
    3.883
    """
    y = np.sort(_checked(values, q))
    n = len(y)
    rank = math.floor(n * q + 0.5)
    if not 2 <= rank < n:
        return NotEstimable(Cause.TOO_FEW_UNITS, "the quantile is at the sample's edge")
    weights = np.diff(special.betainc(rank - 1, n - rank, np.arange(n + 1) / n))
    centre = float(weights @ y)
    error = math.sqrt(max(0.0, float(weights @ (y - centre) ** 2)))
    return Estimate(float(np.quantile(y, q)), error, n, n - 1, "quantile_maritz_jarrett")


def sample_quantile(values: ArrayLike, q: float, *, kind: int = 7) -> float:
    """A sample quantile of one of Hyndman and Fan's types 1, 2, 6, 7 and 8.

    Examples
    --------
    >>> sample_quantile([1.0, 2.0, 3.0, 4.0], 0.5, kind=1)
    2.0
    """
    if kind not in _TYPES:
        raise InvalidInput(f"kind: expected one of {sorted(_TYPES)}, not {kind}")
    y = _checked(values, q)
    if not len(y):
        raise InvalidInput("values: expected at least one")
    return float(np.quantile(y, q, method=_TYPES[kind]))  # type: ignore[call-overload]  # a name from a table


def _checked(values: ArrayLike, q: float) -> Floats:
    _require_level(q)
    y = np.asarray(values, dtype=np.float64)
    if y.ndim != 1 or not np.isfinite(y).all():
        raise InvalidInput("values: expected finite numbers, shape (n,)")
    return y


def _require_level(q: float) -> None:
    if not 0 < q < 1:
        raise InvalidInput(f"q: expected a level between 0 and 1, not {q}")
