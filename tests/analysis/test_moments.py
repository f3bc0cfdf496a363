import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import InvalidInput, Moments

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=30)


def close(one: Moments, other: Moments, scale: float) -> bool:
    return (
        one.n == other.n
        and np.allclose(one.mean, other.mean, rtol=1e-10, atol=1e-10 * scale)
        and np.allclose(one.cross, other.cross, rtol=1e-10, atol=1e-9 * scale * scale)
    )


@given(VALUES, VALUES)
def test_adding_is_pooling(left: list[float], right: list[float]) -> None:
    scale = max([1.0, *map(abs, left + right)])
    together = Moments.from_values(left + right)
    assert close(Moments.from_values(left) + Moments.from_values(right), together, scale)


@given(VALUES, st.randoms(use_true_random=False))
def test_order_does_not_matter(values: list[float], random: st.randoms) -> None:  # type: ignore[valid-type]  # hypothesis names a function where its type belongs
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # the same
    scale = max([1.0, *map(abs, values)])
    assert close(Moments.from_values(values), Moments.from_values(shuffled), scale)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.floats(0.5, 4), st.floats(-1e3, 1e3))
def test_scaling_and_shifting_the_values_scales_and_shifts_the_moments(
    values: list[float], factor: float, shift: float
) -> None:
    plain = Moments.from_values(values)
    moved = Moments.from_values([factor * x + shift for x in values])
    assert np.isclose(moved.value, factor * plain.value + shift, rtol=1e-10, atol=1e-8)
    assert np.isclose(moved.variance, factor**2 * plain.variance, rtol=1e-9, atol=1e-7)


def test_a_large_offset_costs_no_digits() -> None:
    noise = np.random.default_rng(1).normal(size=1000)
    assert np.isclose(Moments.from_values(noise + 1e8).variance, noise.var(ddof=1), rtol=1e-7)


def test_nobody_changes_nothing() -> None:
    some = Moments.from_values([[1.0, 2.0], [3.0, 5.0]])
    assert some + Moments.empty(2) == some
    assert Moments.empty(2) + some == some
    assert Moments.from_values(np.empty((0, 2))) == Moments.empty(2)
    assert Moments.from_counts(successes=0, n=0) == Moments.empty()


def test_counts_are_moments_of_zeros_and_ones() -> None:
    counted, measured = Moments.from_counts(successes=3, n=8), Moments.from_values([1.0] * 3 + [0.0] * 5)
    assert close(counted, measured, 1.0)


def test_writing_and_reading_gives_the_same_bits() -> None:
    moments = Moments.from_values(np.random.default_rng(2).normal(size=(50, 3)))
    assert Moments.from_json(moments.to_json()) == moments
    assert moments != "moments"


def test_summary_with_a_covariance_matrix() -> None:
    covariance = [[4.0, 1.0], [1.0, 9.0]]
    moments = Moments.from_summary(n=10, mean=[1.0, 2.0], var=covariance)
    assert np.allclose(moments.covariance, covariance)
    assert np.isclose(moments.correlation(0, 1), 1 / 6)
    assert Moments.from_summary(n=10, mean=[1.0, 2.0], var=np.zeros((2, 2))).correlation(0, 1) == 0.0
    assert moments.take([1]).value == 2.0


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda: Moments.from_values(np.zeros((2, 2, 2))), "values"),
        (lambda: Moments.from_values([1.0, float("nan")]), "values"),
        (lambda: Moments.from_values([1.0, float("inf")]), "values"),
        (lambda: Moments.from_summary(n=3, mean=[1.0, 2.0], var=1.0), "var"),
        (lambda: Moments.from_summary(n=-1, mean=1.0, var=1.0), "n"),
        (lambda: Moments.from_summary(n=3, mean=1.0, var=-1.0), "var"),
        (lambda: Moments.from_summary(n=3, mean=float("nan"), var=1.0), "mean"),
        (lambda: Moments.from_counts(successes=4, n=3), "successes"),
        (lambda: Moments.empty(1) + Moments.empty(2), "pool"),
        (lambda: Moments.empty(2).combine([1.0]), "weights"),
    ],
)
def test_impossible_input_is_refused_by_name(make: object, place: str) -> None:
    with pytest.raises(InvalidInput, match=place):
        make()  # type: ignore[operator]  # each parameter is a call to make
