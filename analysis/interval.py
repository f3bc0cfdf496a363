"""Intervals: an estimate with the range of values that the data are compatible with."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the range the data are compatible with.

    A bound is infinite where the data do not limit it.
    """

    estimate: float
    low: float
    high: float

    @property
    def bounded(self) -> bool:
        """Whether both ends are finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def excludes_zero(self) -> bool:
        """Whether "no change" is outside."""
        return self.low > 0 or self.high < 0

    def within(self, low: float, high: float) -> bool:
        """Whether the whole interval lies strictly between two values."""
        return low < self.low and self.high < high
