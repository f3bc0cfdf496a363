"""Doubts, harm and sensitivity: what stands beside a finding, and what a conclusion hangs on."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from analysis import Direction, Moments, PlannedMetric, Reading, Recommendation, Role, Shape, read
from analysis.flags import Doubt, repeated_error
from analysis.readout import Finding, Readout
from tests.analysis.observations import NOON, SALES, against, arm, observed, plan


def readout_of(seen: Any, *metrics: PlannedMetric, **changes: Any) -> Readout:
    return read(plan(*metrics, **changes), seen, version="test")


def doubts(answer: Readout) -> list[str]:
    (found,) = answer.comparisons
    return [str(flag.kind) for flag in found.flags]


def orders(views: float) -> Moments:
    return Moments.from_summary(n=9_000, mean=[20.0, views], var=np.diag([9.0, 1.0]))


def test_a_denominator_that_moved_is_told() -> None:
    ratio = PlannedMetric("sales", Role.PRIMARY, kind="ratio")
    assert doubts(readout_of(against(orders(2.1), orders(2.0)), ratio)) == ["denominator_moved"]
    assert doubts(readout_of(against(orders(2.0), orders(2.0)), ratio)) == ["identical_arms"]


RUNNING = {"closed": False, "days": 14, "starts": NOON - timedelta(days=3)}


@pytest.mark.parametrize(
    ("changes", "mean", "flagged"),
    [
        pytest.param({"looked": 4, **RUNNING}, 10.3, True, id="running, looked at before"),
        pytest.param({"looked": 4}, 10.3, True, id="stopped by hand, no end was planned"),
        pytest.param({"looked": 4, **RUNNING, "closed": True}, 10.3, True, id="stopped before its end"),
        pytest.param({"looked": 4, "ends": NOON}, 10.3, False, id="ran to its planned end"),
        pytest.param({"looked": 0, **RUNNING}, 10.3, False, id="the first look"),
        pytest.param({"looked": 4, **RUNNING}, 10.01, False, id="nothing is claimed"),
        pytest.param(
            {"looked": 4, **RUNNING, "inference": "always_valid"}, 10.5, False, id="valid at all times"
        ),
    ],
)
def test_a_claim_at_a_fixed_horizon_that_was_looked_at_early_is_told(
    changes: dict[str, Any], mean: float, flagged: bool
) -> None:
    (found,) = readout_of(against(arm(mean), arm(10.0)), **changes).comparisons
    told = [flag for flag in found.flags if flag.kind is Doubt.PEEKED]
    assert bool(told) is flagged
    if told:
        assert told[0].value == repeated_error(5)


def test_more_looks_than_can_be_counted_are_counted_as_many() -> None:
    (found,) = readout_of(against(arm(10.3), arm(10.0)), looked=10**6).comparisons
    assert found.flags[0].value == repeated_error(100)


def daily(*means: float) -> list[Moments]:
    return [arm(mean, n=1_000 * (day + 1)) for day, mean in enumerate(means)]


def jumps(new: list[Moments], old: list[Moments]) -> bool:
    seen = against(arm(10.0), arm(10.1), daily={"sales": {"old": old, "new": new}})
    return "sudden_jump" in doubts(readout_of(seen))


def test_a_day_that_departs_from_all_others_is_told() -> None:
    calm = daily(*[10.0] * 8)
    assert not jumps(calm, calm)
    assert jumps(daily(*[10.0] * 5, 11.5, 11.5, 11.5), calm)
    assert not jumps(daily(10.0, 10.0, 10.0, 10.05, 10.1, 10.1, 10.1, 10.1), calm)


def test_days_too_small_too_large_or_of_one_arm_are_no_jump() -> None:
    calm = daily(*[10.0] * 8)
    assert not jumps([arm(1e6, n=99)] * 8, calm)
    assert not jumps(calm, calm[:1])
    assert not jumps([], calm)
    assert not jumps(
        [Moments(200, np.array([1e308 * (-1) ** day]), np.array([[1.0]])) for day in range(8)], calm
    )


def test_daily_changes_of_a_funnel_are_those_of_its_last_step() -> None:
    metric = PlannedMetric("sales", Role.PRIMARY, kind="funnel", steps=("view", "buy"))

    def step(bought: float, n: int) -> Moments:
        return Moments.from_summary(n=n, mean=[0.9, bought], var=np.diag([0.09, 0.25]))

    new = [step(0.2 if day < 5 else 0.5, 1_000 * (day + 1)) for day in range(8)]
    old = [step(0.2, 1_000 * (day + 1)) for day in range(8)]
    seen = observed({"sales": {"old": old[-1], "new": new[-1]}}, daily={"sales": {"old": old, "new": new}})
    assert "sudden_jump" in doubts(readout_of(seen, metric))


GUARD = PlannedMetric("latency", Role.GUARDRAIL, Direction.DECREASE, margin=0.05)


@pytest.mark.parametrize("inference", ["group_sequential", "bayesian"])
def test_harm_is_seen_between_registered_looks(inference: str) -> None:
    changes = {"inference": inference, "size": 10**9, "prior_sd": 1e-3, "closed": False}
    goal = readout_of(against(arm(9.0), arm(10.0)), **changes)
    assert goal.comparisons[0].reading in (Reading.INCONCLUSIVE, Reading.WORSE)
    assert goal.verdict.recommendation is Recommendation.ROLL_BACK
    harmed = observed({"latency": {"old": arm(10.0), "new": arm(12.0)}})
    assert readout_of(harmed, GUARD, **changes).verdict.recommendation is Recommendation.ROLL_BACK
    calm = readout_of(against(arm(9.95), arm(10.0)), **changes)
    assert calm.verdict.recommendation is Recommendation.KEEP_RUNNING


def choices(answer: Readout) -> dict[str, bool]:
    return {each.choice: each.agrees for each in answer.alternatives}


def test_a_reading_that_hangs_on_the_adjustment_is_told() -> None:
    rng = np.random.default_rng(5)
    arms = {}
    for name, shift in (("old", 0.0), ("new", 0.25)):
        before = rng.normal(10.0, 5.0, 2_000)
        arms[name] = Moments.from_values(np.column_stack([before + shift + rng.normal(size=2_000), before]))
    metric = PlannedMetric("sales", Role.PRIMARY, covariates=("before",))
    answer = readout_of(observed({"sales": arms}), metric)
    (other,) = answer.alternatives
    assert answer.comparisons[0].reading is Reading.BETTER
    assert (other.choice, other.agrees, other.reading) == ("unadjusted", False, Reading.INCONCLUSIVE)
    plain = readout_of(observed({"sales": arms})).comparisons[0]
    assert (other.difference, other.lift, other.p_value) == (plain.difference, plain.lift, plain.p_value)
    check = answer.check("sensitivity")
    assert check is not None
    assert (check.passed, check.advisory, check.detail) == (False, True, "sales:new:unadjusted")


def test_a_reading_that_hangs_on_the_cap_is_told() -> None:
    free = {"sales": {"old": arm(10.0, var=9e4), "new": arm(10.3, var=9e4)}}
    answer = readout_of(against(arm(10.3), arm(10.0), uncapped=free))
    assert choices(answer) == {"uncapped": False}
    assert choices(readout_of(against(arm(11.0), arm(10.0), uncapped={"sales": {"new": arm(11.0)}}))) == {}


def test_a_reading_that_hangs_on_one_unit_is_told() -> None:
    rng = np.random.default_rng(6)
    values = {name: rng.exponential(1.0, 1_000) for name in ("old", "new")}
    values["new"][0] = 300.0
    arms = {name: Moments.from_values(each) for name, each in values.items()}
    whole = np.concatenate(list(values.values()))
    shape = Shape(2_000, 30.0, float(whole.max() / whole.sum()))
    answer = readout_of(against(arms["new"], arms["old"], shapes={"sales": shape}))
    (left,) = answer.alternatives
    without = Moments.from_values(values["new"][1:])
    expected = readout_of(against(without, arms["old"])).comparisons[0]
    assert left.choice == "without_largest"
    assert left.difference.estimate == pytest.approx(expected.difference.estimate)  # type: ignore[union-attr]  # a comparison, or the line above had failed
    assert left.p_value == pytest.approx(expected.p_value)
    calm = Shape(2_000, 1.0, 0.009)
    assert readout_of(against(arms["new"], arms["old"], shapes={"sales": calm})).alternatives == ()


def test_either_arm_may_have_had_the_largest_unit() -> None:
    wide = arm(10.0, n=200, var=4e4)
    answer = readout_of(against(wide, wide, shapes={"sales": Shape(400, 9.0, 0.2)}))
    assert choices(answer) == {"without_largest": True}
    check = answer.check("sensitivity")
    assert check is not None
    assert (check.passed, check.detail) == (True, "")
    pair = arm(10.0, n=2, var=4e4)
    assert readout_of(against(pair, pair, shapes={"sales": Shape(4, 9.0, 0.2)})).alternatives == ()


def test_a_unit_that_alone_has_all_of_an_arm_is_found_despite_rounding() -> None:
    lonely = Moments.from_values([0.0] * 999 + [7.3])
    nobody = Moments.from_values([0.1] * 500 + [0.0] * 500)
    seen = against(lonely, nobody, shapes={"sales": Shape(2_000, 30.0, 7.3 / 57.3)})
    (left,) = readout_of(seen).alternatives
    assert left.difference.estimate == pytest.approx(-0.05)
    beyond = against(arm(1e300, n=50, var=1.0), arm(1.0), shapes={"sales": Shape(99, 1.0, 0.5)})
    assert readout_of(beyond).alternatives == ()


def test_what_has_no_answer_has_no_alternative() -> None:
    free = {"sales": {"old": arm(1.0, n=1), "new": arm(1.0, n=1)}}
    assert readout_of(against(arm(1.0, n=1), arm(1.0), uncapped=free)).alternatives == ()
    assert readout_of(against(arm(1.0), arm(1.0), uncapped=free)).alternatives == ()


def test_a_finding_says_what_it_is_without_reading_the_plan() -> None:
    found: Finding = readout_of(against(arm(10.3), arm(10.0)), SALES).comparisons[0]
    assert (found.beside, found.parts, found.variance_reduction, found.segment) == ((), (), None, None)
