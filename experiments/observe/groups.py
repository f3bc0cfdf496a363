"""Groups: things in memory that are added up by variant and day, and the answer's rows made of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Answer = tuple[Any, ...]
"""A row as `experiments.observe.answers` describes it."""


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

    def total(self, values: NDArray[Any]) -> Floats:
        """The sum over each group."""
        return np.bincount(self.code, values, len(self.n)).astype(np.float64, copy=False)

    def largest(self, values: Floats) -> Floats:
        """The largest value of each group, of values that are not below nought."""
        found = np.zeros(len(self.n))
        np.maximum.at(found, self.code, values)
        return found

    def rows(
        self, part: str, name: str, numbers: Sequence[Floats], n: Floats | None = None
    ) -> Iterator[Answer]:
        """A row for each group that has anything in it; ``n`` instead of the number of things."""
        counted = self.n if n is None else n.astype(np.int64)
        for place in np.flatnonzero(self.n).tolist():
            arm, day = int(self.arm[place]), int(self.day[place])
            values = (float(each[place]) for each in numbers)
            yield (part, name, None, arm, day, int(counted[place]), *values)
