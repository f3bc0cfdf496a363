"""Planning: what a metric's past says about an experiment that has not begun."""

import math
from dataclasses import dataclass
from datetime import datetime

from analysis import InvalidInput as WrongInput
from analysis import Moments, NotEstimable
from analysis.power import (
    Baseline,
    Design,
    Duration,
    Units,
    Week,
    days_needed,
    detectable_lift,
    lift_by_week,
    sample_size,
)
from experiments.errors import InvalidInput
from experiments.observe import Engine
from experiments.observe.history import EVERYBODY, History, count_pasts, look_back
from experiments.pasts import level_in
from experiments.registry import find_metrics, list_metrics
from experiments.store import Store

MOST_DAYS = 366


def history_of(
    *, store: Store, engine: Engine, key: str, now: datetime, days: int = 28, unit_type: str = "user_id"
) -> History:
    """Collect a metric's past.

    Parameters
    ----------
    engine
        What runs the statement.
    days
        How far to look back; whole weeks are the fairest.

    Raises
    ------
    NotFound
        If there is no such metric.
    InvalidInput
        If nothing happened in that time, or the metric gives units no number of their own.
    """
    if not 7 <= days <= MOST_DAYS:
        raise InvalidInput.at("days", f"expected 7 to {MOST_DAYS}")
    with store.read() as session:
        metric = find_metrics(session=session, keys=[key])[key].definition
    found = look_back(engine=engine, metric=metric, unit_type=unit_type, now=now, days=days)
    if not len(found.values):
        raise InvalidInput.at(key, f"no unit was seen in the last {days} days")
    return found


@dataclass(frozen=True, slots=True)
class Level:
    """What a metric of any kind starts from, and the new units a day."""

    baseline: Baseline
    daily_units: float


def level_of(
    *, store: Store, engine: Engine, key: str, now: datetime, days: int = 28, unit_type: str = "user_id"
) -> Level:
    """A metric's level over its past, as an experiment on those units would have measured it.

    Raises
    ------
    NotFound
        If there is no such metric.
    InvalidInput
        If nobody was seen for long enough, or their values allow no estimate.
    """
    if not 7 <= days <= MOST_DAYS:
        raise InvalidInput.at("days", f"expected 7 to {MOST_DAYS}")
    with store.read() as session:
        metric = find_metrics(session=session, keys=[key])[key].definition
        known = {each.key: each.definition for each in list_metrics(session=session)}
    glance = count_pasts(
        engine=engine, metrics=[metric], known=known, unit_type=unit_type, now=now, days=days
    )[key]
    if not glance.observation.units[EVERYBODY]:
        raise InvalidInput.at(key, f"no unit was seen in the last {days} days")
    found = level_in(metric, glance)
    if isinstance(found, NotEstimable):
        raise InvalidInput.at(key, f"its past allows no estimate: {found.detail or found.cause}")
    try:
        return Level(Baseline.of_estimate(found), glance.daily_units)
    except WrongInput as refusal:
        raise InvalidInput.at(key, str(refusal)) from refusal


def expected_z(history: History, *, lift: float, size: int) -> float:
    """The z that a true lift reaches at the planned end, with two equal arms of such units."""
    moments = Moments.from_values(history.values)
    error = 2 * math.sqrt(moments.variance / size)
    if error == 0:
        raise InvalidInput.at("metric", "every unit has the same value; there is nothing to plan with")
    return abs(moments.value) * lift / error


@dataclass(frozen=True, slots=True)
class Ask:
    """What an experiment wants to know, and of whom.

    Attributes
    ----------
    mean, variance
        Of the primary metric per unit, today.
    lift
        The smallest relative change worth detecting.
    daily_units
        New units a day in the product.
    share
        Of them that may take part: targeting, holdouts, layer and traffic together.
    """

    mean: float
    variance: float
    lift: float
    daily_units: float
    design: Design
    share: float = 1.0
    weeks: int = 4


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an experiment needs.

    Attributes
    ----------
    needed
        Units in all and of each variant, the control first.
    duration
        Days and whole weeks; None where nobody comes.
    table
        What is detectable after each week.
    reached
        The lift that the whole weeks detect; None where nobody comes.
    """

    needed: Units
    duration: Duration | None
    table: tuple[Week, ...]
    reached: float | None


def look_ahead(ask: Ask) -> Outlook:
    """Say how many units and whole weeks an experiment needs.

    Raises
    ------
    InvalidInput
        If the numbers allow no answer; the message says which.
    """
    try:
        baseline = Baseline(ask.mean, ask.variance)
        needed = sample_size(baseline, ask.lift, ask.design)
        daily = ask.daily_units * ask.share
        if daily <= 0:
            return Outlook(needed, None, (), None)
        duration = days_needed(needed.total, daily)
        weekly = [max(2, round(daily * 7))] * max(ask.weeks, 1)
        table = lift_by_week(baseline, weekly, ask.design)
        reached = detectable_lift(baseline, max(2, round(daily * 7 * duration.weeks)), ask.design)
    except WrongInput as refusal:
        raise InvalidInput.at("plan", str(refusal)) from refusal
    return Outlook(needed, duration, table, reached)
