"""The readout: all comparisons, the checks and the verdict at one moment, as one immutable value.

Its JSON form is the contract that pages, exports, the API and other programs read. Probabilities are never
rounded in it, and what is unlimited or unknown is null, never a made-up number.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from analysis.flags import Doubt, Flag
from analysis.interval import Interval
from analysis.observation import Credit, Quality
from analysis.plan import Plan, Role


class Reading(StrEnum):
    """What one comparison says, with the metric's direction resolved."""

    BETTER = "better"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"
    EQUIVALENT = "equivalent"
    SAFE = "safe"
    HARMFUL = "harmful"
    NOT_ESTIMABLE = "not_estimable"


class Recommendation(StrEnum):
    """What the numbers say to do."""

    SHIP = "ship"
    ROLL_BACK = "roll_back"
    KEEP_RUNNING = "keep_running"
    STOP = "stop"
    DO_NOT_READ = "do_not_read"


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason for a verdict: a stable code, and the metric and variant it speaks of."""

    code: str
    metric: str | None = None
    variant: str | None = None

    def __str__(self) -> str:
        return ":".join(part for part in (self.code, self.metric, self.variant) if part is not None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The recommendation, the variant it is about, and its grounds."""

    recommendation: Recommendation
    variant: str | None
    grounds: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class DataCheck:
    """A check on the data; a failed one replaces the verdict."""

    name: str
    passed: bool
    p_value: float | None = None
    statistic: float | None = None
    observed: Mapping[str, float] | None = None
    expected: Mapping[str, float] | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One metric of one treatment against the control, read.

    ``p_value`` is the test's own; ``p_value_adjusted`` takes the other questions of the same family into
    account, and the intervals are drawn at the ``confidence`` that agrees with it. ``flags`` are doubts that
    stand beside the number and never hide it.
    """

    metric: str
    role: Role
    variant: str
    control: str
    reading: Reading
    treatment_n: int
    control_n: int
    treatment_value: float | None = None
    control_value: float | None = None
    difference: Interval | None = None
    lift: Interval | None = None
    standard_error: float | None = None
    p_value: float | None = None
    p_value_adjusted: float | None = None
    significant: bool = False
    method: str | None = None
    inference: str | None = None
    confidence: float | None = None
    detectable_lift: float | None = None
    harm_limit: float | None = None
    segment: str | None = None
    not_estimable: str | None = None
    flags: tuple[Flag, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Readout:
    """Everything one analysis has to say."""

    experiment: str
    phase: int
    as_of: datetime
    data_through: datetime | None
    version: str
    plan: Plan
    over: bool
    units: Mapping[str, int]
    excluded: Mapping[str, int]
    immature: Mapping[str, int]
    checks: tuple[DataCheck, ...]
    comparisons: tuple[Finding, ...]
    verdict: Verdict
    series: tuple[Series, ...]
    split: tuple[SplitPoint, ...]
    stages: tuple[StageCheck, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    funnels: tuple[Funnel, ...] = ()
    returns: tuple[Return, ...] = ()
    ages: tuple[AgeSeries, ...] = ()
    lasting: tuple[Lasting, ...] = ()
    mixes: tuple[Mix, ...] = ()
    credits: tuple[Credit, ...] = ()
    quality: Quality = field(default_factory=Quality)

    def check(self, name: str) -> DataCheck | None:
        """The check of that name."""
        return next((each for each in self.checks if each.name == name), None)

    def finding(self, metric: str, variant: str) -> Finding | None:
        """The comparison of that metric and variant over all units."""
        matching = (f for f in self.comparisons if f.metric == metric and f.variant == variant)
        return next((f for f in matching if f.segment is None), None)

    def to_json(self) -> dict[str, Any]:
        """Write the contract's form: plain values, in a fixed order."""
        return {
            "experiment": self.experiment,
            "as_of": self.as_of.isoformat(),
            "phase": self.phase,
            "data_through": self.data_through and self.data_through.isoformat(),
            "version": self.version,
            "plan": self.plan.to_json(),
            "over": self.over,
            "units": dict(self.units),
            "excluded": {**self.excluded, "immature": dict(self.immature)},
            "checks": [_fields(check) for check in self.checks],
            "comparisons": [_fields(finding) for finding in self.comparisons],
            "verdict": {
                "recommendation": str(self.verdict.recommendation),
                "variant": self.verdict.variant,
                "reasons": [str(ground) for ground in self.verdict.grounds],
            },
            "series": [
                {
                    "metric": each.metric,
                    "variant": each.variant,
                    "points": [_fields(point) for point in each.points],
                }
                for each in self.series
            ],
            "split": [_fields(point) for point in self.split],
            "stages": _plain(self.stages),
            "segments": _plain(self.interactions),
            "funnels": _plain(self.funnels),
            "returns": _plain(self.returns),
            "ages": _plain(self.ages),
            "lasting": _plain(self.lasting),
            "mixes": _plain(self.mixes),
            "credits": _plain(self.credits),
            "quality": _plain(self.quality),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Readout":
        """Read what `to_json` wrote."""
        verdict, excluded = document["verdict"], dict(document["excluded"])
        immature = excluded.pop("immature")
        through = document["data_through"]
        return cls(
            experiment=document["experiment"],
            phase=document["phase"],
            as_of=datetime.fromisoformat(document["as_of"]),
            data_through=through and datetime.fromisoformat(through),
            version=document["version"],
            plan=Plan.from_json(document["plan"]),
            over=document["over"],
            units=document["units"],
            excluded=excluded,
            immature=immature,
            checks=tuple(DataCheck(**each) for each in document["checks"]),
            comparisons=tuple(_finding(each) for each in document["comparisons"]),
            verdict=Verdict(
                Recommendation(verdict["recommendation"]),
                verdict["variant"],
                tuple(_ground(reason) for reason in verdict["reasons"]),
            ),
            series=tuple(
                Series(each["metric"], each["variant"], tuple(Point(**_dated(p)) for p in each["points"]))
                for each in document["series"]
            ),
            split=tuple(SplitPoint(**_dated(each)) for each in document["split"]),
            **_restored(document),
        )


def _fields(value: Any) -> dict[str, Any]:
    return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}


def _plain(value: Any) -> Any:
    match value:
        case Interval():
            return {"estimate": value.estimate, "low": _plain(value.low), "high": _plain(value.high)}
        case float():
            return value if math.isfinite(value) else None
        case StrEnum():
            return str(value)
        case date():
            return value.isoformat()
        case _ if is_dataclass(value):
            return _fields(value)
        case tuple():
            return [_plain(each) for each in value]
        case Mapping():
            return {name: _plain(each) for name, each in value.items()}
    return value


def _restored(document: Mapping[str, Any]) -> dict[str, Any]:
    """What readouts did not always have."""
    return {
        "stages": tuple(StageCheck(**each) for each in document.get("stages", ())),
        "interactions": tuple(Interaction(**each) for each in document.get("segments", ())),
        "funnels": tuple(
            Funnel(**{**each, "steps": tuple(Step(**_contrasted(step)) for step in each["steps"])})
            for each in document.get("funnels", ())
        ),
        "returns": tuple(Return(**_contrasted(each)) for each in document.get("returns", ())),
        "ages": tuple(
            AgeSeries(
                **{
                    **each,
                    "points": tuple(AgePoint(**point) for point in each["points"]),
                    "change": _interval(each["change"]),
                }
            )
            for each in document.get("ages", ())
        ),
        "lasting": tuple(
            Lasting(
                each["metric"],
                each["variant"],
                *(tuple(each[name]) for name in ("times", "share", "low", "high")),
            )
            for each in document.get("lasting", ())
        ),
        "mixes": tuple(Mix(**each) for each in document.get("mixes", ())),
        "credits": tuple(Credit(**each) for each in document.get("credits", ())),
        "quality": Quality(**document.get("quality", {})),
    }


def _contrasted(document: Mapping[str, Any]) -> dict[str, Any]:
    """A step or a day, with its intervals."""
    read = {name: _interval(each) for name, each in document["difference"].items()}
    return {**document, "difference": read}


def _dated(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "day": date.fromisoformat(document["day"])}


def _finding(document: Mapping[str, Any]) -> Finding:
    return Finding(
        **{
            **document,
            "role": Role(document["role"]),
            "reading": Reading(document["reading"]),
            "difference": _interval(document["difference"]),
            "lift": _interval(document["lift"]),
            "flags": tuple(Flag(**{**each, "kind": Doubt(each["kind"])}) for each in document["flags"]),
        }
    )


def _interval(document: Mapping[str, Any] | None) -> Interval | None:
    if document is None:
        return None
    low, high = document["low"], document["high"]
    return Interval(
        document["estimate"], -math.inf if low is None else low, math.inf if high is None else high
    )


def _ground(text: str) -> Ground:
    code, *rest = text.split(":")
    metric, variant = [*rest, None, None][:2]
    return Ground(code, metric, variant)
