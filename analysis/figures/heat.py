"""Heat: how strongly the cells of a table are coloured. The page draws them, with a number in each.

A sequential scale tells rates apart, a diverging one differences; either has few steps, so that the eye can
name them, and the same place on both sides of zero is as strong.
"""

from collections.abc import Iterable

STEPS = 6
"""Shades of a rate, from 0 for none to this for the largest."""

SIDES = 3
"""Shades of a difference on either side of none."""


def warmth(value: float, *, largest: float) -> int:
    """The shade of a rate, beside the largest of its table.

    Examples
    --------
    >>> [warmth(value, largest=0.4) for value in (0.0, 0.01, 0.2, 0.4)]
    [0, 1, 3, 6]
    """
    if largest <= 0 or value <= 0:
        return 0
    return min(STEPS, max(1, round(STEPS * value / largest)))


def lean(value: float, *, reach: float) -> int:
    """The shade of a difference: negative below zero, and full at ``reach`` on either side.

    Examples
    --------
    >>> [lean(value, reach=0.03) for value in (-0.05, -0.001, 0.0, 0.02)]
    [-3, 0, 0, 2]
    """
    if reach <= 0:
        return 0
    return max(-SIDES, min(SIDES, round(SIDES * value / reach)))


def reach_of(values: Iterable[float]) -> float:
    """How far differences go on either side of none."""
    return max((abs(value) for value in values), default=0.0)
