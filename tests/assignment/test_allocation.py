from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assignment import BUCKETS, Range, allocate, overlaps

weights = st.lists(st.integers(0, 10_000), min_size=1, max_size=12).filter(any)
traffic = st.integers(0, 10_000)
ranges = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted).map(lambda edges: Range(*edges))


@given(weights)
def test_at_full_traffic_the_variants_tile_all_buckets(shares: list[int]) -> None:
    allocated = allocate(shares)
    assert allocated[0].start == 0
    assert allocated[-1].end == BUCKETS
    assert all(left.end == right.start for left, right in pairwise(allocated))


@given(weights)
def test_a_variant_gets_its_weight_to_within_one_bucket(shares: list[int]) -> None:
    for share, held in zip(shares, allocate(shares), strict=True):
        assert abs(len(held) - BUCKETS * share / sum(shares)) < 1


@given(weights, traffic, traffic)
def test_raising_traffic_only_ever_admits_units(shares: list[int], one: int, other: int) -> None:
    low, high = sorted((one, other))
    for before, after in zip(allocate(shares, low), allocate(shares, high), strict=True):
        assert before.start == after.start
        assert before.end <= after.end


@given(weights, traffic)
def test_no_two_variants_share_a_bucket(shares: list[int], share: int) -> None:
    allocated = allocate(shares, share)
    assert all(left.end <= right.start for left, right in pairwise(allocated))


def test_traffic_opens_each_home_from_its_left_edge() -> None:
    assert allocate([1, 1], traffic=4_000) == (Range(0, 2_000), Range(5_000, 7_000))


def test_three_equal_weights_lose_no_bucket() -> None:
    assert allocate([1, 1, 1]) == (Range(0, 3_333), Range(3_333, 6_666), Range(6_666, 10_000))


@pytest.mark.parametrize("shares", [[], [0, 0], [2, -1]])
def test_weights_that_share_nothing_out_are_refused(shares: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        allocate(shares)


@pytest.mark.parametrize("share", [-1, 10_001])
def test_traffic_beyond_its_bounds_is_refused(share: int) -> None:
    with pytest.raises(ValueError, match="traffic"):
        allocate([1], share)


@given(ranges, ranges)
def test_ranges_overlap_when_they_share_a_bucket(one: Range, other: Range) -> None:
    shared = set(range(one.start, one.end)) & set(range(other.start, other.end))
    assert overlaps(one, other) == bool(shared)


def test_a_range_holds_its_start_and_not_its_end() -> None:
    assert [bucket in Range(2, 4) for bucket in (1, 2, 3, 4)] == [False, True, True, False]
