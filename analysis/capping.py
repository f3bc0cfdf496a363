"""Capping and trimming: means that one whale cannot move.

Caps come from all arms together and are applied to all alike. A cap of its own for each arm would shift an
arm with a heavier tail and find effects between two equal arms. For looks while running the caps are frozen
at the first one, because a moving cap rewrites what was already counted.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits, and the share of all values that they touch."""

    low: float
    high: float
    share_touched: float


def find_caps(*arms: ArrayLike, lower: float = 0.0, upper: float = 0.99) -> Caps | NotEstimable:
    """Find the caps as quantiles (type 7) of all arms together.

    Parameters
    ----------
    *arms
        The values of each arm, shapes (n,).
    lower, upper
        Quantile levels; 0 and 1 leave that side as it is.

    Examples
    --------
    >>> find_caps([1.0, 2.0, 3.0], [4.0, 100.0], upper=0.75)
    Caps(low=1.0, high=4.0, share_touched=0.2)
    """
    if not 0 <= lower < upper <= 1:
        raise InvalidInput(f"lower, upper: expected 0 ≤ lower < upper ≤ 1, not {lower} and {upper}")
    whole = np.concatenate([_values(arm) for arm in arms])
    if not len(whole):
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    low, high = (float(each) for each in np.quantile(whole, [lower, upper]))
    return Caps(low, high, float(np.mean((whole < low) | (whole > high))))


def winsorise(values: ArrayLike, caps: Caps) -> Floats:
    """Move what is beyond the caps onto them.

    Examples
    --------
    >>> winsorise([1.0, 50.0], Caps(0.0, 10.0, 0.5)).tolist()
    [1.0, 10.0]
    """
    return np.clip(_values(values), caps.low, caps.high)


def trimmed_mean(values: ArrayLike, trim: float) -> Estimate | NotEstimable:
    """Estimate the mean without the lowest and the highest ``trim`` of the values, after Yuen.

    With g = ⌊trim·n⌋ values cut from each end and h = n − 2g kept, the variance is SSD_w / (h·(h − 1)) of the
    winsorised sample, with h − 1 degrees of freedom.

    Parameters
    ----------
    trim
        Share cut from each end, from 0 to below one half.

    References
    ----------
    Yuen (1974), *The two-sample trimmed t for unequal population variances*, Biometrika 61.

    Examples
    --------
    >>> answer = trimmed_mean([1.0, 2.0, 3.0, 4.0, 90.0], 0.2)
    >>> answer.value, answer.df
    (3.0, 2)
    """
    if not 0 <= trim < 0.5:
        raise InvalidInput(f"trim: expected a share from 0 to below one half, not {trim}")
    ordered = np.sort(_values(values))
    n = len(ordered)
    cut = math.floor(trim * n)
    kept = n - 2 * cut
    if kept < 2:
        return NotEstimable(Cause.TOO_FEW_UNITS, "at least two values must remain")
    centre = float(ordered[cut : n - cut].mean())
    capped = np.clip(ordered, ordered[cut], ordered[n - cut - 1])
    spread = float(((capped - capped.mean()) ** 2).sum())
    return Estimate(centre, math.sqrt(spread / (kept * (kept - 1))), n, kept - 1, "trimmed_mean")


def _values(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise InvalidInput("values: expected finite numbers, shape (n,)")
    return array
