"""Corners of the other methods that golden cases and simulations do not visit."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import (
    Comparison,
    Estimate,
    Moments,
    NotEstimable,
    compare,
    estimate,
)
from analysis.batch import Arms, compare_many
from analysis.clusters import cluster_mean
from analysis.effects import difference
from analysis.many_to_one import dunnett, tail_of_largest
from analysis.margins import noninferiority, relative_noninferiority
from analysis.multiplicity import benjamini_hochberg_levels, holm, holm_levels, hommel, two_stage
from analysis.permutation import monte_carlo_test
from analysis.pooling import combine_estimates, mantel_haenszel, post_stratify
from analysis.quantile_regression import quantile_effect
from analysis.quantiles import order_interval
from analysis.ranks import hodges_lehmann, mann_whitney
from analysis.regression import Errors, least_squares
from analysis.sample_ratio import expected_range
from analysis.score import Counts, score_noninferiority
from analysis.shrinkage import posterior_from_history
from analysis.survival import hazard_ratio, survival_curve
from analysis.switchback import switchback_effect
from analysis.triggered import dilute


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
