"""The readout: all comparisons, the checks and the verdict at one moment, as one immutable value.

Its JSON form is the contract that pages, exports, the API and other programs read. Probabilities are never
rounded in it, and what is unlimited or unknown is null, never a made-up number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, get_type_hints

from analysis.explanations import (
    AgePoint,
    AgeSeries,
    CohortDay,
    Funnel,
    Interaction,
    Lasting,
    Level,
    Mix,
    Point,
    Return,
    Series,
    SplitPoint,
    StageCheck,
    Step,
)
from analysis.flags import Flag
from analysis.interval import Interval
from analysis.observation import Credit, Quality
from analysis.plain import restored, written
from analysis.plan import Plan, Role

__all__ = [
    "AgePoint",
    "AgeSeries",
    "Alternative",
    "Beside",
    "CohortDay",
    "Credit",
    "DataCheck",
    "Finding",
    "Flag",
    "Funnel",
    "Ground",
    "Interaction",
    "Lasting",
    "Level",
    "Mix",
    "Part",
    "Point",
    "Quality",
    "Reading",
    "Readout",
    "Recommendation",
    "Return",
    "Series",
    "SplitPoint",
    "StageCheck",
    "Step",
    "Verdict",
]


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
    """A check on the data.

    A failed one replaces the verdict, unless it is ``advisory``: then it stands beside the verdict, because
    the numbers may still be read. ``detail`` names the place: the day, the segment, the metrics.
    """

    name: str
    passed: bool
    p_value: float | None = None
    statistic: float | None = None
    observed: Mapping[str, float] | None = None
    expected: Mapping[str, float] | None = None
    detail: str = ""
    advisory: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The numerator or the denominator of a ratio, compared by itself: it explains and decides nothing."""

    name: str
    treatment_value: float
    control_value: float
    difference: Interval
    lift: Interval | None
    p_value: float


@dataclass(frozen=True, slots=True)
class Beside:
    """Another test of the same question, for those who would have asked that one; it decides nothing."""

    method: str
    p_value: float
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One metric of one treatment against the control, read.

    ``p_value`` is the test's own; ``p_value_adjusted`` takes the other questions of the same family into
    account, and the intervals are drawn at the ``confidence`` that agrees with it. ``flags`` are doubts that
    stand beside the number and never hide it.

    Attributes
    ----------
    treatment_value, control_value
        As counted: an adjustment changes the difference and the lift, never these.
    segment
        None over all units; ``channel=email`` over the units with that value, ``channel=`` over those of
        which it is not known. The first equals sign ends the segment's name.
    variance_reduction
        The share of the difference's variance that adjusting for covariates took away; None without any.
    parts
        Of a ratio.
    shrunken
        In a segment: the difference drawn towards that of all its values, for ranking without chasing noise.
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
    variance_reduction: float | None = None
    parts: tuple[Part, ...] = ()
    beside: tuple[Beside, ...] = ()
    shrunken: float | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a comparison would have said, had one choice been made differently.

    ``choice`` is ``unadjusted``, ``uncapped`` or ``without_largest``: the last leaves out the unit that has
    most of the metric, from the arm in which that changes most. ``agrees`` says whether the reading stays.
    """

    metric: str
    variant: str
    choice: str
    reading: Reading
    agrees: bool
    difference: Interval
    lift: Interval | None
    p_value: float


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
    alternatives: tuple[Alternative, ...] = ()
    cohorts: tuple[CohortDay, ...] = ()

    @property
    def failed(self) -> tuple[DataCheck, ...]:
        """The failed checks that replace the verdict."""
        return tuple(check for check in self.checks if not check.passed and not check.advisory)

    @property
    def advice(self) -> tuple[DataCheck, ...]:
        """The failed checks that stand beside the verdict."""
        return tuple(check for check in self.checks if not check.passed and check.advisory)

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
            "checks": written(self.checks),
            "comparisons": written(self.comparisons),
            "verdict": {
                "recommendation": str(self.verdict.recommendation),
                "variant": self.verdict.variant,
                "reasons": [str(ground) for ground in self.verdict.grounds],
            },
            "series": written(self.series),
            "split": written(self.split),
            **{told: written(getattr(self, name)) for name, told in _LATER.items()},
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
            checks=restored(tuple[DataCheck, ...], document["checks"]),
            comparisons=restored(tuple[Finding, ...], document["comparisons"]),
            verdict=Verdict(
                Recommendation(verdict["recommendation"]),
                verdict["variant"],
                tuple(_ground(reason) for reason in verdict["reasons"]),
            ),
            series=restored(tuple[Series, ...], document["series"]),
            split=restored(tuple[SplitPoint, ...], document["split"]),
            **{
                name: restored(_LATER_KINDS[name], document[told])
                for name, told in _LATER.items()
                if told in document
            },
        )


_LATER = {
    "stages": "stages",
    "interactions": "segments",
    "funnels": "funnels",
    "returns": "returns",
    "ages": "ages",
    "lasting": "lasting",
    "mixes": "mixes",
    "credits": "credits",
    "quality": "quality",
    "alternatives": "alternatives",
    "cohorts": "cohorts",
}
"""What readouts did not always have, and its name in the document."""

_LATER_KINDS = {name: kind for name, kind in get_type_hints(Readout).items() if name in _LATER}


def _ground(text: str) -> Ground:
    code, *rest = text.split(":")
    metric, variant = [*rest, None, None][:2]
    return Ground(code, metric, variant)
