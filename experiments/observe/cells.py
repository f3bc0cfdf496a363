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
    starts
        Where each cell begins among the events.
    """

    unit: Whole
    day: Whole
    place: Whole
    starts: Whole

    @classmethod
    def of(cls, unit: Whole, day: Whole) -> "Cells":
        """Group events by their units and days; they lie in that order."""
        starts = beginnings(unit, day)
        unit, day = unit[starts], day[starts]
        first = beginnings(unit)
        counts = np.diff(np.append(first, len(unit)))
        return cls(unit, day, np.arange(len(unit)) - np.repeat(first, counts), starts)

    def added(self, add: np.ufunc, values: Floats) -> Floats:
        """What the values of the events of each cell come to."""
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


def beginnings(*columns: NDArray[Any]) -> Whole:
    """Where each combination of values begins, where equal ones lie together."""
    if not len(columns[0]):
        return np.zeros(0, np.int64)
    other = np.logical_or.reduce([each[1:] != each[:-1] for each in columns])
    return np.flatnonzero(np.append(True, other))
