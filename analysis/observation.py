"""The observation: what was counted in one phase of an experiment, ready to be read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from analysis.moments import Moments


@dataclass(frozen=True, slots=True)
class Day:
    """A metric's moments in one variant over all units exposed up to the end of a day."""

    day: date
    moments: Moments


@dataclass(frozen=True, slots=True)
class Shape:
    """How a metric's values lie over the analysed units of all variants together.

    Moments cannot say this, and two doubts need it: whether the mean is nearly normal, and whether one unit
    decides the result.

    Attributes
    ----------
    n
        Units.
    skewness
        The standardised third central moment, 0 where nothing varies.
    largest_share
        Of the largest single value in the sum of all, both without their signs; 0 where that sum is zero.
    """

    n: int
    skewness: float
    largest_share: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What was counted.

    Attributes
    ----------
    as_of
        When the question was asked.
    data_through
        Time of the newest record that was looked at; None when there is none.
    units
        Analysed units by variant.
    arrivals
        Units first exposed on each day, by variant, over the same days.
    excluded
        Units left out of everything, by reason: ``crossover``, ``override``.
    immature
        By metric: units whose window had not passed yet.
    moments
        By metric and variant.
    daily
        By metric and variant: cumulative moments, in the order of days.
    shapes
        By metric, for metrics that any unit has a value of.
    """

    as_of: datetime
    data_through: datetime | None
    units: Mapping[str, int]
    arrivals: Mapping[date, Mapping[str, int]]
    excluded: Mapping[str, int]
    moments: Mapping[str, Mapping[str, Moments]]
    immature: Mapping[str, int] = field(default_factory=dict)
    daily: Mapping[str, Mapping[str, tuple[Day, ...]]] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Write as plain values that restore to the same observation, bit for bit."""
        return {
            "as_of": self.as_of.isoformat(),
            "data_through": self.data_through and self.data_through.isoformat(),
            "units": dict(self.units),
            "arrivals": {day.isoformat(): dict(counts) for day, counts in self.arrivals.items()},
            "excluded": dict(self.excluded),
            "immature": dict(self.immature),
            "moments": {
                metric: {variant: each.to_json() for variant, each in arms.items()}
                for metric, arms in self.moments.items()
            },
            "daily": {
                metric: {
                    variant: [[each.day.isoformat(), each.moments.to_json()] for each in days]
                    for variant, days in arms.items()
                }
                for metric, arms in self.daily.items()
            },
            "shapes": {metric: asdict(shape) for metric, shape in self.shapes.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Observation":
        """Read what `to_json` wrote."""
        through = document["data_through"]
        return cls(
            as_of=datetime.fromisoformat(document["as_of"]),
            data_through=through and datetime.fromisoformat(through),
            units=document["units"],
            arrivals={date.fromisoformat(day): counts for day, counts in document["arrivals"].items()},
            excluded=document["excluded"],
            immature=document["immature"],
            moments={
                metric: {variant: Moments.from_json(each) for variant, each in arms.items()}
                for metric, arms in document["moments"].items()
            },
            daily={
                metric: {
                    variant: tuple(
                        Day(date.fromisoformat(day), Moments.from_json(each)) for day, each in days
                    )
                    for variant, days in arms.items()
                }
                for metric, arms in document["daily"].items()
            },
            # What was stored before shapes were counted has none.
            shapes={metric: Shape(**each) for metric, each in document.get("shapes", {}).items()},
        )
