"""Batch: the same comparison for many pairs of arms at once.

For replays, simulations and large scorecards: arrays in, arrays out, with the formulas of `analysis.compare`.
Where a pair has no answer its row is masked by ``estimable`` and its numbers are not to be read.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.errors import InvalidInput
from analysis.inference import require_confidence

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """One arm of many comparisons: sizes, means and variances (divisor n − 1), broadcast together."""

    n: Floats
    mean: Floats
    variance: Floats

    @classmethod
    def of(cls, n: ArrayLike, mean: ArrayLike, variance: ArrayLike) -> "Arms":
        """From anything array-like."""
        return cls(*(np.asarray(each, dtype=np.float64) for each in (n, mean, variance)))

    @classmethod
    def of_values(cls, values: ArrayLike) -> "Arms":
        """From samples in rows, shape (s, n): one arm for each row."""
        array = np.asarray(values, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] < 2:
            raise InvalidInput(f"values: expected samples of at least two in rows, not {array.shape}")
        return cls.of(array.shape[1], array.mean(axis=1), array.var(axis=1, ddof=1))


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Many comparisons, field by field as in `analysis.Comparison`."""

    difference: Floats
    standard_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    low: Floats
    high: Floats
    lift: Floats
    lift_low: Floats
    lift_high: Floats
    estimable: NDArray[np.bool_]


def compare_many(treatment: Arms, control: Arms, confidence: float = 0.95) -> Comparisons:
    """Welch's test with Fieller's lift, for all pairs at once.

    Examples
    --------
    >>> old, new = Arms.of(400, [10.0, 10.0], 36.0), Arms.of(400, [11.0, 10.0], 64.0)
    >>> compare_many(new, old).p_value.round(4).tolist()
    [0.0459, 1.0]
    """
    require_confidence(confidence)
    with np.errstate(all="ignore"):
        one, other = treatment.variance / treatment.n, control.variance / control.n
        square = one + other
        error = np.sqrt(square)
        share = one / square
        df = 1 / (share**2 / (treatment.n - 1) + (1 - share) ** 2 / (control.n - 1))
        gap = treatment.mean - control.mean
        statistic = gap / error
        p_value = np.minimum(1.0, 2 * special.stdtr(df, -np.abs(statistic)))
        width = -special.stdtrit(df, (1 - confidence) / 2)
        lift, low, high = _fieller(gap, one, other, control.mean, width)
        estimable = (np.minimum(treatment.n, control.n) >= 2) & (error > 0) & np.isfinite(statistic)
    return Comparisons(
        gap,
        error,
        df,
        statistic,
        p_value,
        gap - width * error,
        gap + width * error,
        lift,
        low,
        high,
        estimable,
    )


def _fieller(
    gap: Floats, one: Floats, other: Floats, base: Floats, width: Floats
) -> tuple[Floats, Floats, Floats]:
    """Lift and Fieller's ends; infinite where the base could be zero."""
    d, b, v = gap / base, other / base**2, (one + other) / base**2
    square = width**2
    g = square * b
    middle = (d + g) / (1 - g)
    inside = square * (v + 2 * d * b + d * d * b + square * (b * b - v * b))
    reach = np.sqrt(np.maximum(0.0, inside)) / (1 - g)
    sign = np.sign(base)
    ends = sign * (middle - reach), sign * (middle + reach)
    unbounded = ~(g < 1)
    low = np.where(unbounded, -np.inf, np.minimum(*ends))
    high = np.where(unbounded, np.inf, np.maximum(*ends))
    return sign * d, low, high
