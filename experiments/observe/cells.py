"""Cells: events in memory, grouped by unit and day, and what a unit comes to from cell to cell."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Groups of events in the order of units and days.

    Attributes
    ----------
    unit, day
        Of each cell.
    place
        Of each cell among those of its unit, from 0.
    order
        How events are sorted into cells; None when they lie like that.
    starts
        Where each cell begins among the sorted events.
    """

    unit: Whole
    day: Whole
    place: Whole
    order: Whole | None
    starts: Whole

    @classmethod
    def of(cls, unit: Whole, day: Whole) -> "Cells":
        """Group events by their units and days."""
        span = int(np.ptp(day)) + 1 if len(day) else 1
        key = unit * span + (day - (day.min() if len(day) else 0))
        order = None
        if np.any(key[1:] < key[:-1]):
            order = np.argsort(key, kind="stable")
            unit, day, key = unit[order], day[order], key[order]
        starts = _beginnings(key)
        unit, day = unit[starts], day[starts]
        first = _beginnings(unit)
        counts = np.diff(np.append(first, len(unit)))
        return cls(unit, day, np.arange(len(unit)) - np.repeat(first, counts), order, starts)

    def added(self, add: np.ufunc, values: Floats) -> Floats:
        """What the values of the events of each cell come to."""
        if self.order is not None:
            values = values[self.order]
        return np.asarray(add.reduceat(values, self.starts) if len(values) else values)

    def so_far(self, add: np.ufunc, gains: Floats) -> Floats:
        """What the cells of a unit come to up to each of them.

        The second cells of all units are added to their first ones, then the third to the second: a running
        sum over all units at once would leave the rounding of one in another.
        """
        found = gains.copy()
        by_place = np.argsort(self.place.astype(np.uint16), kind="stable")
        for begin, end in pairwise(np.cumsum(np.bincount(self.place))):
            here = by_place[begin:end]
            found[here] = add(found[here - 1], found[here])
        return found

    def one_before(self, so_far: Floats) -> Floats:
        """The same up to the cell before each; nought before the first."""
        found = np.roll(so_far, 1)
        found[self.place == 0] = 0.0
        return found


def _beginnings(sorted_values: NDArray[Any]) -> Whole:
    """Where each value appears first."""
    if not len(sorted_values):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.append(True, sorted_values[1:] != sorted_values[:-1]))
