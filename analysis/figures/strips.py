"""Strips: intervals and spans placed on a line from 0 to 100, for pages that draw them as small vector marks.

They need no script and no canvas, so they stand at once, in lists and cards, in print and in a mail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analysis.interval import Interval

AIR = 4.0
"""Kept free at both ends."""


@dataclass(frozen=True, slots=True)
class Strip:
    """An interval on its line: all places from 0 to 100, ``zero`` in the middle.

    An end that the data do not limit lies at the edge and is ``open``.
    """

    zero: float
    low: float
    estimate: float
    high: float
    open_low: bool
    open_high: bool

    @property
    def width(self) -> float:
        """From its low end to its high end."""
        return round(self.high - self.low, 2)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a line: where it begins and how long it is, from 0 to 100."""

    start: float
    length: float

    @property
    def middle(self) -> float:
        """Its middle."""
        return round(self.start + self.length / 2, 2)


def strip_of(interval: Interval, *, reach: float | None = None) -> Strip:
    """Place an interval around "no change".

    Parameters
    ----------
    reach
        What the ends of the line stand for; by default the interval's own farthest end.

    Examples
    --------
    >>> strip_of(Interval(0.05, -0.05, 0.1))
    Strip(zero=50.0, low=27.0, estimate=73.0, high=96.0, open_low=False, open_high=False)
    """
    span = farthest([interval]) if reach is None else reach

    def place(value: float) -> float:
        share = max(-1.0, min(1.0, value / span)) if span else 0.0
        return round(50 + share * (50 - AIR), 2)

    open_low, open_high = not math.isfinite(interval.low), not math.isfinite(interval.high)
    low = 0.0 if open_low else place(interval.low)
    high = 100.0 if open_high else place(interval.high)
    return Strip(50.0, low, place(interval.estimate), high, open_low, open_high)


def farthest(intervals: Sequence[Interval]) -> float:
    """How far from no change the limited ends of all intervals reach."""
    ends = [abs(end) for each in intervals for end in (each.low, each.high, each.estimate)]
    return max((end for end in ends if math.isfinite(end)), default=0.0)


def stretch_of(start: float, end: float, *, whole: tuple[float, float]) -> Stretch:
    """Place a part of a line, cut off at its ends.

    Examples
    --------
    >>> stretch_of(2_500, 12_000, whole=(0, 10_000))
    Stretch(start=25.0, length=75.0)
    """
    low, high = whole
    left, right = (100 * (min(max(each, low), high) - low) / (high - low) for each in (start, end))
    return Stretch(round(left, 2), round(max(0.0, right - left), 2))


def time_stretch(start: datetime, end: datetime | None, *, since: datetime, until: datetime) -> Stretch:
    """Place a time within a longer one; without an end it goes on beyond it."""
    last = until if end is None else end
    return stretch_of(start.timestamp(), last.timestamp(), whole=(since.timestamp(), until.timestamp()))
