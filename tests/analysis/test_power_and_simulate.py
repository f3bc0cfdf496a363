"""Planning and simulation: inverse to each other, and honest about the ends of the scale."""

import numpy as np
import pytest

from analysis import (
    AlwaysValid,
    Estimate,
    FixedHorizon,
    GroupSequential,
    InvalidInput,
    Moments,
    NotEstimable,
    Sequential,
    estimate,
)
from analysis.power import (
    Baseline,
    Design,
    days_needed,
    detectable_lift,
    for_inference,
    power,
    sample_size,
)
from analysis.simulate import Replay, p_value_bins, replay, try_plan
from analysis.sizing import mean_power, mean_size


@pytest.mark.parametrize("inference", ["fixed", "sequential", "group_sequential", "always_valid"])
@pytest.mark.parametrize("margin", [None, 0.05])
def test_planning_is_its_own_inverse(inference: str, margin: float | None) -> None:
    baseline = Baseline.of_moments(Moments.from_summary(n=100, mean=10.0, var=25.0))
    design = for_inference(
        Design(weights=(2.0, 1.0, 1.0), correlation=0.5, guardrails=2, margin=margin), inference
    )
    lift = 0.02 if margin is None else 0.0
    units = sample_size(baseline, lift, design)
    assert power(baseline, lift, units.total, design) == pytest.approx(0.9, abs=0.005)
    assert detectable_lift(baseline, units.total, design) == pytest.approx(margin or lift, rel=0.01)


def test_a_ratio_as_baseline() -> None:
    orders = estimate.ratio(Moments.from_values([[20.0, 2.0], [10.0, 1.0], [33.0, 3.0]]))
    assert isinstance(orders, Estimate)
    assert Baseline.of_estimate(orders).variance == pytest.approx(3 * orders.standard_error**2)


def test_power_from_nothing_to_certainty() -> None:
    design, baseline = Design(), Baseline(10.0, 25.0)
    assert power(baseline, 0.0, 100, design) == design.alpha
    assert power(baseline, 1e-6, 100, design) == pytest.approx(design.alpha, abs=1e-6)
    assert power(baseline, 5.0, 10**7, design) > 0.999
    always = Design(inference="always_valid")
    assert power(baseline, 1e-6, 100, always) == always.alpha
    assert Design(inference="sequential", power=0.01).drift == 0.0
    sequential = Design(inference="sequential")
    assert power(baseline, 1e-6, 100, sequential) == pytest.approx(sequential.alpha, abs=1e-5)


def test_corrections_of_a_plan() -> None:
    three = (1.0, 1.0, 1.0)
    dunnett_alpha = Design(weights=three, correction="dunnett").alpha
    bonferroni_alpha = Design(weights=three).alpha
    assert Design(weights=three, correction="none").alpha == pytest.approx(0.025)
    assert bonferroni_alpha < dunnett_alpha < 0.025


def test_power_of_the_t_test_at_the_ends() -> None:
    assert mean_size(1e15).total == pytest.approx(2.1)
    assert mean_power(0.5, 1, 1) == 0.05
    assert mean_power(0.001, 1e9, 1e9) == pytest.approx(1.0)
    assert mean_power(0.3, 50, 50, sides=1) > mean_power(0.3, 50, 50)


def test_a_replay_keeps_its_promise_and_reports_progress() -> None:
    rng = np.random.default_rng(7)
    seen: list[tuple[int, int]] = []
    outcome = replay(
        rng.normal(5.0, 1.0, 400), rng=rng, replays=2_000, progress=lambda done, of: seen.append((done, of))
    )
    assert not isinstance(outcome, NotEstimable)
    assert seen[-1] == (2_000, 2_000)
    assert abs(outcome.false_positives.value - 0.05) < 3.5 * outcome.false_positives.error
    assert abs(outcome.coverage.value - 0.95) < 0.02
    assert outcome.split_alarms.value < 0.006
    assert outcome.detectable_lift == pytest.approx(2.8 * 0.1 / 5.0, rel=0.1)
    around_zero = replay([-1.0, 1.0, -1.0, 1.0, 0.0], rng=rng, replays=50)
    assert not isinstance(around_zero, NotEstimable)
    assert around_zero.detectable_lift is None


def test_plans_are_tried_out() -> None:
    rng = np.random.default_rng(8)
    seen: list[tuple[int, int]] = []
    null = try_plan(
        Sequential(10_000),
        size=10_000,
        drift=0.0,
        rng=rng,
        progress=lambda done, of: seen.append((done, of)),
    )
    assert seen[-1] == (4_000, 4_000)
    assert null.claims.value <= 0.06
    fixed = try_plan(FixedHorizon(), size=10_000, drift=2.8016, rng=rng, looks=1)
    assert fixed.claims.value == pytest.approx(0.8, abs=0.03)
    looks = try_plan(GroupSequential(10_000), size=10_000, drift=2.8016, rng=rng)
    assert looks.claims.value == pytest.approx(0.79, abs=0.03)
    assert try_plan(AlwaysValid(2_500), size=10_000, drift=2.8016, rng=rng).claims.value > 0.45


@pytest.mark.parametrize("share", [-0.1, 0.0, 1.0, 1.5, float("nan")])
def test_a_proportion_lies_between_nothing_and_everybody(share: float) -> None:
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        Baseline.of_proportion(share)


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, float("nan")), (float("inf"), 1.0)])
def test_weights_are_shares_above_nothing(weights: tuple[float, ...]) -> None:
    with pytest.raises(InvalidInput, match="weights"):
        Design(weights=weights)


@pytest.mark.parametrize(("mean", "lift"), [(1.0, 1e-300), (1e-300, 1.0), (1e-300, 1e-300)])
def test_a_change_that_nobody_could_find_has_no_size(mean: float, lift: float) -> None:
    with pytest.raises(InvalidInput, match="no experiment is large enough"):
        sample_size(Baseline(mean, 1.0), lift)


@pytest.mark.parametrize("daily", [0.0, -1.0, 1e-300, float("inf"), float("nan")])
def test_without_a_stream_of_units_there_is_no_end(daily: float) -> None:
    with pytest.raises(InvalidInput, match="daily_units"):
        days_needed(1_000, daily)


def test_a_histogram_has_bins() -> None:
    outcome = replay(np.arange(50.0), rng=np.random.default_rng(1), replays=20)
    assert isinstance(outcome, Replay)
    with pytest.raises(InvalidInput, match="bins"):
        p_value_bins(outcome, bins=0)
