"""Groups: things in memory that are added up by variant and day, and the answer's rows made of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Answer = tuple[Any, ...]
"""A row as `experiments.observe.answers` describes it."""

Piece = tuple[NDArray[np.int32], Sequence[NDArray[Any]]]
"""Some things: the group of each, and their numbers."""

PIECE = 1 << 16
"""Things that are looked at at once, so that they stay in a cache."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Groups for every variant and each day of a span.

    Attributes
    ----------
    first, days
        The first day, and how many there are.
    arms
        How many variants there are.
    """

    first: int
    days: int
    arms: int

    def group(self, arm: NDArray[Any], day: NDArray[Any]) -> NDArray[np.int32]:
        """The group of each thing."""
        return arm.astype(np.int32) * np.int32(self.days) + (day - self.first).astype(np.int32)

    def totals(self, pieces: Iterable[Piece]) -> Floats:
        """How many things each group has, and the sums of their numbers, shape (1 + numbers, groups)."""
        found: Any = 0.0
        for group, numbers in pieces:
            places = group.astype(np.int64)
            added = [np.bincount(places, each, self.arms * self.days) for each in (None, *numbers)]
            found = found + np.array(added)
        return np.asarray(found, dtype=np.float64)

    def rows(self, part: str, name: str, n: Floats, numbers: Floats, present: Floats) -> Iterator[Answer]:
        """A row for each group in which anything is present."""
        for place in np.flatnonzero(present).tolist():
            arm, day = divmod(place, self.days)
            yield (part, name, None, arm, day + self.first, int(n[place]), *numbers[:, place].tolist())


@dataclass(frozen=True, slots=True)
class Segment:
    """Groups for every variant and each value of a segment.

    Attributes
    ----------
    place
        Of the segment among the question's.
    names
        Its values; the first stands for units of which it is not known.
    value
        The place of each unit's value among them.
    arms
        How many variants there are.
    """

    place: int
    names: Sequence[str | None]
    value: NDArray[Any]
    arms: int

    def group(self, arm: NDArray[Any]) -> NDArray[np.int32]:
        """The group of each unit."""
        return self._groups.group(arm, self.value)

    def totals(self, pieces: Iterable[Piece]) -> Floats:
        """As `Calendar.totals`."""
        return self._groups.totals(pieces)

    def rows(self, part: str, name: str, n: Floats, numbers: Floats) -> Iterator[Answer]:
        """A row for each group with units."""
        for _, _, _, arm, value, *rest in self._groups.rows(part, name, n, numbers, n):
            yield (part, name, self.names[value], arm, self.place, *rest)

    @property
    def _groups(self) -> Calendar:
        return Calendar(0, len(self.names), self.arms)


def slices(size: int) -> Iterator[slice]:
    """Some at a time; one that is empty when there are none."""
    for start in range(0, max(size, 1), PIECE):
        yield slice(start, start + PIECE)
