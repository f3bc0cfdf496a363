"""The programme: effects shrunk towards what all of them say, and what was shipped added up."""

import math

import pytest

from analysis import Estimate, Interval
from analysis.programme import Effect, Trial, Z, add_up, shrink_effects, win_rate


def trial(name: str, lift: float, error: float = 0.02, shipped: float = 1.0) -> Trial:
    return Trial(name, "paid", Estimate(lift, error, 1_000, math.inf, "lift"), shipped)


def effect(metric: str, measured: float, expected: float, shipped: float = 1.0) -> Effect:
    return Effect("a", metric, shipped, _around(measured), _around(expected))


def _around(value: float) -> Interval:
    return Interval(value, value - 0.1, value + 0.1)


def test_every_effect_is_pulled_towards_zero_and_stays_in_its_place() -> None:
    effects = shrink_effects([trial("a", 0.09), trial("b", 0.01), trial("c", -0.03, shipped=0.0)])
    assert [each.experiment for each in effects] == ["a", "b", "c"]
    for each in effects:
        assert 0 < each.expected.estimate / each.measured.estimate < 1
    assert [each.shipped for each in effects] == [1.0, 1.0, 0.0]


def test_what_was_measured_keeps_its_own_interval() -> None:
    first, _ = shrink_effects([trial("a", 0.09), trial("b", 0.01)])
    assert first.measured == Interval(0.09, 0.09 - 0.02 * Z, 0.09 + 0.02 * Z)


def test_a_noisier_effect_is_pulled_further() -> None:
    exact, noisy, *_ = shrink_effects([trial("a", 0.09, 0.005), trial("b", 0.09, 0.05), trial("c", 0.01)])
    assert noisy.expected.estimate < exact.expected.estimate


def test_effects_multiply_metric_by_metric_as_far_as_they_were_rolled_out() -> None:
    paid, kept = add_up(
        [effect("paid", 0.1, 0.05), effect("paid", 0.2, 0.1, shipped=0.5), effect("kept", 0.3, 0.2)]
    )
    assert (paid.metric, paid.shipped) == ("paid", 2)
    assert paid.measured == pytest.approx(1.1 * 1.1 - 1)
    assert paid.expected == pytest.approx(1.05 * 1.05 - 1)
    assert (kept.metric, kept.shipped) == ("kept", 1)
    assert kept.measured == pytest.approx(0.3)


def test_what_was_not_shipped_adds_nothing() -> None:
    assert add_up([effect("paid", 0.1, 0.05, shipped=0.0)]) == []


def test_the_share_of_wins_has_a_range_and_none_before_the_first() -> None:
    rate = win_rate(4, 10)
    assert rate is not None
    assert rate.estimate == pytest.approx(0.4)
    assert 0 < rate.low < 0.4 < rate.high < 1
    assert win_rate(0, 0) is None
