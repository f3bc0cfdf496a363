"""Scales: round numbers for an axis, and how far it should reach."""

import math
from collections.abc import Iterable

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Round numbers between two values, roughly as many as asked for.

    Examples
    --------
    >>> ticks(-0.16, 0.13)
    [-0.15, -0.1, -0.05, 0.0, 0.05, 0.1]
    """
    if not high > low:
        return [low]
    raw = (high - low) / about
    size: float = 10.0 ** math.floor(math.log10(raw))
    step = next((size * each for each in _STEPS if size * each >= raw * 0.85), size * 10)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(index * step, digits) for index in range(first, last + 1)]


def reach(values: Iterable[float], *, margin: float = 0.08) -> tuple[float, float]:
    """The smallest range that holds zero and all finite values, with some air on both sides."""
    kept = [0.0, *(value for value in values if math.isfinite(value))]
    low, high = min(kept), max(kept)
    air = (high - low) * margin or 0.01
    return low - air, high + air


def some(count: int, *, at_most: int) -> list[int]:
    """Evenly spread indices of a list, the last one always among them.

    Examples
    --------
    >>> some(14, at_most=5)
    [1, 4, 7, 10, 13]
    """
    step = max(1, math.ceil(count / at_most))
    return sorted(range(count - 1, -1, -step))
