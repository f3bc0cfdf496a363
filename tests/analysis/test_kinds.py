"""Kinds: each kind of metric is read from what was counted, to the numbers that its values would give."""

from typing import Any

import numpy as np
import pytest

from analysis import (
    Comparison,
    Direction,
    FixedHorizon,
    Moments,
    NotEstimable,
    Observation,
    PlannedMetric,
    Reading,
    Role,
    compare,
    estimate,
    read,
)
from analysis.adjust import cuped, cuped_linearised, cuped_ratio
from analysis.estimate import Estimate
from analysis.margins import limit_p
from analysis.observation import Lifetable, QuantileSample
from analysis.proportions import compare_counts
from analysis.quantiles import Z, quantile
from analysis.readout import Finding
from analysis.score import Counts
from analysis.survival import Curve, log_rank, survival_curve
from tests.analysis.observations import against, arm, observed, plan

INFERENCES = ("fixed", "sequential", "always_valid", "group_sequential", "bayesian")


def found(metric: PlannedMetric, seen: Observation, **changes: Any) -> Finding:
    (answer,) = read(plan(metric, **changes), seen, version="test").comparisons
    return answer


def primary(kind: str, **changes: Any) -> PlannedMetric:
    return PlannedMetric("sales", Role.PRIMARY, kind=kind, **changes)


def sample_of(values: list[np.ndarray], q: float) -> QuantileSample:
    """What is counted of the values of units, each with an array of its own."""
    pooled = np.concatenate(values)
    at = float(np.quantile(pooled, q))
    step = Z * np.sqrt(q * (1 - q) / len(pooled))
    low, high = np.quantile(pooled, [max(0.0, q - step), min(1.0, q + step)])
    below = [[float((each <= at).sum()), float(len(each))] for each in values]
    return QuantileSample(len(pooled), at, float(low), float(high), Moments.from_values(below))


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("q", [0.5, 0.95])
def test_a_quantile_is_read_to_the_numbers_of_its_raw_values(q: float, clustered: bool) -> None:
    rng = np.random.default_rng(3)
    arms = {}
    for name, scale in (("old", 1.0), ("new", 1.3)):
        counts = rng.integers(1, 6, 800) if clustered else np.ones(800, dtype=int)
        arms[name] = [rng.gamma(2.0, scale, count) for count in counts]
    seen = observed(
        {},
        units={"old": 800, "new": 800},
        quantiles={"sales": {name: sample_of(values, q) for name, values in arms.items()}},
    )
    answer = found(primary("quantile", quantile=q), seen)
    labels = {name: np.repeat(np.arange(800), [len(each) for each in arms[name]]) for name in arms}
    raw = {
        name: quantile(np.concatenate(arms[name]), q, labels[name] if clustered else None) for name in arms
    }
    expected = compare(raw["new"], raw["old"], FixedHorizon())
    assert isinstance(expected, Comparison)
    assert answer.difference is not None
    assert (answer.treatment_n, answer.control_n) == (800, 800)
    assert answer.method == ("quantile_clustered" if clustered else "quantile")
    assert answer.standard_error == pytest.approx(expected.standard_error, rel=1e-12)
    assert answer.p_value == pytest.approx(expected.p_value, rel=1e-9)
    assert answer.treatment_value == expected.treatment.value


@pytest.mark.parametrize(
    ("sample", "cause"),
    [
        (QuantileSample(0, None, None, None, Moments.empty(2)), "no_units"),
        (QuantileSample(12, 1.0, 0.5, 1.5, Moments.from_values([[1.0, 2.0]] * 6)), "too_few_units"),
        (QuantileSample(900, 1.0, 1.0, 1.0, Moments.from_values([[1.0, 2.0]] * 450)), "no_variation"),
        (QuantileSample(900, 1.0, 0.5, 1.5, Moments.from_values([[1.0, 900.0]])), "too_few_units"),
    ],
)
def test_a_quantile_that_cannot_be_estimated_says_why(sample: QuantileSample, cause: str) -> None:
    seen = observed({}, quantiles={"sales": {"old": sample, "new": sample}})
    assert found(primary("quantile", quantile=0.95), seen).not_estimable == cause


def lifetable(times: np.ndarray, events: np.ndarray) -> Lifetable:
    distinct = np.unique(times)
    told = [
        (int(t), int(((times == t) & events).sum()), int(((times == t) & ~events).sum())) for t in distinct
    ]
    return Lifetable(*(tuple(column) for column in zip(*told, strict=True)))


def test_a_time_to_an_event_is_the_mean_time_without_it_within_the_horizon() -> None:
    rng = np.random.default_rng(4)
    raw, tables = {}, {}
    for name, scale in (("old", 900.0), ("new", 600.0)):
        times = np.minimum(np.ceil(rng.exponential(scale, 400)), 1_000.0)
        events = times < 1_000
        raw[name], tables[name] = (times, events), lifetable(times, events)
    seen = observed({}, units={"old": 400, "new": 400}, lifetables={"sales": tables})
    metric = primary("time_to_event", horizon=1_000, direction=Direction.DECREASE)
    answer = found(metric, seen)
    means = {}
    for name, (times, events) in raw.items():
        curve = survival_curve(times, events)
        assert isinstance(curve, Curve)
        means[name] = curve.restricted_mean(1_000.0)
    expected = compare(means["new"], means["old"])
    assert isinstance(expected, Comparison)
    assert (answer.method, answer.reading) == ("restricted_mean", Reading.BETTER)
    assert answer.difference == expected.difference
    assert (answer.treatment_n, answer.control_n) == (400, 400)
    (beside,) = answer.beside
    test = log_rank(raw["new"], raw["old"])
    assert beside.method == "log_rank"
    assert beside.p_value == test.p_value  # type: ignore[union-attr]  # there are events
    assert found(primary("time_to_event", direction=Direction.DECREASE), seen).method == "restricted_mean"


def test_a_time_that_nobody_was_watched_for_is_not_estimable() -> None:
    table = Lifetable((5,), (0,), (40,))
    seen = observed({}, lifetables={"sales": {"old": table, "new": table}})
    assert found(primary("time_to_event", horizon=9), seen).not_estimable == "not_matured"
    assert found(primary("time_to_event", horizon=9), observed({})).not_estimable == "no_units"
    only_new = observed({}, lifetables={"sales": {"new": Lifetable((), (), ())}})
    assert found(primary("time_to_event"), only_new).not_estimable == "no_units"


def rows(shift: float, seed: int, n: int = 600) -> np.ndarray:
    """Numerator, denominator, and both before the exposure."""
    rng = np.random.default_rng(seed)
    before = rng.gamma(9.0, 1.0, n)
    views = 1.0 + rng.poisson(4.0, n)
    return np.column_stack([before + shift + rng.normal(size=n), views, before, views])


NEW, OLD = rows(0.4, 1), rows(0.0, 2)


def test_a_ratio_is_read_by_the_delta_method_with_both_its_halves() -> None:
    new, old = Moments.from_values(NEW[:, :2]), Moments.from_values(OLD[:, :2])
    answer = found(primary("ratio"), against(new, old))
    expected = compare(estimate.ratio(new), estimate.ratio(old))
    assert isinstance(expected, Comparison)
    assert answer.method == "ratio"
    assert answer.difference == expected.difference
    above, below = answer.parts
    assert (above.name, below.name) == ("numerator", "denominator")
    assert above.treatment_value == pytest.approx(NEW[:, 0].mean())
    assert below.control_value == pytest.approx(OLD[:, 1].mean())
    assert above.p_value < 0.05 < below.p_value


def test_a_ratio_counted_by_halves_only_is_not_estimable() -> None:
    assert found(primary("ratio"), against(arm(1.0), arm(1.0))).not_estimable == "no_units"
    flat = Moments.from_summary(n=900, mean=[4.0, 2.0], var=[[9.0, 0.0], [0.0, 0.0]])
    assert [part.name for part in found(primary("ratio"), against(flat, flat)).parts] == ["numerator"]


@pytest.mark.parametrize("kind", ["proportion", "retention"])
def test_shares_are_read_alike(kind: str) -> None:
    new, old = Moments.from_counts(successes=260, n=1000), Moments.from_counts(successes=200, n=1000)
    answer = found(primary(kind), against(new, old))
    assert (answer.method, answer.reading) == ("welch", Reading.BETTER)
    assert answer.beside == ()


def test_a_funnel_is_read_at_its_last_step() -> None:
    rng = np.random.default_rng(8)
    arms = {}
    for name, kept in (("old", 0.3), ("new", 0.5)):
        viewed = rng.random(2_000) < 0.8
        arms[name] = Moments.from_values(np.column_stack([viewed, viewed & (rng.random(2_000) < kept)]))
    answer = found(primary("funnel", steps=("view", "buy")), observed({"sales": arms}))
    assert (answer.treatment_value, answer.method) == (float(arms["new"].mean[1]), "welch")
    assert answer.reading is Reading.BETTER


@pytest.mark.parametrize("inference", INFERENCES)
def test_covariates_narrow_a_mean_and_leave_the_counted_values(inference: str) -> None:
    new, old = (Moments.from_values(each[:, [0, 2]]) for each in (NEW, OLD))
    planned = {"inference": inference, "size": 1_200}
    plain = found(primary("mean"), against(new, old), **planned)
    answer = found(primary("mean", covariates=("before",)), against(new, old), **planned)
    assert (plain.method, answer.method) == ("welch", "cuped_within")
    assert plain.standard_error is not None
    assert answer.standard_error is not None
    assert answer.difference is not None
    assert answer.lift is not None
    assert answer.detectable_lift is not None
    assert (answer.treatment_value, answer.control_value) == (plain.treatment_value, plain.control_value)
    assert answer.lift.estimate == pytest.approx(answer.difference.estimate / float(old.mean[0]))
    assert plain.variance_reduction is None
    assert answer.variance_reduction == pytest.approx(1 - (answer.standard_error / plain.standard_error) ** 2)
    assert answer.significant
    if inference == "fixed":
        adjusted = cuped({"new": new, "old": old})
        assert isinstance(adjusted, dict)
        expected = compare(adjusted["new"], adjusted["old"])
        assert isinstance(expected, Comparison)
        assert answer.difference == expected.difference
        assert answer.variance_reduction == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("inference", INFERENCES)
def test_covariates_narrow_a_ratio(inference: str) -> None:
    seen = against(Moments.from_values(NEW), Moments.from_values(OLD))
    answer = found(
        primary("ratio", covariates=("sales before", "views before")), seen, inference=inference, size=1_200
    )
    assert answer.method == "cuped_linearised_within"
    assert answer.variance_reduction is not None
    assert answer.variance_reduction > 0.3
    assert answer.treatment_value == pytest.approx(NEW[:, 0].sum() / NEW[:, 1].sum())


def test_covariates_narrow_a_share_and_a_funnel_too() -> None:
    rng = np.random.default_rng(12)
    arms = {}
    for name in ("old", "new"):
        habit = rng.random(4_000)
        bought = (rng.random(4_000) < habit).astype(float)
        arms[name] = np.column_stack([np.ones(4_000), bought, habit])
    share = observed({"sales": {name: Moments.from_values(each[:, 1:]) for name, each in arms.items()}})
    steps = observed({"sales": {name: Moments.from_values(each) for name, each in arms.items()}})
    one = found(primary("proportion", covariates=("habit",)), share)
    other = found(primary("funnel", steps=("view", "buy"), covariates=("habit",)), steps)
    assert one.variance_reduction == pytest.approx(0.33, abs=0.03)
    assert one.method == other.method == "cuped_within"
    assert one.difference == other.difference


def test_a_covariate_that_repeats_another_is_left_out() -> None:
    double = [np.column_stack([each[:, [0, 2]], 2 * each[:, 2]]) for each in (NEW, OLD)]
    twice = against(Moments.from_values(double[0]), Moments.from_values(double[1]))
    once = against(Moments.from_values(NEW[:, [0, 2]]), Moments.from_values(OLD[:, [0, 2]]))
    answer = found(primary("mean", covariates=("before", "again")), twice)
    alone = found(primary("mean", covariates=("before",)), once)
    assert answer.difference is not None
    assert alone.difference is not None
    assert answer.difference.low == pytest.approx(alone.difference.low)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        pytest.param(NEW[:10, [0, 2]], OLD[:, [0, 2]], id="an arm too small to fit a slope in"),
        pytest.param(NEW[:, [2, 2]], OLD[:, [2, 2]], id="nothing left after the adjustment"),
        pytest.param(NEW[:, [0]], OLD[:, [0]], id="covariates were not counted"),
        pytest.param(NEW[:, [0, 2]], OLD[:, [0]], id="covariates were counted in one arm"),
        pytest.param(NEW[:, [0, 2]] * [1, 0], OLD[:, [0, 2]] * [1, 0], id="a covariate is the same for all"),
    ],
)
def test_where_nothing_can_be_adjusted_the_plain_comparison_stays(new: np.ndarray, old: np.ndarray) -> None:
    seen = against(Moments.from_values(new), Moments.from_values(old))
    answer = found(primary("mean", covariates=("before",)), seen)
    assert (answer.method, answer.variance_reduction) == ("welch", None)


def test_an_adjustment_beyond_floating_point_is_not_made() -> None:
    huge = Moments.from_values(np.column_stack([np.arange(100.0), np.arange(100.0) * 1e200]))
    assert found(primary("mean", covariates=("before",)), against(huge, huge)).method == "welch"


def test_few_events_are_told_by_the_score_test_beside_welch() -> None:
    new, old = Moments.from_counts(successes=15, n=1524), Moments.from_counts(successes=13, n=1515)
    answer = found(primary("proportion"), against(new, old))
    expected = compare_counts(Counts(15, 1524, 13, 1515))
    assert answer.method == "welch"
    (beside,) = answer.beside
    assert (beside.method, beside.p_value, beside.interval) == (
        "score",
        expected.p_value,  # type: ignore[union-attr]  # both arms vary
        expected.difference,  # type: ignore[union-attr]  # both arms vary
    )
    assert found(primary("proportion"), against(new, old), inference="always_valid").beside == ()


@pytest.mark.parametrize("few", [0, 1, 4])
def test_with_very_few_events_the_score_test_decides_at_a_fixed_horizon(few: int) -> None:
    new, old = Moments.from_counts(successes=few, n=900), Moments.from_counts(successes=24, n=900)
    answer = found(primary("proportion"), against(new, old))
    assert (answer.method, answer.reading) == ("score", Reading.WORSE)
    assert answer.lift is not None
    assert answer.difference is not None
    assert -1 <= answer.lift.low <= answer.lift.estimate < answer.lift.high < 0
    assert -1 < answer.difference.low < answer.difference.high < 0
    assert (
        found(primary("proportion"), against(new, old), inference="sequential", size=20_000).method == "welch"
    )


def test_a_share_without_any_event_is_not_estimable() -> None:
    none = Moments.from_counts(successes=0, n=100)
    assert found(primary("proportion"), against(none, none)).not_estimable == "no_variation"


def test_fewer_units_than_the_metric_needs_are_not_read() -> None:
    small = primary("mean", smallest=200)
    assert found(small, against(arm(1.0, n=199), arm(1.0, n=900))).not_estimable == "too_few_units"
    assert found(small, against(arm(1.0, n=200), arm(1.0, n=900))).not_estimable is None


def test_a_metric_whose_window_has_passed_for_nobody_is_not_matured() -> None:
    nobody = observed({"sales": {}}, units={"old": 9, "new": 9}, immature={"sales": 18})
    assert found(primary("retention"), nobody).not_estimable == "not_matured"


@pytest.mark.parametrize("inference", INFERENCES)
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("lift", [-0.3, -0.06, -0.05, -0.04, 0.0, 0.04, 0.05, 0.06, 0.3])
def test_a_guardrails_reading_is_its_non_inferiority_test(
    lift: float, direction: Direction, inference: str
) -> None:
    metric = PlannedMetric("sales", Role.GUARDRAIL, direction, margin=0.05)
    seen = against(arm(10 * (1 + lift)), arm(10.0))
    answer = found(metric, seen, inference=inference, size=20_000)
    (beside,) = answer.beside
    assert beside.method == "noninferiority"
    assert (answer.reading is Reading.SAFE) == (beside.p_value < 0.025)
    assert (answer.reading is Reading.HARMFUL) == (beside.p_value > 0.975)


def test_a_guardrail_without_margin_or_without_a_mean_has_no_such_test() -> None:
    assert found(PlannedMetric("sales", Role.GUARDRAIL), against(arm(9.0), arm(10.0))).beside == ()
    watched = PlannedMetric("sales", Role.GUARDRAIL, margin=0.05)
    assert found(watched, against(arm(9.0), arm(0.0))).beside == ()
    flat = arm(1.0, var=0.0)
    assert found(watched, against(flat, flat)).beside == ()


def test_a_ratio_that_cannot_be_adjusted_says_why() -> None:
    flat, double = NEW.copy(), NEW.copy()
    flat[:, 1], double[:, 3] = 0.0, 2 * double[:, 2]
    causes = [cuped_linearised({"a": Moments.from_values(each)}, [2, 3]) for each in (flat, double)]
    assert [str(each.cause) for each in causes if isinstance(each, NotEstimable)] == [
        "zero_denominator",
        "collinear",
    ]


def test_a_limit_without_variation_has_no_p_value() -> None:
    still = Estimate(1.0, 0.0, 9, 8, "mean")
    assert isinstance(limit_p(still, still, -0.05), NotEstimable)


def test_an_adjusted_ratio_agrees_with_the_ratio_adjusted_by_itself() -> None:
    arms = {"new": Moments.from_values(NEW), "old": Moments.from_values(OLD)}
    free, narrow = cuped_linearised(arms, [2, 3]), cuped_ratio(arms)
    assert isinstance(free, dict)
    assert isinstance(narrow, dict)
    for name in arms:
        one, other = free[name], narrow[name]
        assert isinstance(one, Estimate)
        assert one.standard_error <= other.standard_error * 1.02
        assert one.value == pytest.approx(other.value, abs=other.standard_error)
