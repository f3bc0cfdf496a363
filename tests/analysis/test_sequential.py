"""Boundaries, final inference and confidence sequences at the ends of what can be computed."""

import math

import pytest

from analysis import (
    Comparison,
    Estimate,
    GroupSequential,
    NotEstimable,
    compare,
)
from analysis.always_valid import anytime_coefficient_by_scale, bernoulli_interval
from analysis.betting import hedged_interval
from analysis.boundaries import crossing_probabilities, spending_boundaries
from analysis.spending import Family, Spending
from analysis.stagewise import final_inference, repeated_p


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
