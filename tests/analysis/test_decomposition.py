import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import InvalidInput, NotEstimable
from analysis.decomposition import decompose

FACTORS = ("visitors", "conversion", "orders", "order_value")
positive = st.floats(1e-3, 1e6)
factors = st.fixed_dictionaries(dict.fromkeys(FACTORS, positive))


@given(factors, factors)
def test_contributions_add_up_to_the_change_of_the_product(
    before: dict[str, float], after: dict[str, float]
) -> None:
    parts = decompose(before, after)
    assert not isinstance(parts, NotEstimable)
    first, last = math.prod(before.values()), math.prod(after.values())
    total = math.fsum(part.contribution for part in parts)
    assert total == pytest.approx(last - first, rel=1e-6, abs=1e-6 * (first + last))


@given(factors, factors)
def test_the_order_of_the_factors_does_not_matter(before: dict[str, float], after: dict[str, float]) -> None:
    parts = decompose(before, after)
    again = decompose(dict(reversed(before.items())), dict(reversed(after.items())))
    assert not isinstance(parts, NotEstimable)
    assert not isinstance(again, NotEstimable)
    for one, other in zip(parts, reversed(again), strict=True):
        assert one.contribution == pytest.approx(other.contribution, rel=1e-6, abs=1e-9)


def test_a_factor_of_nought_has_no_share() -> None:
    assert isinstance(decompose({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 2.0}), NotEstimable)


def test_two_lists_of_factors_must_be_the_same() -> None:
    with pytest.raises(InvalidInput, match="the same factors"):
        decompose({"a": 1.0}, {"b": 1.0})
