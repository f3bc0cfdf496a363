"""The published vectors hold, read as another implementation would read them."""

import json
from typing import Any

import pytest

from assignment import (
    HASH_VERSION,
    Holdout,
    Layer,
    Ruleset,
    allocate,
    bucket,
    condition_from_json,
    decide,
    matches,
)
from assignment.growthbook import features_payload
from assignment.hashing import fnv1a32
from tests.conformance.write_vectors import FILE, written

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


def test_the_file_is_what_the_script_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == written()


def test_the_file_names_its_format_and_its_hash() -> None:
    assert (VECTORS["format"], VECTORS["hash_version"]) == (1, HASH_VERSION)


@pytest.mark.parametrize("vector", VECTORS["hash"], ids=lambda each: ascii(each["unit"]))
def test_a_unit_hashes_as_published(vector: Any) -> None:
    unit = vector["unit"] * vector.get("repeat", 1)
    assert fnv1a32(vector["salt"] + unit) == vector["fnv1a32"]
    assert bucket(vector["salt"], unit) == vector["bucket"]


def test_ranges_are_shared_out_as_published() -> None:
    for vector in VECTORS["ranges"]:
        ranges = [[each.start, each.end] for each in allocate(vector["weights"], vector["traffic"])]
        assert ranges == vector["ranges"], vector


def test_layers_let_in_as_published() -> None:
    assert {vector["inside"] for vector in VECTORS["layers"]} == {True, False}
    for vector in VECTORS["layers"]:
        position = Layer("", vector["salt"]).position(vector["unit"])
        assert position == vector["position"], vector
        assert any(start <= position < end for start, end in vector["slots"]) is vector["inside"], vector


def test_holdouts_keep_out_as_published() -> None:
    assert {vector["held_out"] for vector in VECTORS["holdouts"]} == {True, False}
    for vector in VECTORS["holdouts"]:
        holdout = Holdout("", vector["salt"], vector["share"])
        assert holdout.keeps_out(vector["unit"]) is vector["held_out"], vector


def test_targeting_means_as_published() -> None:
    for vector in VECTORS["targeting"]:
        segments = {key: condition_from_json(each) for key, each in vector.get("segments", {}).items()}
        condition = condition_from_json(vector["condition"])
        assert matches(condition, vector["attributes"], segments) is vector["matches"], vector


def test_decisions_are_as_published() -> None:
    for published in VECTORS["rulesets"]:
        ruleset = Ruleset.from_json(published["ruleset"])
        assert not ruleset.broken
        assert features_payload(ruleset) == published["payload"]
        for vector in published["decisions"]:
            answer = decide(ruleset, vector["key"], unit=vector["unit"], attributes=vector["attributes"])
            assert {name: getattr(answer, name) for name in _ANSWERS} == {
                name: vector[name] for name in _ANSWERS
            }, vector


def test_the_decisions_show_every_detail() -> None:
    details = {each["detail"] for published in VECTORS["rulesets"] for each in published["decisions"]}
    assert len(details) == 10


_ANSWERS = ("variant", "value", "reason", "detail", "in_experiment", "bucket")
