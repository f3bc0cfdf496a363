import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import (
    AlwaysValid,
    Bayesian,
    Cause,
    Comparison,
    Estimate,
    FixedHorizon,
    GroupSequential,
    Inference,
    LiftMethod,
    Moments,
    NotEstimable,
    Sequential,
    compare,
    estimate,
)
from analysis.effects import assess, difference, student_difference

INFERENCES: list[Inference] = [
    FixedHorizon(),
    Sequential(1_000),
    AlwaysValid(1_000),
    GroupSequential(1_000),
    Bayesian(),
    Bayesian(prior_sd=0.1),
]

ESTIMATES = st.builds(
    Estimate,
    st.floats(-50, 50).map(lambda x: round(x, 3)),
    st.floats(0.01, 5),
    st.integers(2, 10_000),
    st.floats(1, 1e6),
    st.just("mean"),
)


@given(
    ESTIMATES, ESTIMATES, st.sampled_from([each for each in INFERENCES if each.name != "group_sequential"])
)
def test_one_test_decides(new: Estimate, old: Estimate, inference: Inference) -> None:
    answer = compare(new, old, inference)
    assert isinstance(answer, Comparison)
    if abs(answer.p_value - 0.05) > 1e-9:
        assert answer.significant == (answer.p_value < 0.05)
        if answer.lift is not None and answer.lift.bounded:
            assert answer.lift.excludes_zero == answer.significant


@given(ESTIMATES, ESTIMATES, st.sampled_from([FixedHorizon(), Sequential(1_000), AlwaysValid(1_000)]))
def test_swapping_the_arms_mirrors_the_answer(new: Estimate, old: Estimate, inference: Inference) -> None:
    there, back = compare(new, old, inference), compare(old, new, inference)
    assert isinstance(there, Comparison)
    assert isinstance(back, Comparison)
    assert there.p_value == back.p_value
    assert there.difference.estimate == -back.difference.estimate
    assert there.difference.low == -back.difference.high
    assert there.df == pytest.approx(back.df, rel=1e-12)


@given(ESTIMATES, ESTIMATES)
def test_a_negative_baseline_keeps_the_sign(new: Estimate, old: Estimate) -> None:
    answer = compare(new, old)
    assert isinstance(answer, Comparison)
    if answer.lift is not None and answer.difference.estimate:
        assert math.copysign(1, answer.lift.estimate) == math.copysign(1, answer.difference.estimate)


def hostile() -> Iterator[Moments]:
    yield Moments.empty()
    yield Moments.from_values([3.0])
    yield Moments.from_values([3.0] * 5)
    yield Moments.from_values([0.0] * 5)
    yield Moments.from_counts(successes=0, n=50)
    yield Moments.from_counts(successes=50, n=50)
    yield Moments.from_counts(successes=7, n=50)
    yield Moments.from_summary(n=10**12, mean=1e8, var=1.0)
    yield Moments.from_summary(n=100, mean=-5.0, var=2.0)
    yield Moments.from_summary(n=100, mean=1e-310, var=1e-320)
    yield Moments.from_summary(n=100, mean=1e300, var=1e300)
    yield Moments.from_summary(n=100, mean=1e-200, var=1e-300)


@pytest.mark.parametrize("inference", INFERENCES, ids=lambda each: each.name)
@pytest.mark.parametrize("method", LiftMethod)
def test_hostile_moments_give_a_number_or_a_reason(inference: Inference, method: LiftMethod) -> None:
    for new in hostile():
        for old in hostile():
            answer = compare(estimate.mean(new), estimate.mean(old), inference, lift=method)
            if isinstance(answer, NotEstimable):
                assert answer.cause in Cause
                continue
            numbers = [answer.difference.estimate, answer.standard_error, answer.statistic, answer.p_value]
            assert all(math.isfinite(number) for number in numbers)
            assert 0 <= answer.p_value <= 1
            bounds = [answer.difference.low, answer.difference.high]
            if answer.lift is not None:
                bounds += [answer.lift.low, answer.lift.high]
            assert not any(math.isnan(bound) for bound in bounds)


def test_p_values_reach_the_end_of_the_floating_range() -> None:
    base = Estimate(0.0, 1.0, 10**6, math.inf, "mean")
    far = compare(Estimate(50.0, 1.0, 10**6, math.inf, "mean"), base)
    assert isinstance(far, Comparison)
    assert 1e-300 < far.p_value < 1e-250


@pytest.mark.parametrize(
    ("arm", "cause"),
    [(Moments.empty(), Cause.NO_UNITS), (Moments.from_values([1.0]), Cause.TOO_FEW_UNITS)],
)
def test_the_reason_is_typed(arm: Moments, cause: Cause) -> None:
    fine = estimate.mean(Moments.from_values([1.0, 2.0]))
    for answer in (compare(estimate.mean(arm), fine), compare(fine, estimate.mean(arm))):
        assert isinstance(answer, NotEstimable)
        assert answer.cause is cause


def test_equal_arms_without_variation_have_no_answer() -> None:
    flat = Estimate(3.0, 0.0, 10, 9, "mean")
    answer = compare(flat, flat)
    assert isinstance(answer, NotEstimable)
    assert answer.cause is Cause.NO_VARIATION
    assert isinstance(assess(flat), NotEstimable)
    huge = Estimate(1e308, 1e-300, 10, 9, "mean")
    assert isinstance(assess(huge), NotEstimable)
    assert isinstance(
        difference(Estimate(1e308, 1.0, 9, 8, "mean"), Estimate(-1e308, 1.0, 9, 8, "mean")), NotEstimable
    )


def test_student_needs_units_and_variation() -> None:
    assert isinstance(student_difference(Moments.empty(), Moments.from_values([1.0])), NotEstimable)
    flat = Moments.from_values([1.0, 1.0])
    assert isinstance(student_difference(flat, flat), NotEstimable)


def test_an_interval_knows_what_it_holds() -> None:
    new, old = Estimate(11.0, 0.4, 400, 399, "mean"), Estimate(10.0, 0.3, 400, 399, "mean")
    answer = compare(new, old)
    assert isinstance(answer, Comparison)
    assert answer.difference.bounded
    assert answer.difference.within(0.0, 2.0)
    assert answer.difference.excludes_zero
