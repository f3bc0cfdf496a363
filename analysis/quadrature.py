"""Quadrature: Gauss–Legendre points, computed once."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LADDER = (48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536)
"""The numbers of points in use; few of them, because finding a new set takes longer than using it."""


@lru_cache(maxsize=32)
def legendre(count: int) -> tuple[Floats, Floats]:
    """Points and weights on [−1, 1].

    Examples
    --------
    >>> points, weights = legendre(48)
    >>> round(float(weights @ points**2), 12)
    0.666666666667
    """
    points, weights = np.polynomial.legendre.leggauss(count)
    points.flags.writeable = weights.flags.writeable = False
    return points, weights


def panel(left: float, right: float, count: float) -> tuple[Floats, Floats]:
    """Points and weights on an interval, at least ``count`` of them as far as the ladder reaches."""
    enough = next((size for size in LADDER if size >= count), LADDER[-1])
    points, weights = legendre(enough)
    half = (right - left) / 2
    return left + half * (points + 1), half * weights
