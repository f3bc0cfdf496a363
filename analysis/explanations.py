"""Explanations: what a readout shows beside its comparisons, as values.

Series, funnels, returns, curves and mixes explain a result; none of them decides one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from analysis.interval import Interval


@dataclass(frozen=True, slots=True)
class Point:
    """A comparison's lift after one day: cumulative over everything up to its end."""

    day: date
    units: int
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One comparison, day by day."""

    metric: str
    variant: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """A metric in one variant after one day, over everything up to its end; None where it has no value."""

    day: date
    units: int
    value: float | None


@dataclass(frozen=True, slots=True)
class SplitPoint:
    """One day of arrivals, and each variant's share of all arrivals up to its end.

    ``low`` and ``high`` bound the shares that chance explains.
    """

    day: date
    arrived: Mapping[str, int]
    share: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Interaction:
    """Whether a treatment's effect differs between the values of a planned segment.

    ``p_value_adjusted`` takes the other segments, metrics and treatments into account.
    """

    metric: str
    segment: str
    variant: str
    differs: bool
    p_value: float | None = None
    p_value_adjusted: float | None = None
    statistic: float | None = None
    df: int | None = None
    not_estimable: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel: who of all exposed units reached it, and how treatments differ in that."""

    name: str
    reached: Mapping[str, int]
    share: Mapping[str, float]
    difference: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Funnel:
    """A funnel by variant. Only its last step is a comparison; the others explain."""

    metric: str
    units: Mapping[str, int]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Return:
    """Who was active on one day after the exposure, of the units that are old enough to have been."""

    day: int
    old_enough: Mapping[str, int]
    share: Mapping[str, float]
    difference: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class CohortDay:
    """Who came back on one day of life, of the units first exposed in one week.

    Only units that are old enough count; ``week`` is a Monday.
    """

    week: date
    day: int
    old_enough: Mapping[str, int]
    share: Mapping[str, float]
    difference: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class AgePoint:
    """A comparison's difference on one day of the units' lives after exposure."""

    day: int
    units: int
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class AgeSeries:
    """One comparison by days since exposure, and whether the effect fades or grows.

    ``change`` is the mean effect of the last third of the days less that of the first third.
    """

    metric: str
    variant: str
    points: tuple[AgePoint, ...]
    p_value: float | None = None
    change: Interval | None = None
    novelty: bool = False


@dataclass(frozen=True, slots=True)
class StageCheck:
    """The split among the units that are left after one step from recorded to analysed."""

    name: str
    units: Mapping[str, int]
    passed: bool
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Mix:
    """How the values of a segment are spread in each variant, and whether alike.

    A segment is fixed before the exposure, so unlike mixes are a fault of the split or of the recording.
    """

    segment: str
    units: Mapping[str, Mapping[str, int]]
    """By value and variant; the empty value stands for unknown."""
    passed: bool
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Lasting:
    """One variant's share of units without the event, by milliseconds since exposure."""

    metric: str
    variant: str
    times: tuple[int, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
