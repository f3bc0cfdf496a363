"""Groups: things in memory that are added up by variant and day, and the answer's rows made of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Answer = tuple[Any, ...]
"""A row as `experiments.observe.answers` describes it."""

PIECE = 1 << 16
"""Things that are added up at once."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Things by variant and day.

    Attributes
    ----------
    code
        The group of each thing.
    arm, day
        Of each group.
    n
        How many things are in it.
    """

    code: Whole
    arm: Whole
    day: Whole
    n: Whole

    @classmethod
    def of(cls, arm: NDArray[Any], day: NDArray[Any]) -> "Groups":
        """Group things by the variant and the day of each."""
        low, span = (int(day.min()), int(np.ptp(day)) + 1) if len(day) else (0, 1)
        code = arm * np.int64(span) + (day - low)
        n = np.bincount(code)
        groups = np.arange(len(n))
        return cls(code, groups // span, groups % span + low, n)

    def totals(self, values: Callable[[slice], list[Floats]]) -> Floats:
        """Sums over each group.

        Parameters
        ----------
        values
            Gives the numbers of some of the things; never of all at once, which would not stay in a cache.

        Returns
        -------
        array, shape (numbers, groups)
        """
        found: Any = 0.0
        for start in range(0, max(len(self.code), 1), PIECE):
            here = slice(start, start + PIECE)
            added = [np.bincount(self.code[here], each, len(self.n)) for each in values(here)]
            found = found + np.array(added)
        return np.asarray(found, dtype=np.float64)

    def largest(self, values: Floats) -> Floats:
        """The largest value of each group, of values that are not below nought."""
        found = np.zeros(len(self.n))
        np.maximum.at(found, self.code, values)
        return found

    def rows(self, part: str, name: str, numbers: Floats, n: Floats | None = None) -> Iterator[Answer]:
        """A row for each group that has anything in it; ``n`` instead of the number of things."""
        counted = self.n if n is None else n.astype(np.int64)
        for place in np.flatnonzero(self.n).tolist():
            arm, day = int(self.arm[place]), int(self.day[place])
            yield (part, name, None, arm, day, int(counted[place]), *numbers[:, place].tolist())
