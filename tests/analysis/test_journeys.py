"""Journeys: funnels, returns, curves of what lasts, and effects by days since exposure."""

import json
import math
from datetime import date

import numpy as np
import pytest

from analysis import Moments, Observation, PlannedMetric, Readout, Role, compare, estimate, read
from analysis.comparison import Comparison
from analysis.journeys import CURVE_POINTS
from analysis.observation import Age, Cohort, Credit, Lifetable
from analysis.survival import Curve, curve_of
from tests.analysis.observations import SALES, arm, observed, plan

BUY = PlannedMetric("checkout", Role.PRIMARY, kind="funnel", steps=("view", "cart", "buy"))


def reached(*counts: int, n: int = 1_000) -> Moments:
    """A funnel in which whoever reached a step had reached all before it."""
    order = np.arange(n)
    return Moments.from_values(np.column_stack([order < count for count in counts]).astype(float))


def readout_of(seen: Observation, *metrics: PlannedMetric, **changes: object) -> Readout:
    return read(plan(*metrics, **changes), seen, version="test")


def test_every_step_of_a_funnel_is_a_share_of_all_exposed_units() -> None:
    seen = observed({"checkout": {"old": reached(800, 300, 100), "new": reached(810, 380, 160)}})
    (funnel,) = readout_of(seen, BUY).funnels
    assert (funnel.metric, funnel.units) == ("checkout", {"old": 1_000, "new": 1_000})
    assert [step.name for step in funnel.steps] == ["view", "cart", "buy"]
    assert [step.reached for step in funnel.steps] == [
        {"old": 800, "new": 810},
        {"old": 300, "new": 380},
        {"old": 100, "new": 160},
    ]
    cart = funnel.steps[1]
    assert cart.share == {"old": pytest.approx(0.3), "new": pytest.approx(0.38)}
    new, old = (Moments.from_counts(successes=count, n=1_000) for count in (380, 300))
    expected = compare(estimate.proportion(new), estimate.proportion(old))
    assert isinstance(expected, Comparison)
    assert cart.difference["new"].low == pytest.approx(expected.difference.low)
    assert list(cart.difference) == ["new"]


def test_a_step_that_everybody_reached_has_no_interval() -> None:
    seen = observed({"checkout": {"old": reached(1_000, 300, 100), "new": reached(1_000, 380, 160)}})
    assert readout_of(seen, BUY).funnels[0].steps[0].difference == {}


def test_a_funnel_that_nobody_entered_or_that_lacks_an_arm_is_told_as_far_as_it_goes() -> None:
    assert readout_of(observed({}), BUY).funnels == ()
    empty = observed({"checkout": {"old": Moments.empty(3), "new": Moments.empty(3)}})
    assert readout_of(empty, BUY).funnels == ()
    half = observed({"checkout": {"new": reached(9, 8, 7), "old": Moments.empty(3)}})
    (funnel,) = readout_of(half, BUY).funnels
    assert (funnel.units, funnel.steps[0].difference) == ({"new": 1_000}, {})


def ages(*means: float, n: int = 4_000, active: int = 900) -> tuple[Age, ...]:
    return tuple(Age(day, arm(mean, n=n - 100 * day), active - 20 * day) for day, mean in enumerate(means))


def test_returns_are_shares_of_the_units_that_are_old_enough() -> None:
    seen = observed(ages={"sales": {"old": ages(1, 1, 1), "new": ages(1, 1, 1, active=1_100)}})
    first, second = readout_of(seen).returns
    assert (first.day, first.old_enough) == (1, {"old": 3_900, "new": 3_900})
    assert first.share == {"old": 880 / 3_900, "new": 1_080 / 3_900}
    assert first.difference["new"].low > 0
    assert second.day == 2


def test_returns_need_both_arms_for_a_difference_and_somebody_for_a_share() -> None:
    lonely = observed(ages={"sales": {"new": ages(1, 1), "other": ages(1, 1), "old": ages(1)}})
    (day,) = readout_of(lonely).returns
    assert (day.share, day.difference) == ({"new": 880 / 3_900}, {})
    nobody = observed(ages={"sales": {"new": (Age(1, Moments.empty(), 0), Age(2, arm(1.0), 7))}})
    assert [day.share for day in readout_of(nobody).returns] == [{}, {"new": 7 / 10_000}]
    assert readout_of(observed()).returns == ()


def test_an_effect_that_fades_is_novelty() -> None:
    calm = ages(*[10.0] * 14)
    fading = ages(*[10.0 + 2.0 / (1 + day) for day in range(14)])
    (series,) = readout_of(observed(ages={"sales": {"old": calm, "new": fading}})).ages
    assert (series.metric, series.variant, series.novelty) == ("sales", "new", True)
    assert series.p_value is not None
    assert series.change is not None
    assert series.change.high < 0
    assert [point.day for point in series.points] == list(range(14))
    first = series.points[0]
    assert (first.units, first.estimate) == (8_000, 2.0)
    expected = compare(estimate.mean(fading[0].moments), estimate.mean(calm[0].moments))
    assert isinstance(expected, Comparison)
    assert (first.low, first.high) == (expected.difference.low, expected.difference.high)
    steady = ages(*[10.5] * 14)
    (told,) = readout_of(observed(ages={"sales": {"old": calm, "new": steady}})).ages
    assert not told.novelty
    assert told.p_value == pytest.approx(1.0)


def test_days_that_few_have_lived_to_are_shown_but_not_judged() -> None:
    many, few = ages(*[10.0] * 5), tuple(Age(5 + day, arm(50.0, n=90), 9) for day in range(4))
    calm = (*many, *(Age(5 + day, arm(10.0, n=90), 9) for day in range(4)))
    (series,) = readout_of(observed(ages={"sales": {"old": calm, "new": (*many, *few)}})).ages
    assert len(series.points) == 9
    assert not series.novelty


def test_days_after_the_last_on_which_anything_happened_are_left_out() -> None:
    quiet = tuple(Age(day, arm(0.0, var=0.0), 0) for day in range(3, 60))
    seen = observed(ages={"sales": {"old": (*ages(1, 1, 1), *quiet), "new": (*ages(2, 2, 2), *quiet)}})
    answer = readout_of(seen)
    assert [day.day for day in answer.returns] == [1, 2]
    assert [point.day for point in answer.ages[0].points] == [0, 1, 2]


def test_too_few_days_or_nothing_that_varies_is_no_drift() -> None:
    (short,) = readout_of(observed(ages={"sales": {"old": ages(1, 1), "new": ages(1, 2)}})).ages
    assert (short.p_value, short.change, short.novelty) == (None, None, False)
    flat = tuple(Age(day, arm(1.0, var=0.0), 5) for day in range(4))
    (still,) = readout_of(observed(ages={"sales": {"old": flat, "new": flat}})).ages
    assert still.points == ()
    nobody = (Age(0, Moments.empty(), 0),)
    (empty,) = readout_of(observed(ages={"sales": {"old": nobody, "new": nobody}})).ages
    assert empty.points == ()
    assert readout_of(observed(ages={"sales": {"new": flat}})).ages == ()


def test_before_anything_may_be_spent_a_day_has_an_estimate_without_ends() -> None:
    seen = observed(ages={"sales": {"old": ages(1, 1), "new": ages(2, 2)}})
    (series,) = readout_of(seen, inference="group_sequential", size=10**9).ages
    assert (series.points[0].estimate, series.points[0].low) == (1.0, None)


def test_a_ratio_ages_by_its_ratio() -> None:
    def orders(up: float) -> Moments:
        return Moments.from_summary(n=900, mean=[4.0 * up, 2.0], var=np.diag([4.0, 1.0]))

    metric = PlannedMetric("sales", Role.PRIMARY, kind="ratio")
    told = {"old": (Age(0, orders(1.0), 5),), "new": (Age(0, orders(1.5), 5),)}
    (series,) = readout_of(observed({}, ages={"sales": told}), metric).ages
    assert series.points[0].estimate == pytest.approx(1.0)


LEAVE = PlannedMetric("leave", Role.PRIMARY, kind="time_to_event", horizon=50)


def test_what_lasts_is_told_for_every_variant() -> None:
    tables = {
        "new": Lifetable((10, 20, 60), (5, 3, 2), (0, 10, 80)),
        "old": Lifetable((10, 50), (8, 0), (0, 92)),
        "gone": Lifetable((1,), (1,), (0,)),
    }
    old, new = readout_of(observed({}, lifetables={"leave": tables}), LEAVE).lasting
    assert (new.metric, new.variant, new.times) == ("leave", "new", (0, 10, 20))
    assert list(new.share) == pytest.approx([1.0, 0.95, 0.95 * 92 / 95])
    assert (old.variant, old.times) == ("old", (0, 10))
    curve = curve_of(tables["new"])
    assert isinstance(curve, Curve)
    interval = curve.at(10.0)[1]
    assert (new.low[1], new.high[1]) == (interval.low, interval.high)


def test_a_long_curve_is_told_at_as_many_times_as_a_picture_shows() -> None:
    times = tuple(range(1, 1_001))
    table = Lifetable(times, (1,) * 1_000, (0,) * 1_000)
    metric = PlannedMetric("leave", Role.PRIMARY, kind="time_to_event")
    (curve,) = readout_of(observed({}, lifetables={"leave": {"new": table}}), metric).lasting
    assert len(curve.times) == CURVE_POINTS + 1
    assert (curve.times[0], curve.times[-1]) == (0, 1_000)
    assert curve.share[50] == pytest.approx(0.5)
    assert all(later <= earlier for earlier, later in zip(curve.share, curve.share[1:], strict=False))
    nobody = observed({}, lifetables={"leave": {"new": Lifetable((), (), ())}})
    assert readout_of(nobody, metric).lasting == ()


def test_credits_are_passed_on() -> None:
    told = (Credit("first", "ads", "new", 3.5, 70.0),)
    assert readout_of(observed(credits=told)).credits == told


def test_a_readout_of_everything_lasts_through_json() -> None:
    import json

    seen = observed(
        {
            "sales": {"old": arm(10.0), "new": arm(10.2)},
            "checkout": {"old": reached(800, 300, 100), "new": reached(810, 380, 160)},
        },
        ages={"sales": {"old": ages(*[10.0] * 5), "new": ages(*[10.5] * 5)}},
        lifetables={
            "leave": {"old": Lifetable((9, 60), (3, 0), (0, 9)), "new": Lifetable((9, 60), (1, 0), (0, 9))}
        },
        credits=(Credit("first", "ads", "new", 3.5, 70.0),),
    )
    written = readout_of(seen, SALES, BUY, LEAVE)
    assert written.funnels
    assert written.returns
    assert written.ages
    assert written.lasting
    document = json.loads(json.dumps(written.to_json(), allow_nan=False))
    assert Readout.from_json(document) == written
    stored = Observation.from_json(json.loads(json.dumps(seen.to_json())))
    assert read(written.plan, stored, version="test").to_json() == document
    assert math.isfinite(written.ages[0].points[0].estimate or math.nan)


def test_days_on_which_nobody_gains_anything_say_nothing_of_novelty() -> None:
    """Moments taken around a middle leave a variance of rounding behind; a slope must not hang on it."""
    lived = {
        name: (
            Age(0, Moments.from_counts(successes=gained, n=10_000), gained),
            *(Age(day, Moments.from_summary(n=10_000, mean=0.0, var=1e-17), 0) for day in range(1, 9)),
        )
        for name, gained in (("old", 1_000), ("new", 1_200))
    }
    (series,) = readout_of(observed(ages={"sales": lived})).ages
    assert [point.day for point in series.points] == [0]
    assert (series.p_value, series.change, series.novelty) == (None, None, False)


def test_a_cohort_counts_those_who_are_old_enough_and_compares_within_its_week() -> None:
    monday = date(2026, 3, 2)
    seen = observed(
        cohorts=(
            Cohort(monday, "new", 1, 1_000, 300),
            Cohort(monday, "old", 1, 1_000, 200),
            Cohort(monday, "old", 3, 500, 50),
            Cohort(monday, "gone", 1, 10, 1),
        )
    )
    first, third = readout_of(seen).cohorts
    assert (first.week, first.day, first.old_enough) == (monday, 1, {"new": 1_000, "old": 1_000})
    assert first.share == {"new": 0.3, "old": 0.2}
    assert first.difference["new"].low < 0.1 < first.difference["new"].high
    assert third.difference == {}
    assert Observation.from_json(json.loads(json.dumps(seen.to_json()))) == seen
