"""Allocation: which buckets belong to which variant.

Each variant owns a fixed home on the circle of buckets, sized by its weight; traffic opens every home from
its left edge. So raising traffic only ever admits units: nobody who was in moves or leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assignment.hashing import BUCKETS

FULL_TRAFFIC = 10_000
"""Traffic is counted in basis points of the eligible units."""


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open range of buckets: ``start`` is inside, ``end`` is not."""

    start: int
    end: int

    def __contains__(self, bucket: int) -> bool:
        return self.start <= bucket < self.end

    def __len__(self) -> int:
        return self.end - self.start


def allocate(weights: Sequence[int], traffic: int = FULL_TRAFFIC) -> tuple[Range, ...]:
    """Give each variant its range of buckets.

    Parameters
    ----------
    weights
        Whole numbers, one per variant, none negative, not all zero.
    traffic
        Share of eligible units to admit, 0 to 10,000 basis points.

    Returns
    -------
    tuple of Range
        In the order of the weights. At full traffic they tile 0 … 9999 exactly.

    Raises
    ------
    ValueError
        If the weights or the traffic are outside those bounds.

    Examples
    --------
    >>> allocate([1, 1], traffic=4_000)
    (Range(start=0, end=2000), Range(start=5000, end=7000))
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must be whole numbers from 0 with at least one above 0")
    if not 0 <= traffic <= FULL_TRAFFIC:
        raise ValueError(f"traffic must lie between 0 and {FULL_TRAFFIC} basis points, not {traffic}")

    edges = [0]
    reached = 0
    for weight in weights:
        reached += weight
        edges.append(BUCKETS * reached // total)
    return tuple(
        Range(start, start + (end - start) * traffic // FULL_TRAFFIC) for start, end in pairwise(edges)
    )


def overlaps(one: Range, other: Range) -> bool:
    """Say whether two ranges share a bucket."""
    return max(one.start, other.start) < min(one.end, other.end)
