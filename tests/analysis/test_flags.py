"""Flags: when they speak and when they are silent."""

import numpy as np
import pytest

from analysis import (
    Comparison,
    Estimate,
    Moments,
    compare,
)
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
