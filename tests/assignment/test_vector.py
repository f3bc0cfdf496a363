import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assignment import Holdout, Layer, Range, Rule, Ruleset, State, Variant, bucket, decide
from assignment.targeting import Test
from assignment.vector import assign_many, buckets

ids = st.text(st.characters(codec=None), max_size=12) | st.text("ab0-\0", max_size=40)
ARMS = (Variant("old", 1), Variant("middle", 0), Variant("new", 3))
RULE = Rule(
    "checkout",
    "größe",
    "old",
    ARMS,
    traffic=8_000,
    layer="pricing",
    slots=(Range(0, 3_000), Range(5_000, 9_000)),
    holdouts=("year", "quarter"),
    overrides={"user-3": "new", "zoë": "middle"},
)


def ruleset(rule: Rule = RULE) -> Ruleset:
    holdouts = {"year": Holdout("year", "holdout-1", 1_500), "quarter": Holdout("quarter", "holdout-2", 500)}
    return Ruleset(rules={rule.key: rule}, layers={"pricing": Layer("pricing", "layer-1")}, holdouts=holdouts)


@given(st.lists(ids, max_size=30), ids)
def test_an_array_of_objects_falls_into_the_same_buckets(units: list[str], salt: str) -> None:
    array = np.array([*units, None], dtype=object)[:-1]
    assert buckets(salt, array).tolist() == [bucket(salt, unit) for unit in units]


@given(st.lists(ids, max_size=30), ids)
def test_an_array_of_texts_falls_into_the_same_buckets(units: list[str], salt: str) -> None:
    array = np.array(units, dtype=np.str_)
    assert buckets(salt, array).tolist() == [bucket(salt, str(unit)) for unit in array]


@given(st.lists(st.text(max_size=12), max_size=30), ids)
def test_an_array_of_bytes_falls_into_the_same_buckets(units: list[str], salt: str) -> None:
    array = np.array([unit.encode() for unit in units], dtype=np.bytes_)
    assert buckets(salt, array).tolist() == [bucket(salt, unit.decode()) for unit in array.tolist()]


@pytest.mark.parametrize("dtype", ["S", "U", ">U9", "<U9", "S30", object])
def test_more_ids_than_one_block_fall_into_the_same_buckets(dtype: Any) -> None:
    numbers = [str(number) for number in range(40_000)]
    found = buckets("checkout", np.array(numbers).astype(dtype))
    assert found.tolist() == [bucket("checkout", unit) for unit in numbers]


def test_slices_and_strides_are_read_as_they_are() -> None:
    units = np.array([f"user-{number}" for number in range(100)])
    assert buckets("s", units[::-3]).tolist() == [bucket("s", unit) for unit in units[::-3].tolist()]


@pytest.mark.parametrize("dtype", ["S", "U", object])
def test_a_very_long_id_falls_into_the_same_bucket(dtype: Any) -> None:
    long = "ab" * 2_000
    units = np.array(["a", long, ""], dtype=dtype)
    assert buckets("s", units).tolist() == [bucket("s", "a"), bucket("s", long), bucket("s", "")]


def test_small_numbers_between_the_two_passes_are_hashed_without_leading_zeros() -> None:
    # one id in 43,000 hashes below 100,000, where the digits have to be counted
    units = np.arange(200_000).astype("S")
    found = buckets("s", units)
    rows = range(0, 200_000, 97)
    assert [int(found[row]) for row in rows] == [bucket("s", str(row)) for row in rows]
    from assignment.hashing import fnv1a32

    state = fnv1a32("s")
    small = [row for row in range(200_000) if fnv1a32(str(row), state) < 100_000]
    assert small
    assert [int(found[row]) for row in small] == [bucket("s", str(row)) for row in small]


def expected(rules: Ruleset, units: list[str], attributes: dict[str, Any] | None = None) -> list[int]:
    names = [variant.key for variant in rules.rules["checkout"].variants]
    answers = (decide(rules, "checkout", unit=unit, attributes=attributes) for unit in units)
    return [names.index(str(each.variant)) if each.variant in names else -1 for each in answers]


UNITS = ["", "zoë", "😀", *(f"user-{number}" for number in range(3_000))]


@pytest.mark.parametrize(
    "rule",
    [
        RULE,
        replace(RULE, layer=None, slots=()),
        replace(RULE, slots=()),
        replace(RULE, traffic=0),
        replace(RULE, holdouts=(), overrides={}),
        replace(RULE, state=State.STOPPED),
        replace(RULE, state=State.SHIPPED, shipped="new"),
    ],
)
@pytest.mark.parametrize("dtype", ["U", object])
def test_an_array_is_assigned_as_each_of_its_units(rule: Rule, dtype: Any) -> None:
    rules = ruleset(rule)
    assert assign_many(rules, "checkout", np.array(UNITS, dtype=dtype)).tolist() == expected(rules, UNITS)


def test_bytes_are_assigned_as_the_texts_that_they_write() -> None:
    units = np.array([unit.encode() for unit in UNITS])
    assert assign_many(ruleset(), "checkout", units).tolist() == expected(ruleset(), UNITS)


def test_a_rule_with_targeting_needs_to_be_told_whom_it_means() -> None:
    rules = ruleset(replace(RULE, targeting=Test("country", "eq", "NO")))
    units = np.array(UNITS)
    with pytest.raises(ValueError, match="has targeting"):
        assign_many(rules, "checkout", units)
    meant = np.arange(len(UNITS)) % 2 == 0
    yes, no = expected(rules, UNITS, {"country": "NO"}), expected(rules, UNITS, {})
    assert assign_many(rules, "checkout", units, targeted=meant).tolist() == [
        yes[row] if meant[row] else no[row] for row in range(len(UNITS))
    ]


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        assign_many(ruleset(), "gone", np.array(["u"]))


@pytest.mark.parametrize(
    ("units", "error"),
    [
        (np.arange(3), TypeError),
        (np.array(["a", 5], dtype=object), TypeError),
        (np.array([["a"]]), ValueError),
        (np.array([b"\xff"]), ValueError),
    ],
)
def test_what_is_no_array_of_texts_is_refused(units: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        buckets("s", units)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 20), st.sampled_from(["S1", "U1", object]))
def test_empty_ids_and_empty_arrays_have_answers(count: int, dtype: Any) -> None:
    units = np.array([""] * count, dtype=dtype)
    assert buckets("s", units).tolist() == [bucket("s", "")] * count
    assert assign_many(ruleset(), "checkout", units).tolist() == [-1] * count


def test_the_face_of_the_room_does_not_import_numpy() -> None:
    program = "import assignment, assignment.growthbook, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
