"""Corners of the methods that golden cases and simulations do not visit."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from analysis import (
    AlwaysValid,
    Comparison,
    Estimate,
    FixedHorizon,
    GroupSequential,
    Moments,
    NotEstimable,
    Sequential,
    compare,
    estimate,
)
from analysis.always_valid import anytime_coefficient_by_scale, bernoulli_interval
from analysis.batch import Arms, compare_many
from analysis.bayes import expected_shortfall, normal_posterior
from analysis.beta_binomial import Beta, compare_betas, probability_above
from analysis.betting import hedged_interval
from analysis.boundaries import crossing_probabilities, spending_boundaries
from analysis.clusters import cluster_mean
from analysis.effects import difference
from analysis.exact import conditional_odds_ratio
from analysis.flags import (
    covariate_differs,
    denominator_moved,
    dominant_unit,
    few_events,
    identical_arms,
    peeked,
    repeated_error,
    skewed_allocation,
    skewness,
    sudden_jump,
    too_good,
)
from analysis.many_to_one import dunnett, tail_of_largest
from analysis.margins import noninferiority, relative_noninferiority
from analysis.multiplicity import benjamini_hochberg_levels, holm, holm_levels, hommel, two_stage
from analysis.permutation import monte_carlo_test
from analysis.pooling import combine_estimates, mantel_haenszel, post_stratify
from analysis.power import (
    Baseline,
    Design,
    detectable_lift,
    for_inference,
    power,
    sample_size,
)
from analysis.proportions import compare_counts
from analysis.quantile_regression import quantile_effect
from analysis.quantiles import order_interval
from analysis.ranks import hodges_lehmann, mann_whitney
from analysis.rates import compare_rates
from analysis.regression import Errors, least_squares
from analysis.sample_ratio import expected_range
from analysis.score import Counts, difference_interval, difference_score, ratio_interval, score_noninferiority
from analysis.shares import agresti_coull, binomial_test, share
from analysis.shrinkage import posterior_from_history
from analysis.simulate import replay, try_plan
from analysis.sizing import mean_power, mean_size
from analysis.spending import Family, Spending
from analysis.stagewise import final_inference, repeated_p
from analysis.survival import hazard_ratio, survival_curve
from analysis.switchback import switchback_effect
from analysis.triggered import dilute

COUNTS = st.builds(
    lambda n1, n0, a, b: Counts(round(a * n1), n1, round(b * n0), n0),
    st.integers(1, 300),
    st.integers(1, 300),
    st.floats(0, 1),
    st.floats(0, 1),
)


@given(COUNTS)
def test_score_intervals_hold_their_estimate_and_agree_with_the_test(counts: Counts) -> None:
    interval = difference_interval(counts)
    assert interval.low <= interval.estimate <= interval.high
    ratio = ratio_interval(counts)
    assert ratio.low <= ratio.estimate <= ratio.high
    z = difference_score(counts, 0.0)
    if abs(abs(z) - 1.959964) > 1e-6:
        assert interval.excludes_zero == (abs(z) > 1.959964)


@given(COUNTS)
def test_score_intervals_mirror(counts: Counts) -> None:
    swapped = Counts(counts.control, counts.control_n, counts.treatment, counts.treatment_n)
    there, back = difference_interval(counts), difference_interval(swapped)
    assert there.low == pytest.approx(-back.high, abs=1e-9)
    assert there.high == pytest.approx(-back.low, abs=1e-9)


@given(st.integers(1, 200), st.floats(0, 1), st.sampled_from(["wilson", "wilson_cc", "clopper_pearson"]))
def test_share_intervals_hold_their_estimate(n: int, part: float, method: str) -> None:
    x = round(part * n)
    answer = share(x, n, method=method)
    assert not isinstance(answer, NotEstimable)
    assert 0 <= answer.low <= answer.estimate <= answer.high <= 1
    assert agresti_coull(x, n, 0.05)[0] <= x / n <= agresti_coull(x, n, 0.05)[1]


@pytest.mark.parametrize(("n", "p"), [(20, 0.3), (7, 0.5), (50, 0.02)])
def test_the_binomial_test_counts_all_counts_no_likelier(n: int, p: float) -> None:
    mass = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    for x in range(n + 1):
        expected = sum(m for m in mass if m <= mass[x] * (1 + 1e-7))
        assert binomial_test(x, n, p) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_hommel_is_the_closure_of_simes(p: list[float]) -> None:
    adjusted = hommel(p)
    for i in range(len(p)):
        worst = 0.0
        for size in range(1, len(p) + 1):
            for members in itertools.combinations(range(len(p)), size):
                if i in members:
                    ordered = sorted(p[j] for j in members)
                    worst = max(worst, min(size * q / (k + 1) for k, q in enumerate(ordered)))
        assert adjusted[i] == pytest.approx(min(1.0, worst), abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_levels_agree_with_decisions(p: list[float]) -> None:
    for adjusted, level, each in zip(holm(p), holm_levels(p, 0.05), p, strict=True):
        if abs(adjusted - 0.05) > 1e-12:
            assert (adjusted < 0.05) == (each <= level and adjusted < 0.05)
    assert all(0 < level <= 0.05 + 1e-12 for level in benjamini_hochberg_levels(p, 0.05))


def test_two_stage_when_everything_is_found() -> None:
    assert two_stage([1e-6, 1e-6]).rejected == [True, True]


@given(
    st.integers(2, 500),
    st.integers(2, 500),
    st.floats(-20, 20),
    st.floats(1, 20),
    st.floats(0.1, 50),
    st.floats(0.1, 50),
)
def test_arrays_and_single_comparisons_are_the_same(
    n1: int, n0: int, m1: float, m0: float, v1: float, v0: float
) -> None:
    many = compare_many(Arms.of(n1, [m1], v1), Arms.of(n0, [m0], v0))
    one = compare(
        estimate.mean(Moments.from_summary(n=n1, mean=m1, var=v1)),
        estimate.mean(Moments.from_summary(n=n0, mean=m0, var=v0)),
    )
    assert isinstance(one, Comparison)
    assert one.lift is not None
    pairs = [
        (many.p_value, one.p_value),
        (many.df, one.df),
        (many.low, one.difference.low),
        (many.lift_low, one.lift.low),
        (many.lift_high, one.lift.high),
    ]
    for array, number in pairs:
        assert float(np.ravel(array)[0]) == pytest.approx(number, rel=1e-6, abs=1e-6)


def test_always_better_and_always_worse() -> None:
    sure = Counts(1000, 1000, 0, 1000)
    assert compare_betas(sure).probability_better == 1.0
    assert probability_above(Beta(1.0, 1000.0), Beta(1000.0, 1.0)) < 1e-300
    certain = normal_posterior(Estimate(1.0, 0.0, 10, 9, "mean"))
    assert certain.probability_better == 1.0
    assert normal_posterior(Estimate(0.0, 0.0, 10, 9, "mean")).probability_better == 0.5
    assert expected_shortfall(10.0) == pytest.approx(7.4746e-25, rel=1e-3)
    assert expected_shortfall(39.0) == 0.0 or expected_shortfall(39.0) > 0
    assert expected_shortfall(45.0) >= 0.0


def test_a_hundred_million_units() -> None:
    answer = compare_betas(Counts(10_010_000, 10**8, 10_000_000, 10**8))
    z = 1e-4 / math.sqrt(2 * 0.09 / 10**8)
    assert answer.probability_better == pytest.approx(float(special.ndtr(z)), abs=2e-4)


def test_confidence_sequences_reach_the_edges() -> None:
    none = bernoulli_interval(0, 20, optimum=100)
    every = bernoulli_interval(20, 20, optimum=100)
    assert not isinstance(none, NotEstimable)
    assert not isinstance(every, NotEstimable)
    assert none.low == 0.0
    assert every.high == 1.0
    few = hedged_interval([0.5])
    assert not isinstance(few, NotEstimable)
    assert (few.low, few.high) == (0.0, 1.0)


def test_an_anytime_interval_is_unlimited_until_it_can_exclude_anything() -> None:
    answer = anytime_coefficient_by_scale(Estimate(1.0, 1.0, 4, 2, "ols"), sigma=1.0, precision=50.0)
    assert not isinstance(answer, NotEstimable)
    assert not answer.interval.bounded


@pytest.mark.parametrize("family", list(Family))
def test_every_spending_keeps_the_error_rate(family: Family) -> None:
    times = [0.1, 0.45, 0.7, 1.0]
    spending = Spending(family, 2.0)
    bounds = spending_boundaries(times, 0.025, spending)
    assert sum(crossing_probabilities(times, bounds)) == pytest.approx(0.025, abs=1e-7)
    assert Spending(Family.HWANG_SHIH_DECANI, 0.0).spent(0.5, 0.1) == 0.05


def test_boundaries_at_the_ends_of_what_can_be_computed() -> None:
    assert spending_boundaries([1e-4, 1.0], 0.025)[0] == math.inf
    assert spending_boundaries([1e-4, 1.0], 0.025)[1] == pytest.approx(1.959964, abs=1e-5)
    assert spending_boundaries([1.0], 1 - 1e-12, sides=1)[0] < -6
    assert repeated_p([0.5, 1.0], 0.0, sides=2) == 0.5
    assert repeated_p([1.0], 37.0) < 1e-250
    assert repeated_p([1e-4], 37.9) >= 0
    unlimited = compare(
        Estimate(1.0, 0.1, 2, 1, "mean"), Estimate(0.9, 0.1, 2, 1, "mean"), GroupSequential(10**6)
    )
    assert isinstance(unlimited, Comparison)
    assert not unlimited.difference.bounded
    assert unlimited.lift is not None
    assert not unlimited.lift.bounded


def test_a_two_sided_stop_has_a_final_interval() -> None:
    answer = final_inference([0.5, 1.0], [2.963], 2.1, sides=2)
    assert answer.low < answer.median < answer.high


def test_guardrails_by_share_and_by_unit() -> None:
    old, new = Estimate(10.0, 0.1, 500, 499, "mean"), Estimate(10.2, 0.1, 500, 499, "mean")
    slow = relative_noninferiority(new, old, 0.05, more_is_better=False)
    assert not isinstance(slow, NotEstimable)
    assert slow.passed
    effect = difference(new, old)
    assert isinstance(effect, Estimate)
    harmed = noninferiority(effect, 0.1, more_is_better=False)
    assert not isinstance(harmed, NotEstimable)
    assert not harmed.passed
    assert harmed.bound > 0.1
    rising = score_noninferiority(Counts(120, 1000, 100, 1000), 0.05, more_is_better=False)
    assert rising.passed == (rising.bound < 0.05)


def test_few_counts_are_compared_by_score_and_many_by_moments() -> None:
    few = compare_counts(Counts(3, 50, 0, 50))
    assert not isinstance(few, NotEstimable)
    assert few.lift is None
    assert not isinstance(compare_counts(Counts(60, 500, 45, 500)), NotEstimable)
    zero = ratio_interval(Counts(0, 10, 0, 10))
    assert (zero.low, zero.high) == (0.0, math.inf)


def test_rates_and_odds_at_the_edges() -> None:
    rates = compare_rates((3, 10.0), (0, 10.0))
    assert not isinstance(rates, NotEstimable)
    assert rates.log_wald is None
    assert rates.ratio == math.inf
    low, high = (conditional_odds_ratio(Counts(x, 10, 10 - x, 10)) for x in (0, 10))
    assert not isinstance(low, NotEstimable)
    assert not isinstance(high, NotEstimable)
    assert low.low == 0.0
    assert high.high == math.inf


def test_ranks_with_ties_and_large_samples() -> None:
    rng = np.random.default_rng(5)
    new, old = rng.integers(1, 6, 60) + 1, rng.integers(1, 6, 70)
    shift = hodges_lehmann(new, old)
    assert not isinstance(shift, NotEstimable)
    assert shift.low <= 1.0 <= shift.high
    test = mann_whitney(new, old)
    assert not isinstance(test, NotEstimable)
    assert test.p_exact is None
    apart = hodges_lehmann([5.0, 5.0], [1.0, 1.0])
    assert not isinstance(apart, NotEstimable)
    assert apart.low == apart.high == 4.0


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=5), st.lists(st.integers(0, 4), min_size=1, max_size=5)
)
def test_the_exact_rank_p_value_is_a_count(new: list[int], old: list[int]) -> None:
    test = mann_whitney(new, old)
    if isinstance(test, NotEstimable):
        return
    pool = new + old
    doubled = [sum(2 * (b < a) + (b == a) for b in pool) for a in pool]
    expected = len(new) * sum(doubled) / len(pool)
    away = abs(sum(doubled[: len(new)]) - expected)
    sums = [sum(c) for c in itertools.combinations(doubled, len(new))]
    assert test.p_exact == pytest.approx(np.mean([abs(s - expected) >= away - 1e-9 for s in sums]))


def test_order_statistics_beyond_the_sample() -> None:
    answer = order_interval([1.0, 2.0, 3.0], 0.5)
    assert not isinstance(answer, NotEstimable)
    assert (answer.low_rank, answer.high_rank) == (None, None)
    assert answer.coverage == 1.0


def test_dunnett_far_out_and_with_few_units() -> None:
    assert 0 < tail_of_largest(12.0, np.array([0.7, 0.7]), df=math.inf) < 1e-30
    tiny = dunnett([Moments.from_values([1.0]), Moments.from_values([2.0])], Moments.from_values([0.0, 1.0]))
    assert not isinstance(tiny, NotEstimable)
    assert tiny.critical_value > 12


def test_all_standard_errors_of_a_regression_and_a_row_that_is_fitted_exactly() -> None:
    fit = least_squares([1.0, 2.0, 4.0, 9.0], [[1, 0], [1, 0], [1, 0], [1, 1]])
    assert not isinstance(fit, NotEstimable)
    for errors in Errors:
        assert math.isfinite(fit.coefficient(1, errors).standard_error)


def test_pooling_agreeing_estimates_and_given_weights() -> None:
    same = combine_estimates([Estimate(1.0, 0.1, 9, 8, "mean")] * 2)
    assert not isinstance(same, NotEstimable)
    assert same.disagreement == 0.0
    arm = [Estimate(1.0, 0.1, 9, 8, "mean")]
    weighted = post_stratify(arm, [Estimate(0.0, 0.1, 9, 8, "mean")], [2.0])
    assert isinstance(weighted, Estimate)
    assert weighted.value == 1.0
    assert not isinstance(mantel_haenszel([Counts(1, 1, 0, 0 + 1), Counts(3, 9, 4, 9)]), NotEstimable)


def test_shrinking_by_a_history_of_noise_leaves_nothing() -> None:
    noise = [Estimate(v, 1.0, 9, 8, "mean") for v in (0.01, -0.01, 0.0)]
    after = posterior_from_history(Estimate(5.0, 1.0, 9, 8, "mean"), noise)
    assert not isinstance(after, NotEstimable)
    assert after.mean == 0.0


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


def test_survival_before_the_first_event_and_after_the_last() -> None:
    curve = survival_curve([2.0, 3.0, 4.0], [1, 1, 1])
    assert not isinstance(curve, NotEstimable)
    assert curve.at(1.0)[0].value == 1.0
    assert curve.at(9.0)[0].value == 0.0
    open_end = survival_curve([1.0, 2.0], [1, 0])
    assert not isinstance(open_end, NotEstimable)
    assert isinstance(open_end.restricted_mean(5.0), NotEstimable)
    tied = hazard_ratio(([1.0, 1.0, 2.0], [1, 1, 1]), ([1.0, 2.0, 3.0], [1, 0, 1]))
    assert isinstance(tied, Estimate)


def test_a_density_in_the_far_tail() -> None:
    rng = np.random.default_rng(12)
    effect = quantile_effect(rng.normal(size=12), rng.normal(size=12), 0.02)
    assert not isinstance(effect, NotEstimable)
    assert effect.error_sandwich > 0


def test_samples_in_rows() -> None:
    rows = Arms.of_values([[1.0, 2.0, 3.0], [4.0, 4.0, 7.0]])
    assert rows.mean.tolist() == [2.0, 5.0]


def test_estimates_of_the_smallest_scale_combine() -> None:
    tiny = [Estimate(v * 1e-200, 1e-200, 9, 8, "mean") for v in (1.0, 3.0)]
    answer = combine_estimates(tiny)
    assert not isinstance(answer, NotEstimable)
    assert answer.q == pytest.approx(2.0)


def test_a_switchback_chooses_its_lags() -> None:
    rng = np.random.default_rng(9)
    effect = switchback_effect(rng.normal(size=60), [0, 1] * 30)
    assert isinstance(effect, Estimate)


def test_monte_carlo_permutation_agrees_with_the_exact_one() -> None:
    rng = np.random.default_rng(10)
    test = monte_carlo_test([1.0, 5.0, 2.0], [1.5, 4.0, 2.5, 9.0], rng=rng, splits=500)
    assert not isinstance(test, NotEstimable)
    assert test.p_value > 0.3


def test_dilution_without_a_mean_has_no_lift() -> None:
    effect = Estimate(1.0, 0.1, 10, 9, "mean")
    assert dilute(effect, triggered=1, everybody=2, control_mean=0.0).lift is None


def test_clusters_in_one_arm() -> None:
    answer = cluster_mean([1.0, 2.0, 3.0], [0, 0, 1])
    assert isinstance(answer, Estimate)
    assert answer.n == 2


def test_the_range_of_a_share() -> None:
    assert expected_range(0, 0.5) == (0.0, 1.0)


def test_flags_stay_silent_where_all_is_well() -> None:
    calm = np.random.default_rng(11).normal(10.0, 1.0, 1000)
    arm = Moments.from_values(np.column_stack([calm, calm]))
    answer = compare(Estimate(10.1, 0.1, 500, 499, "mean"), Estimate(10.0, 0.1, 500, 499, "mean"))
    assert isinstance(answer, Comparison)
    assert skewed_allocation(calm, sizes={"a": 500, "b": 500}) is None
    assert skewness([3.0, 3.0]) == 0.0
    assert few_events({"a": Moments.from_counts(successes=50, n=100)}) is None
    assert dominant_unit(calm) is None
    assert dominant_unit([0.0]) is None
    assert covariate_differs(arm, arm) is None
    assert denominator_moved(arm, arm) is None
    assert covariate_differs(Moments.empty(), arm) is None
    flat = Moments.from_values([1.0, 1.0])
    assert covariate_differs(flat, flat) is None
    assert peeked(looks=5, inference="sequential", over=True) is None
    assert peeked(looks=1, inference="fixed", over=True) is None
    assert too_good(answer) is None
    assert identical_arms(answer) is None
    assert sudden_jump([]) is None
    assert sudden_jump([Estimate(1.0, 0.1, 9, 8, "mean")] * 4) is None


def test_flags_speak_where_something_is_wrong() -> None:
    low, high = (Moments.from_summary(n=5000, mean=[1.0, m], var=np.eye(2)) for m in (1.0, 1.2))
    moved = denominator_moved(high, low)
    assert moved is not None
    assert moved.kind == "denominator_moved"
    old = Estimate(10.0, 1.0, 100, 99, "mean")
    same, large = compare(old, old), compare(Estimate(17.0, 1.0, 100, 99, "mean"), old)
    assert isinstance(same, Comparison)
    assert isinstance(large, Comparison)
    assert identical_arms(same) is not None
    assert too_good(large) is not None
    assert repeated_error(20) == pytest.approx(0.248, abs=0.001)
