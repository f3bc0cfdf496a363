"""Reading: roles and directions, families and their corrections, harm before the end, checks and doubts."""

import math
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import (
    Correction,
    Direction,
    Interval,
    Moments,
    Observation,
    Plan,
    PlannedMetric,
    Role,
    Shape,
    read,
)
from analysis.flags import Doubt
from analysis.readout import Finding, Reading, Readout, Recommendation
from tests.analysis.observations import NOON, SALES, against, arm, observed, plan

DOWN = Direction.DECREASE


def readout_of(asked: Plan, seen: Observation) -> Readout:
    return read(asked, seen, version="test")


def only(asked: Plan, seen: Observation) -> Finding:
    (found,) = readout_of(asked, seen).comparisons
    return found


@pytest.mark.parametrize("role", [Role.PRIMARY, Role.SECONDARY])
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("mean", [9.5, 10.0, 10.5])
def test_better_and_worse_follow_the_direction(role: Role, direction: Direction, mean: float) -> None:
    metric = PlannedMetric("sales", role, direction)
    found = only(plan(metric), against(arm(mean), arm(10.0)))
    good = (mean - 10.0) * direction.sign
    expected = Reading.BETTER if good > 0 else Reading.WORSE if good < 0 else Reading.INCONCLUSIVE
    assert found.reading is expected
    assert found.significant == (good != 0)


@pytest.mark.parametrize(
    ("direction", "lift", "reading"),
    [
        (Direction.INCREASE, 0.0, Reading.SAFE),
        (Direction.INCREASE, 0.4, Reading.SAFE),
        (Direction.INCREASE, -0.05, Reading.INCONCLUSIVE),
        (Direction.INCREASE, -0.4, Reading.HARMFUL),
        (Direction.DECREASE, 0.0, Reading.SAFE),
        (Direction.DECREASE, -0.4, Reading.SAFE),
        (Direction.DECREASE, 0.05, Reading.INCONCLUSIVE),
        (Direction.DECREASE, 0.4, Reading.HARMFUL),
    ],
)
def test_a_guardrail_is_read_against_its_harm_limit(
    direction: Direction, lift: float, reading: Reading
) -> None:
    metric = PlannedMetric("sales", Role.GUARDRAIL, direction, margin=0.05)
    found = only(plan(metric), against(arm(10.0 * (1 + lift)), arm(10.0)))
    assert found.reading is reading
    assert found.harm_limit == -direction.sign * 0.05


def test_a_guardrail_without_margin_or_without_lift_stays_open() -> None:
    bare = PlannedMetric("sales", Role.GUARDRAIL)
    assert only(plan(bare), against(arm(5.0), arm(10.0))).reading is Reading.INCONCLUSIVE
    watched = PlannedMetric("sales", Role.GUARDRAIL, margin=0.05)
    found = only(plan(watched), against(arm(5.0), arm(0.0)))
    assert (found.reading, found.lift, found.detectable_lift) == (Reading.INCONCLUSIVE, None, None)


def test_a_narrow_interval_around_zero_is_equivalent() -> None:
    seen = against(arm(10.0), arm(10.0))
    assert only(plan(mde=0.05), seen).reading is Reading.EQUIVALENT
    assert only(plan(mde=0.001), seen).reading is Reading.INCONCLUSIVE
    assert only(plan(), seen).reading is Reading.INCONCLUSIVE


def test_what_cannot_be_estimated_says_why() -> None:
    found = only(plan(), observed({"sales": {"old": arm(10.0)}}))
    assert (found.reading, found.not_estimable) == (Reading.NOT_ESTIMABLE, "no_units")
    assert (found.treatment_n, found.control_n) == (0, 10_000)
    assert (found.treatment_value, found.control_value) == (None, 10.0)
    assert (found.p_value, found.difference, found.flags) == (None, None, ())


def test_a_metric_that_was_not_counted_is_not_estimable() -> None:
    assert only(plan(), observed({})).reading is Reading.NOT_ESTIMABLE


def test_a_share_never_falls_by_more_than_all_of_it() -> None:
    new, old = Moments.from_counts(successes=5, n=400), Moments.from_counts(successes=11, n=400)
    share = only(
        plan(PlannedMetric("sales", Role.PRIMARY, kind="proportion"), confidence=0.99), against(new, old)
    )
    plain = only(plan(confidence=0.99), against(new, old))
    assert share.lift is not None
    assert plain.lift is not None
    assert plain.lift.low < -1 == share.lift.low
    assert share.lift.high == plain.lift.high
    assert [flag.kind for flag in share.flags] == [Doubt.FEW_EVENTS]
    assert plain.flags == ()


def test_doubts_stand_beside_the_number() -> None:
    assert [flag.kind for flag in only(plan(), against(arm(10.0), arm(10.0))).flags] == [Doubt.IDENTICAL_ARMS]
    assert [flag.kind for flag in only(plan(), against(arm(20.0), arm(10.0))).flags] == [Doubt.TOO_GOOD]


@pytest.mark.parametrize(
    ("sizes", "shape", "doubts"),
    [
        ((10_000, 1_000), Shape(11_000, 3.0, 0.01), [Doubt.SKEWED_ALLOCATION]),
        ((10_000, 10_000), Shape(20_000, 9.0, 0.01), []),
        ((10_000, 1_000), Shape(11_000, 1.0, 0.01), []),
        ((10_000, 10_000), Shape(20_000, 0.0, 0.06), [Doubt.DOMINANT_UNIT]),
        ((10_000, 1_000), Shape(11_000, 9.0, 0.9), [Doubt.SKEWED_ALLOCATION, Doubt.DOMINANT_UNIT]),
    ],
)
def test_a_heavy_tail_is_told_from_the_shape_of_the_values(
    sizes: tuple[int, int], shape: Shape, doubts: list[Doubt]
) -> None:
    old, new = (arm(mean, n=n) for mean, n in zip((10.0, 10.1), sizes, strict=True))
    seen = against(new, old, shapes={"sales": shape})
    assert [flag.kind for flag in only(plan(), seen).flags] == doubts
    share = only(plan(PlannedMetric("sales", Role.PRIMARY, kind="proportion")), seen)
    assert not {flag.kind for flag in share.flags} & {Doubt.SKEWED_ALLOCATION, Doubt.DOMINANT_UNIT}


VARIANTS = ("a", "b", "c")
p_like = st.floats(-0.3, 0.3)
families = st.lists(st.tuples(p_like, p_like, p_like), min_size=1, max_size=4)


@pytest.mark.parametrize("inference", ["fixed", "sequential", "always_valid", "group_sequential", "bayesian"])
@pytest.mark.parametrize(
    ("role", "correction"),
    [
        (Role.PRIMARY, Correction.HOLM),
        (Role.PRIMARY, Correction.BENJAMINI_HOCHBERG),
        (Role.PRIMARY, Correction.NONE),
        (Role.SECONDARY, Correction.HOLM),
        (Role.GUARDRAIL, Correction.HOLM),
    ],
)
@settings(max_examples=10)
@given(family=families)
def test_adjusted_intervals_agree_with_adjusted_decisions(
    role: Role, correction: Correction, inference: str, family: list[tuple[float, float, float]]
) -> None:
    metrics = [PlannedMetric(f"m{number}", role) for number in range(len(family))]
    moments = {
        metric.key: {
            "old": arm(10.0),
            **{name: arm(10 + s) for name, s in zip(VARIANTS, shifts, strict=True)},
        }
        for metric, shifts in zip(metrics, family, strict=True)
    }
    asked = plan(
        *metrics,
        weights=dict.fromkeys(("old", *VARIANTS), 1.0),
        correction=correction,
        inference=inference,
        size=40_000,
    )
    for found in readout_of(asked, observed(moments)).comparisons:
        assert found.p_value_adjusted is not None
        assert found.p_value is not None
        assert found.difference is not None
        assert found.lift is not None
        assert found.significant == (found.p_value_adjusted <= 0.05)
        assert found.significant == found.difference.excludes_zero == found.lift.excludes_zero
        assert found.p_value_adjusted >= found.p_value
        if role is Role.GUARDRAIL or correction is Correction.NONE:
            assert found.p_value_adjusted == found.p_value
            assert found.confidence == pytest.approx(0.95)


def test_each_role_is_a_family_of_its_own() -> None:
    metrics = [PlannedMetric("a", Role.PRIMARY), PlannedMetric("b", Role.GUARDRAIL, margin=0.1)]
    metrics += [PlannedMetric("c", Role.SECONDARY), PlannedMetric("d", Role.SECONDARY)]
    arms = {"old": arm(10.0), "new": arm(10.15)}
    found = readout_of(plan(*metrics), observed({metric.key: arms for metric in metrics})).comparisons
    assert [each.confidence for each in found] == pytest.approx([0.95] * 4)
    alone = readout_of(plan(SALES), against(arm(10.15), arm(10.0))).comparisons[0]
    assert [each.p_value_adjusted for each in found] == pytest.approx([alone.p_value] * 4)


def test_a_family_is_one_however_its_metrics_are_ordered() -> None:
    arms = {"old": arm(10.0), "new": arm(10.15)}
    moments = {"a": arms, "b": arms, "c": {"old": arm(10.0), "new": arm(10.0)}}
    primary = [PlannedMetric("a", Role.PRIMARY), PlannedMetric("c", Role.PRIMARY)]
    between = [primary[0], PlannedMetric("b", Role.SECONDARY), primary[1]]
    found = readout_of(plan(*between), observed(moments)).finding("a", "new")
    assert found == readout_of(plan(*primary), observed(moments)).finding("a", "new")


def test_a_missing_answer_takes_no_share_of_the_error_rate() -> None:
    metrics = [PlannedMetric("a", Role.PRIMARY), PlannedMetric("b", Role.PRIMARY)]
    found = readout_of(plan(*metrics), observed({"a": {"old": arm(10.0), "new": arm(10.15)}})).comparisons
    assert [each.confidence for each in found] == [pytest.approx(0.95), None]
    assert found[0].p_value_adjusted == found[0].p_value


LOCKED = {"inference": "fixed", "closed": False, "days": 14, "starts": NOON - timedelta(days=3)}


def test_harm_is_seen_before_the_end_of_a_fixed_horizon() -> None:
    answer = readout_of(plan(**LOCKED), against(arm(9.0), arm(10.0)))
    assert not answer.over
    assert answer.verdict.recommendation is Recommendation.ROLL_BACK
    assert [str(ground) for ground in answer.verdict.grounds] == ["goal_worse:sales:new"]


@pytest.mark.parametrize(
    ("new", "old"),
    [
        pytest.param(arm(9.83), arm(10.0), id="only a test at the end would say so"),
        pytest.param(arm(11.0), arm(10.0), id="better"),
        pytest.param(arm(1.0, n=99), arm(10.0, n=99), id="too few units to know the variance"),
        pytest.param(arm(1.0, var=0.0), arm(1.0, var=0.0), id="no variation"),
    ],
)
def test_nothing_less_than_harm_ends_a_fixed_horizon_early(new: Moments, old: Moments) -> None:
    answer = readout_of(plan(**LOCKED), against(new, old))
    assert answer.verdict.recommendation is Recommendation.KEEP_RUNNING
    assert [ground.code for ground in answer.verdict.grounds] == ["before_planned_end"]


def test_a_guardrail_is_watched_before_the_end_and_a_secondary_never() -> None:
    guardrail = PlannedMetric("latency", Role.GUARDRAIL, DOWN, margin=0.05)
    harmed = observed({"latency": {"old": arm(10.0), "new": arm(12.0)}})
    assert readout_of(plan(guardrail, **LOCKED), harmed).verdict.recommendation is Recommendation.ROLL_BACK
    secondary = PlannedMetric("latency", Role.SECONDARY, DOWN)
    calm = readout_of(plan(secondary, **LOCKED), harmed)
    assert calm.comparisons[0].reading is Reading.WORSE
    assert calm.verdict.recommendation is Recommendation.KEEP_RUNNING
    assert readout_of(plan(secondary), harmed).verdict.recommendation is Recommendation.STOP


def test_at_the_end_the_planned_test_decides_what_is_harm() -> None:
    seen = against(arm(9.83), arm(10.0))
    assert readout_of(plan(), seen).verdict.recommendation is Recommendation.ROLL_BACK


def test_an_uneven_split_replaces_the_verdict() -> None:
    seen = against(arm(11.0), arm(10.0), units={"old": 10_000, "new": 9_000})
    answer = readout_of(plan(), seen)
    assert answer.verdict.recommendation is Recommendation.DO_NOT_READ
    check = answer.check("srm")
    assert check is not None
    assert check.p_value is not None
    assert check.p_value < 0.001
    assert check.expected == {"old": 9_500.0, "new": 9_500.0}
    assert answer.check("nothing") is None


@pytest.mark.parametrize(("crossed", "passed"), [(0, True), (202, True), (203, False)])
def test_more_than_one_in_a_hundred_crossing_over_fails(crossed: int, passed: bool) -> None:
    answer = readout_of(plan(), observed(excluded={"crossover": crossed}))
    check = answer.check("crossover")
    assert check is not None
    assert check.passed is passed


def test_nobody_seen_fails_without_a_split_to_judge() -> None:
    answer = readout_of(plan(), observed({}, excluded={}))
    assert [(check.name, check.passed) for check in answer.checks] == [
        ("srm", True),
        ("crossover", True),
        ("exposures", False),
        ("metrics", True),
    ]
    assert answer.checks[0].detail
    assert answer.units == {"old": 0, "new": 0}


@pytest.mark.parametrize(("units", "passed"), [(249, True), (250, False)])
def test_a_primary_metric_without_any_event_is_not_being_recorded(units: int, passed: bool) -> None:
    silent = arm(0.0, n=units, var=0.0)
    check = readout_of(plan(), against(silent, silent)).check("metrics")
    assert check is not None
    assert (check.passed, check.detail) == (passed, "" if passed else "sales")


def test_a_series_is_one_answer_a_day_at_the_confidence_of_the_finding() -> None:
    new = [arm(10.0, n=1), arm(10.0, n=4, var=2500.0), arm(12.0), arm(12.0)]
    old = [arm(10.0, n=1), arm(10.0, n=4, var=2500.0), arm(10.0)]
    answer = readout_of(
        plan(), against(arm(12.0), arm(10.0), daily={"sales": {"old": old, "new": new, "third": new}})
    )
    (series,) = answer.series
    found = answer.finding("sales", "new")
    assert answer.finding("sales", "third") is None
    assert found is not None
    assert found.lift is not None
    first, second, third, last = series.points
    assert (first.estimate, first.low, first.high) == (None, None, None)
    assert second.estimate == 0.0
    assert (second.low, second.high) == (None, None)
    assert (third.units, third.low, third.high) == (20_000, found.lift.low, found.lift.high)
    assert (last.day, last.estimate) == (date(2026, 3, 4), None)


def test_the_split_is_summed_over_days_within_what_chance_explains() -> None:
    arrivals = {date(2026, 3, 2): {"new": 30, "old": 10}, date(2026, 3, 1): {"old": 20}}
    first, second = readout_of(plan(), observed(arrivals=arrivals)).split
    assert (first.arrived, first.share) == ({"old": 20, "new": 0}, {"old": 1.0, "new": 0.0})
    assert second.share == {"old": 0.5, "new": 0.5}
    assert second.low["old"] < 0.5 < second.high["old"]


def test_a_day_on_which_nobody_came_has_no_shares() -> None:
    (point,) = readout_of(plan(), observed(arrivals={date(2026, 3, 1): {}})).split
    assert point.share == {"old": 0.0, "new": 0.0}


def test_before_anything_may_be_spent_the_interval_is_unlimited() -> None:
    asked = plan(inference="group_sequential", size=10**9, closed=False)
    found = only(asked, against(arm(10.5), arm(10.0)))
    assert found.difference == Interval(0.5, -math.inf, math.inf)
    assert (found.significant, found.detectable_lift) == (False, None)


@pytest.mark.parametrize(("n", "said"), [(99, "too_few_units"), (100, None)])
def test_an_always_valid_interval_begins_at_a_hundred_units_in_each_variant(n: int, said: str | None) -> None:
    asked = plan(inference="always_valid")
    found = only(asked, against(arm(10.4, n=n), arm(10.0, n=5_000)))
    assert found.not_estimable == said
    assert (found.difference is None) == (said is not None)


@pytest.mark.parametrize(("successes", "said"), [(19, "too_few_units"), (20, None)])
def test_of_a_share_it_waits_for_twenty_successes_too(successes: int, said: str | None) -> None:
    paid = PlannedMetric("paid", Role.PRIMARY, kind="proportion")
    few, many = (Moments.from_counts(successes=each, n=2_000) for each in (successes, 60))
    found = only(plan(paid, inference="always_valid"), against(few, many, key="paid"))
    assert found.not_estimable == said
