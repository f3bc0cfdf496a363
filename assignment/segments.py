"""Saved segments: named conditions that conditions may refer to, checked so that every reference ends.

A segment may refer to other segments. What a reference unfolds to is bounded in depth and in size, because
it is evaluated on every decision and sent in full to clients that evaluate for themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from assignment.targeting import (
    Condition,
    Either,
    Every,
    InSegment,
    Negation,
    Segments,
    parts_of,
    segments_in,
)

MAX_UNFOLDED_DEPTH = 24
MAX_UNFOLDED_SIZE = 1_000


@dataclass(frozen=True, slots=True)
class Extent:
    """How deep and how large a condition is once its segments are unfolded."""

    depth: int
    size: int


def extent(condition: Condition, known: Mapping[str, Extent]) -> Extent:
    """Measure a condition when the segments that it refers to are measured.

    Raises
    ------
    ValueError
        If a segment is not known, or the whole unfolds beyond the bounds.

    Examples
    --------
    >>> extent(InSegment("adults"), {"adults": Extent(depth=1, size=1)})
    Extent(depth=2, size=2)
    """
    if isinstance(condition, InSegment):
        if condition.segment not in known:
            raise ValueError(f"segment {condition.segment!r} is missing or broken")
        inner = [known[condition.segment]]
    else:
        inner = [extent(part, known) for part in parts_of(condition)]
    whole = Extent(1 + max((each.depth for each in inner), default=0), 1 + sum(each.size for each in inner))
    if whole.depth > MAX_UNFOLDED_DEPTH or whole.size > MAX_UNFOLDED_SIZE:
        raise ValueError(
            f"unfolds to more than {MAX_UNFOLDED_SIZE} conditions or {MAX_UNFOLDED_DEPTH} levels"
        )
    return whole


def measure(segments: Segments) -> tuple[dict[str, Extent], dict[str, str]]:
    """Measure every segment, and say of each that cannot be used why not.

    Returns
    -------
    tuple of dict
        The extents of the usable segments, and the reasons against the others: a reference to a segment
        that is not there, to a broken one, or in a circle.

    Examples
    --------
    >>> measure({"a": InSegment("b"), "b": InSegment("a")})[1]["a"]
    "segment 'b' is missing, broken, or refers back to this one"
    """
    known: dict[str, Extent] = {}
    broken: dict[str, str] = {}
    waiting = {key: set(segments_in(condition)) for key, condition in segments.items()}
    # Each round settles what depends on settled segments only; a circle never becomes ready.
    while ready := [key for key, needs in waiting.items() if needs <= known.keys()]:
        for key in ready:
            del waiting[key]
            try:
                known[key] = extent(segments[key], known)
            except ValueError as problem:
                broken[key] = str(problem)
    for key, needs in waiting.items():
        missing = min(needs - known.keys())
        broken[key] = f"segment {missing!r} is missing, broken, or refers back to this one"
    return known, broken


def unfold(condition: Condition, segments: Segments) -> Condition:
    """Put the conditions of the segments in the place of their names.

    Examples
    --------
    >>> from assignment.targeting import Test
    >>> unfold(Negation(InSegment("adults")), {"adults": Test("age", "ge", 18)})
    Negation(condition=Test(attribute='age', operator='ge', value=18))
    """
    match condition:
        case InSegment(segment):
            return unfold(segments[segment], segments)
        case Every(conditions):
            return Every(tuple(unfold(each, segments) for each in conditions))
        case Either(conditions):
            return Either(tuple(unfold(each, segments) for each in conditions))
        case Negation(inner):
            return Negation(unfold(inner, segments))
        case _:
            return condition
