"""Proportions, rates and their posteriors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from analysis import (
    Estimate,
    NotEstimable,
)
from analysis.bayes import expected_shortfall, normal_posterior
from analysis.beta_binomial import Beta, compare_betas, probability_above
from analysis.exact import conditional_odds_ratio
from analysis.proportions import compare_counts
from analysis.rates import compare_rates
from analysis.score import Counts, difference_interval, difference_score, ratio_interval
from analysis.shares import agresti_coull, binomial_test, share

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


@pytest.mark.parametrize(
    ("one", "other"), [((0.5, 9.5), (0.5, 4.5)), ((0.5, 0.5), (3.5, 0.5)), ((2, 3), (4, 1))]
)
def test_posteriors_with_infinite_densities(one: tuple[float, float], other: tuple[float, float]) -> None:
    first, second = Beta(*one), Beta(*other)
    # Both sides are found by different integrals.
    assert probability_above(first, second) + probability_above(second, first) == pytest.approx(1.0, abs=1e-9)
    level = (np.arange(200_000) + 0.5) / 200_000
    expected = special.betainc(*other, special.betaincinv(*one, level)).mean()
    assert probability_above(first, second) == pytest.approx(expected, abs=1e-6)


def test_a_hundred_million_units() -> None:
    answer = compare_betas(Counts(10_010_000, 10**8, 10_000_000, 10**8))
    z = 1e-4 / math.sqrt(2 * 0.09 / 10**8)
    assert answer.probability_better == pytest.approx(float(special.ndtr(z)), abs=2e-4)


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


def test_an_interval_ends_where_the_scale_ends() -> None:
    certain = difference_interval(Counts(1, 1, 0, 1))
    assert certain.high == 1.0
    assert difference_interval(Counts(0, 1, 1, 1)).low == -1.0
    assert difference_score(Counts(0, 3, 0, 3)) == 0.0
    assert difference_score(Counts(3, 3, 0, 3), 1.0) == 0.0
    assert math.isinf(difference_score(Counts(0, 3, 0, 3), 1.0))
