"""The observation: what was counted in one phase of an experiment, ready to be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
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
class Stage:
    """How many units of each variant are left after one step from what was recorded to what is analysed.

    The steps are ``recorded``, ``exposed`` (in this phase, with an id of the type that is analysed),
    ``not_override``, ``not_bot``, ``not_crossed`` and ``matured`` (for the first primary metric).
    """

    name: str
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """The units with one value of a segment: ``channel`` is ``email``.

    ``value`` is None for units of which the segment is not known.
    """

    segment: str
    value: str | None
    units: Mapping[str, int]
    moments: Mapping[str, Mapping[str, Moments]]
    quantiles: "Mapping[str, Mapping[str, QuantileSample]]" = field(default_factory=dict)
    lifetables: "Mapping[str, Mapping[str, Lifetable]]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuantileSample:
    """What a quantile and its standard error need of one variant; see `analysis.quantiles.quantile`.

    Attributes
    ----------
    values
        How many values there are; units may have several.
    value
        The sample quantile, of type 7; None without values.
    low, high
        The sample quantiles at Woodruff's levels q ± z·√(q(1 − q)/n).
    below
        Moments over units of two variables: values up to the quantile, and values.
    """

    values: int
    value: float | None
    low: float | None
    high: float | None
    below: Moments


@dataclass(frozen=True, slots=True)
class Lifetable:
    """Times until an event, in milliseconds since the exposure, counted at their distinct values.

    ``times`` rise; ``events`` units had the event then, and ``censored`` ones were last seen then without it.
    """

    times: tuple[float, ...]
    events: tuple[int, ...]
    censored: tuple[int, ...]

    @property
    def n(self) -> int:
        """Units."""
        return sum(self.events) + sum(self.censored)


@dataclass(frozen=True, slots=True)
class Age:
    """What happened on one day of units' lives, 0 being the first 24 hours since each unit's exposure.

    Attributes
    ----------
    day
        Whole days since the exposure.
    moments
        Of what each unit gained in this day alone, over the units that have lived to its end.
    active
        Units among them with any event in this day.
    """

    day: int
    moments: Moments
    active: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """Units of one variant that were first exposed in one week, on one day of their lives.

    Attributes
    ----------
    week
        Its Monday.
    day
        Whole days since each unit's exposure.
    old_enough
        Units that have lived to the end of that day.
    active
        Units among them with any event in it.
    """

    week: date
    variant: str
    day: int
    old_enough: int
    active: int


@dataclass(frozen=True, slots=True)
class Credit:
    """Conversions of one variant that a rule credits to a channel, and what they were worth."""

    rule: str
    channel: str
    variant: str
    conversions: float
    value: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What is known of the records behind the numbers.

    Attributes
    ----------
    exposures, events
        Records that were looked at.
    late
        Events that arrived more than a day after they happened, when the log held later ones already; None
        where nobody noted when they arrived.
    future
        Records of a moment after the analysis; they are left out.
    unreadable
        By metric: events left out of it since their value or a filtered property was not of its type.
    mismatched
        Exposures whose variant is not the one that our own rules give; None where other rules assign.
    """

    exposures: int = 0
    events: int = 0
    late: int | None = 0
    future: int = 0
    mismatched: int | None = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """What was counted.

    The variables of a metric's moments are those of its kind, and after them its covariates in the order of
    `PlannedMetric.covariates`:

    ============= =====================================================================================
    kind          variables
    ============= =====================================================================================
    proportion    1 for a unit that has the event
    mean          the unit's value
    retention     1 for a unit that came back in the window of days, over units that are old enough
    ratio         the numerator's and the denominator's value
    funnel        for each step 1 for a unit that reached it, in order
    quantile      none: see ``quantiles``
    time_to_event 1 for a unit that has the event (the comparison is made from ``lifetables``)
    ============= =====================================================================================

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
    stages
        From recorded to analysed.
    cuts
        The planned segments, value by value.
    quantiles, lifetables
        By metric and variant.
    ages
        By metric and variant: life after the exposure, day by day.
    credits
        Conversions credited to channels, for explaining.
    quality
        What is known of the records.
    uncapped
        By metric and variant: moments of the outcome alone before its cap, for metrics that have one.
    cohorts
        Who came back by the week of the exposure, where retention is measured.
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
    stages: tuple[Stage, ...] = ()
    cuts: tuple[Cut, ...] = ()
    quantiles: Mapping[str, Mapping[str, QuantileSample]] = field(default_factory=dict)
    lifetables: Mapping[str, Mapping[str, Lifetable]] = field(default_factory=dict)
    ages: Mapping[str, Mapping[str, tuple[Age, ...]]] = field(default_factory=dict)
    credits: tuple[Credit, ...] = ()
    quality: Quality = field(default_factory=Quality)
    uncapped: Mapping[str, Mapping[str, Moments]] = field(default_factory=dict)
    cohorts: tuple[Cohort, ...] = ()

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
            **{name: _written(getattr(self, name)) for name in _LATER},
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
            **{name: restore(document[name]) for name, restore in _LATER.items() if name in document},
        )


def _written(value: Any) -> Any:
    """Values of this module as plain ones."""
    match value:
        case Moments():
            return value.to_json()
        case Mapping():
            return {name: _written(each) for name, each in value.items()}
        case tuple():
            return [_written(each) for each in value]
        case date():
            return value.isoformat()
        case Stage() | Cut() | QuantileSample() | Lifetable() | Age() | Cohort() | Credit() | Quality():
            return {each.name: _written(getattr(value, each.name)) for each in fields(value)}
    return value


def _cut(document: Mapping[str, Any]) -> Cut:
    moments = {
        metric: {variant: Moments.from_json(each) for variant, each in arms.items()}
        for metric, arms in document["moments"].items()
    }
    later = {name: _LATER[name](document.get(name, {})) for name in ("quantiles", "lifetables")}
    return Cut(**{**document, "moments": moments, **later})


def _quantile_sample(document: Mapping[str, Any]) -> QuantileSample:
    return QuantileSample(**{**document, "below": Moments.from_json(document["below"])})


def _lifetable(document: Mapping[str, Any]) -> Lifetable:
    return Lifetable(*(tuple(document[name]) for name in ("times", "events", "censored")))


def _ages(document: Sequence[Mapping[str, Any]]) -> tuple[Age, ...]:
    return tuple(Age(each["day"], Moments.from_json(each["moments"]), each["active"]) for each in document)


def _cohort(document: Mapping[str, Any]) -> Cohort:
    return Cohort(**{**document, "week": date.fromisoformat(document["week"])})


def _by_arm(restore: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda document: {
        metric: {variant: restore(each) for variant, each in arms.items()}
        for metric, arms in document.items()
    }


_LATER: Mapping[str, Callable[[Any], Any]] = {
    "stages": lambda document: tuple(Stage(**each) for each in document),
    "cuts": lambda document: tuple(_cut(each) for each in document),
    "quantiles": _by_arm(_quantile_sample),
    "lifetables": _by_arm(_lifetable),
    "ages": _by_arm(_ages),
    "credits": lambda document: tuple(Credit(**each) for each in document),
    "quality": lambda document: Quality(**document),
    "uncapped": _by_arm(Moments.from_json),
    "cohorts": lambda document: tuple(_cohort(each) for each in document),
}
"""What observations did not always have, and how each is restored."""
