"""Kinds: how each kind of metric is estimated from what was counted of it in two variants.

The two variants come together, because an adjustment fits one slope inside both. Whatever the kind, the
answer is a pair of estimates, and everything after it (scale, inference, correction) is the same for all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.adjust import cuped, cuped_linearised, fitted_slopes
from analysis.errors import Cause, NotEstimable
from analysis.estimate import Estimate, mean, proportion, ratio
from analysis.moments import Moments
from analysis.observation import Cut, Lifetable, Observation, QuantileSample
from analysis.plan import PlannedMetric
from analysis.quantiles import of_sample
from analysis.survival import curve_of

Counted = Moments | QuantileSample | Lifetable
"""What was counted of a metric in one variant."""

SHARES = frozenset({"proportion", "retention", "funnel"})
"""Kinds whose values are zeros and ones."""

UNITS_PER_COVARIATE = 20
"""An arm with fewer units for each covariate is not adjusted: the slope would fit the noise."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A metric's estimates in the treatment and in the control."""

    treatment: Estimate | NotEstimable
    control: Estimate | NotEstimable


def counted_of(observation: Observation | Cut, metric: PlannedMetric, variant: str) -> Counted:
    """Find what was counted of a metric in a variant, over all units or over those of a segment's value.

    The moments of nobody if nothing was.
    """
    found = of_kind(observation, metric).get(metric.key, {}).get(variant)
    return Moments.empty() if found is None else found


def of_kind(observation: Observation | Cut, metric: PlannedMetric) -> Mapping[str, Mapping[str, Counted]]:
    """All that was counted in the way in which metrics of this kind are, by metric and variant."""
    match metric.kind:
        case "quantile":
            return observation.quantiles
        case "time_to_event":
            return observation.lifetables
    return observation.moments


def units_in(counted: Counted) -> int:
    """Units behind what was counted."""
    return counted.below.n if isinstance(counted, QuantileSample) else counted.n


def width_of(metric: PlannedMetric) -> int:
    """How many of the variables of a metric's moments are its own; covariates come after them."""
    return {"ratio": 2, "funnel": max(1, len(metric.steps))}.get(metric.kind, 1)


def outcome_of(metric: PlannedMetric) -> int:
    """The place of the variable that is compared: the last step of a funnel, the first of all others."""
    return width_of(metric) - 1 if metric.kind == "funnel" else 0


def covariate_places(metric: PlannedMetric, moments: Moments) -> range:
    """The places of those planned covariates that were counted."""
    first = width_of(metric)
    return range(first, min(moments.k, first + len(metric.covariates)))


def plain_pair(metric: PlannedMetric, treatment: Counted, control: Counted) -> Pair:
    """Estimate a metric in both variants as it was counted."""
    if metric.kind == "time_to_event":
        horizon = _horizon(metric, treatment, control)
        return Pair(_lasting(treatment, horizon), _lasting(control, horizon))
    return Pair(_plain(metric, treatment), _plain(metric, control))


def adjusted_pair(metric: PlannedMetric, treatment: Counted, control: Counted) -> Pair | None:
    """Estimate a metric in both variants without what its covariates explain; None without covariates.

    A covariate that is a combination of those before it is left out, for it has nothing to add.
    """
    if not isinstance(treatment, Moments) or not isinstance(control, Moments):
        return None
    places = covariate_places(metric, treatment)
    arms = {"treatment": treatment, "control": control}
    if not places or treatment.k != control.k or not _suffice(arms.values(), len(places)):
        return None
    outcome = outcome_of(metric)
    used = _independent(arms, outcome, [place for place in places if _explains(arms.values(), place)])
    if not used:
        return None
    adjusted = cuped_linearised(arms, used) if metric.kind == "ratio" else cuped(arms, outcome, used)
    if isinstance(adjusted, NotEstimable) or not any(_varies(each) for each in adjusted.values()):
        return None
    return Pair(adjusted["treatment"], adjusted["control"])


def _suffice(arms: Iterable[Moments], covariates: int) -> bool:
    return all(
        arm.n >= UNITS_PER_COVARIATE * covariates and bool(np.isfinite(arm.cross).all()) for arm in arms
    )


def _explains(arms: Iterable[Moments], place: int) -> bool:
    """Whether a covariate differs between the units of an arm; one that is the same for all says nothing."""
    return any(float(arm.cross[place, place]) > 0 for arm in arms)


def _varies(adjusted: Estimate) -> bool:
    """Whether anything but rounding is left of an arm's variance."""
    return adjusted.anchor is not None and adjusted.standard_error > 1e-6 * adjusted.anchor.standard_error


def _independent(arms: dict[str, Moments], outcome: int, places: Sequence[int]) -> list[int]:
    used: list[int] = []
    for place in places:
        tried = {name: arm.take([outcome, *used, place]) for name, arm in arms.items()}
        if not isinstance(fitted_slopes(tried), NotEstimable):
            used.append(place)
    return used


def _plain(metric: PlannedMetric, counted: Counted) -> Estimate | NotEstimable:
    if isinstance(counted, QuantileSample):
        return of_sample(counted, metric.quantile or 0.5)
    if isinstance(counted, Lifetable) or counted.n == 0 or counted.k < width_of(metric):
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    if metric.kind == "ratio":
        return ratio(counted)
    own = counted.take([outcome_of(metric)])
    return proportion(own) if metric.kind in SHARES else mean(own)


def _horizon(metric: PlannedMetric, treatment: Counted, control: Counted) -> float:
    """The planned time, or the longest that both arms have been watched."""
    if metric.horizon is not None:
        return float(metric.horizon)
    tables = (each for each in (treatment, control) if isinstance(each, Lifetable))
    return float(min((each.times[-1] for each in tables if each.times), default=0.0))


def _lasting(counted: Counted, horizon: float) -> Estimate | NotEstimable:
    """The mean time without the event, within the horizon."""
    if not isinstance(counted, Lifetable):
        return NotEstimable(Cause.NO_UNITS, "no unit was analysed")
    curve = curve_of(counted)
    return curve if isinstance(curve, NotEstimable) else curve.restricted_mean(horizon)
