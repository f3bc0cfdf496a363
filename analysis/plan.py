"""The plan: what was asked, how sure we want to be, and how long it should take.

It is fixed before the first unit arrives, and an analysis never chooses anything that the plan has not.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from analysis.bayes import Bayesian
from analysis.errors import InvalidInput
from analysis.group_sequential import GroupSequential
from analysis.inference import AlwaysValid, FixedHorizon, Inference, Sequential

EQUAL_LOOKS = (0.2, 0.4, 0.6, 0.8, 1.0)

CAUTIOUS_PRIOR = 0.1
"""Standard deviation of lifts before any data: two in three changes move a metric by less than 10 %."""


class Role(StrEnum):
    """What a metric is for."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    GUARDRAIL = "guardrail"


class Direction(StrEnum):
    """Which way is better."""

    INCREASE = "increase"
    DECREASE = "decrease"

    @property
    def sign(self) -> int:
        """+1 where more is better, −1 where less is."""
        return 1 if self is Direction.INCREASE else -1


class Correction(StrEnum):
    """How several primary questions share one error rate."""

    HOLM = "holm"
    BENJAMINI_HOCHBERG = "benjamini_hochberg"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """A metric in its role.

    Attributes
    ----------
    margin
        A guardrail's harm limit, relative to the control: 0.05 means that a change for the worse of up to 5 %
        is tolerated.
    covariates
        Names of what was known about a unit before its exposure and follows the outcome among the variables
        of the metric's moments.
    quantile
        The level, for a metric of that kind.
    steps
        Names of a funnel's steps.
    horizon
        Milliseconds after the exposure up to which the time to an event is compared.
    smallest
        Units in an arm below which nothing is said; 0 for no such limit.
    version
        Of the definition that counts; None where it was not kept.
    """

    key: str
    role: Role
    direction: Direction = Direction.INCREASE
    kind: str = "mean"
    margin: float | None = None
    covariates: tuple[str, ...] = ()
    quantile: float | None = None
    steps: tuple[str, ...] = ()
    horizon: int | None = None
    smallest: int = 0
    version: int | None = None

    @property
    def harm_limit(self) -> float | None:
        """The lift at which harm begins: −margin where more is better, +margin where less is."""
        return None if self.margin is None else -self.direction.sign * self.margin


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an analysis has to know about one phase of an experiment.

    Attributes
    ----------
    weights
        Intended shares of all variants, the control included, in any scale.
    size
        Planned units over all variants, for the sequential boundary.
    optimum
        Units over both arms at which the always valid interval is tightest.
    mde
        The smallest lift worth detecting.
    starts, ends
        When the phase began, and when it was or will be over.
    days
        Planned length.
    looks
        Information fractions of a group-sequential plan's looks; empty for five at equal distances.
    prior_sd
        Of the lift, for Bayesian inference; None for the cautious default.
    closed
        Whether assignment has stopped, whatever the dates say.
    segments
        The planned segments; their comparisons are one more family, corrected together.
    looked
        How often readouts of this phase were made before this one.
    """

    experiment: str
    control: str
    weights: Mapping[str, float]
    metrics: tuple[PlannedMetric, ...]
    phase: int = 1
    confidence: float = 0.95
    inference: str = "always_valid"
    correction: Correction = Correction.HOLM
    power: float = 0.8
    mde: float | None = None
    size: int | None = None
    optimum: int = 10_000
    days: int | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    looks: tuple[float, ...] = ()
    prior_sd: float | None = None
    closed: bool = False
    segments: tuple[str, ...] = ()
    looked: int = 0

    @property
    def treatments(self) -> tuple[str, ...]:
        """The variants that are compared with the control, in their planned order."""
        return tuple(name for name in self.weights if name != self.control)

    def inference_for(self, treatment: str) -> Inference:
        """The inference of one comparison.

        Raises
        ------
        InvalidInput
            If the plan names an inference that does not exist or lacks what it needs.
        """
        match self.inference:
            case "fixed":
                return FixedHorizon(self.confidence)
            case "sequential":
                return Sequential(self._pair_size(treatment), self.confidence)
            case "group_sequential":
                looks = self.looks or EQUAL_LOOKS
                return GroupSequential(self._pair_size(treatment), looks, confidence=self.confidence)
            case "always_valid":
                return AlwaysValid(self.optimum, self.confidence)
            case "bayesian":
                return Bayesian(prior_sd=self.prior_sd or CAUTIOUS_PRIOR, confidence=self.confidence)
        raise InvalidInput(f"plan.inference: {self.inference!r} is not available")

    def _pair_size(self, treatment: str) -> int:
        """Planned units of one treatment and the control together."""
        if self.size is None:
            raise InvalidInput(f"plan.size: {self.inference} inference needs a planned number of units")
        pair = self.weights[treatment] + self.weights[self.control]
        return max(1, round(self.size * pair / sum(self.weights.values())))

    @property
    def planned_end(self) -> datetime | None:
        """The moment from which a fixed-horizon result may be read."""
        if self.ends is not None or self.starts is None or self.days is None:
            return self.ends
        return self.starts + timedelta(days=self.days)

    def is_over(self, *, as_of: datetime, units: int) -> bool:
        """Whether the planned end has come: by date, by size, or because assignment was stopped."""
        end = self.planned_end
        by_size = self.inference != "fixed" and self.size is not None and units >= self.size
        return self.closed or by_size or (end is not None and as_of >= end)

    def to_json(self) -> dict[str, Any]:
        """Write the plan as plain values."""
        return {
            **asdict(self),
            "weights": dict(self.weights),
            "metrics": [_plain(metric) for metric in self.metrics],
            "starts": self.starts and self.starts.isoformat(),
            "ends": self.ends and self.ends.isoformat(),
            "looks": list(self.looks),
            "segments": list(self.segments),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Plan":
        """Read what `to_json` wrote."""
        return cls(
            **{
                **document,
                "metrics": tuple(_metric(each) for each in document["metrics"]),
                "correction": Correction(document["correction"]),
                "looks": tuple(document["looks"]),
                "segments": tuple(document.get("segments", ())),
                "starts": document["starts"] and datetime.fromisoformat(document["starts"]),
                "ends": document["ends"] and datetime.fromisoformat(document["ends"]),
            }
        )


def _plain(metric: PlannedMetric) -> dict[str, Any]:
    document = {
        **asdict(metric),
        "covariates": list(metric.covariates),
        "steps": list(metric.steps),
    }
    if metric.version is None:  # as it was written before versions were
        del document["version"]
    return document


def _metric(document: Mapping[str, Any]) -> PlannedMetric:
    return PlannedMetric(
        **{
            **document,
            "role": Role(document["role"]),
            "direction": Direction(document["direction"]),
            # Plans that were stored before metrics had these say nothing of them.
            "covariates": tuple(document.get("covariates", ())),
            "steps": tuple(document.get("steps", ())),
        }
    )
