from itertools import pairwise

import pytest
from hypothesis import given

from assignment import Condition, matches
from assignment.segments import Extent, measure, unfold
from assignment.targeting import Either, Every, InSegment, Negation, Segments, Test
from tests.assignment import strategies

ADULTS = Test("age", "ge", 18)
NORDIC = Test("country", "in", ("NO", "SE"))


def test_a_segment_may_refer_to_another() -> None:
    segments: Segments = {"both": Every((InSegment("adults"), NORDIC)), "adults": ADULTS}
    assert measure(segments) == ({"adults": Extent(1, 1), "both": Extent(3, 4)}, {})
    assert matches(InSegment("both"), {"age": 20, "country": "NO"}, segments)
    assert not matches(InSegment("both"), {"age": 10, "country": "NO"}, segments)


def test_segments_in_a_circle_are_named_and_the_others_stay() -> None:
    segments: Segments = {
        "a": InSegment("b"),
        "b": Negation(InSegment("a")),
        "c": InSegment("a"),
        "adults": ADULTS,
    }
    usable, broken = measure(segments)
    assert usable.keys() == {"adults"}
    assert broken.keys() == {"a", "b", "c"}


def test_a_segment_that_refers_to_itself_is_named() -> None:
    assert measure({"a": InSegment("a")})[1] == {
        "a": "segment 'a' is missing, broken, or refers back to this one"
    }


def test_a_segment_that_refers_to_nothing_is_named() -> None:
    assert "'gone' is missing" in measure({"a": Either((ADULTS, InSegment("gone")))})[1]["a"]


def test_segments_that_double_at_every_level_are_refused() -> None:
    segments: dict[str, Condition] = {"s0": ADULTS}
    for level in range(1, 40):
        segments[f"s{level}"] = Every((InSegment(f"s{level - 1}"), InSegment(f"s{level - 1}")))
    assert any("unfolds to more than" in reason for reason in measure(segments)[1].values())


@pytest.mark.parametrize("backwards", [False, True])
def test_a_very_long_chain_of_segments_is_refused_without_recursion(backwards: bool) -> None:
    keys = [f"s{number}" for number in range(3_000)]
    chain: dict[str, Condition] = {"s0": ADULTS}
    chain |= {key: InSegment(before) for before, key in pairwise(keys)}
    segments = dict(reversed(chain.items())) if backwards else chain
    usable, broken = measure(segments)
    assert len(usable) == 24
    assert len(usable) + len(broken) == len(segments)


@given(strategies.conditions(("adults", "nordic")), strategies.attributes())
def test_an_unfolded_condition_means_the_same(condition: Condition, attributes: dict[str, object]) -> None:
    segments: Segments = {"adults": ADULTS, "nordic": Every((InSegment("adults"), NORDIC))}
    assert matches(unfold(condition, segments), attributes) is matches(condition, attributes, segments)
