"""Write the conformance vectors: ``python -m tests.conformance.write_vectors``.

The inputs are chosen here; the answers come from the room. `test_vectors` checks that the file on disk is
what this writes, so a change of behaviour cannot pass unseen.
"""

import json
from pathlib import Path
from typing import Any

from assignment import (
    BUCKETS,
    HASH_VERSION,
    Holdout,
    Layer,
    Range,
    Rule,
    Ruleset,
    State,
    Variant,
    allocate,
    bucket,
    condition_from_json,
    decide,
    matches,
)
from assignment.growthbook import compiled, features_payload
from assignment.hashing import fnv1a32
from assignment.segments import unfold

FILE = Path(__file__).with_name("vectors.json")

_SEGMENTS = {
    "adults": {"attribute": "age", "operator": "ge", "value": 18},
    "nordic adults": {
        "all": [
            {"segment": "adults"},
            {"attribute": "country", "operator": "in", "value": ["NO", "SE", "DK", "FI", "IS"]},
        ]
    },
}


def document() -> dict[str, Any]:
    """Everything that the file says."""
    return {
        "format": 1,
        "hash_version": HASH_VERSION,
        "hash": [_hash(*each) for each in _HASHED],
        "ranges": [_ranges(weights, traffic) for weights, traffic in _ALLOCATED],
        "layers": [_layer(number) for number in range(12)],
        "holdouts": [_holdout(share, number) for share in (0, 500, 5_000, BUCKETS) for number in range(4)],
        "targeting": [_targeting(condition, each) for condition, given in _TARGETED for each in given],
        "rulesets": [_ruleset()],
    }


def written() -> str:
    """The file's text: one vector a line, so that a change shows as one line."""
    members = []
    for name, value in document().items():
        if not isinstance(value, list):
            members.append(f" {json.dumps(name)}: {json.dumps(value)}")
            continue
        lines = ",\n".join(f"  {json.dumps(each, ensure_ascii=True)}" for each in value)
        members.append(f" {json.dumps(name)}: [\n{lines}\n ]")
    return "{\n" + ",\n".join(members) + "\n}\n"


_HASHED: list[tuple[str, str, int]] = [
    ("exp-seed", "user-1", 1),
    ("exp-seed", "user-2", 1),
    ("exp-seed", "user-3", 1),
    ("checkout", "42", 1),
    ("checkout", "00000000-0000-4000-8000-000000000000", 1),
    ("checkout", "alice@example.com", 1),
    ("layer-1", "a", 1),
    ("größe", "zoë", 1),
    ("exp", "😀", 1),
    ("layer-1", "user-7", 1),
    ("", "x", 1),
    ("", "", 1),
    ("checkout", "", 1),
    ("checkout", " ", 1),
    ("checkout", "\x00", 1),
    ("checkout", "a\x00b", 1),
    ("checkout", "line\nbreak", 1),
    ("checkout", "用户-42", 1),
    ("checkout", "Å", 1),  # one character, and the same letter as two: ids are never normalised
    ("checkout", "A\u030a", 1),
    ("checkout", "\uffff", 1),
    ("checkout", "\U0010ffff", 1),
    ("checkout", "👩\u200d👩\u200d👧", 1),
    ("checkout", "\ud83d", 1),  # half a surrogate pair, which JSON can carry and JavaScript can hold
    ("checkout", "a", 1_000),
    ("checkout", "ab😀", 20_000),
    ("s" * 300, "user-1", 1),
]

_ALLOCATED: list[tuple[list[int], int]] = [
    ([1, 1], 10_000),
    ([1, 1], 4_000),
    ([1, 1], 1),
    ([1, 1], 0),
    ([1, 1, 1], 10_000),
    ([1, 1, 1], 3_333),
    ([9, 1], 500),
    ([1, 0, 3], 10_000),
    ([33, 33, 34], 9_999),
    ([7, 11, 13, 17, 19, 23], 10_000),
    ([1] * 12, 10_000),
    ([1, 20_000], 10_000),
    ([2_147_483_647, 1], 10_000),
]

_ODD_VALUES: list[Any] = [
    *(
        {},
        {"x": None},
        {"x": True},
        {"x": False},
        {"x": 0},
        {"x": 1},
        {"x": -1},
        {"x": 18},
        {"x": 18.5},
        {"x": 1e300},
    ),
    *({"x": ""}, {"x": "0"}, {"x": "1"}, {"x": "18"}, {"x": "true"}, {"x": "null"}, {"x": "NO"}, {"x": "no"}),
    *({"x": []}, {"x": ["NO"]}, {"x": [1]}, {"x": [None]}, {"x": [["NO"]]}, {"x": {}}, {"x": {"y": "NO"}}),
    *({"x": "a.b"}, {"x": "axb"}, {"x": "za.b"}, {"x": "a.b\n"}, {"x": "a.bz"}, {"x": "\ue000"}, {"x": "😀"}),
    *(
        {"x": "1.2.3"},
        {"x": "v1.2.3"},
        {"x": "1.2.3-rc.1"},
        {"x": "1.2.10"},
        {"x": "1.10"},
        {"x": "1.2.3+b.1"},
    ),
]
_ON_ODD_VALUES: list[tuple[str, Any]] = [
    *(("eq", "NO"), ("eq", 1), ("eq", True), ("ne", "NO"), ("ne", 0)),
    *(("in", ["NO", 1]), ("in", [True, "0"]), ("not_in", ["NO", 0])),
    *(("gt", 0), ("ge", 18), ("lt", 18), ("le", 0), ("gt", "NO"), ("le", "\ue000")),
    *(("exists", None), ("not_exists", None)),
    *(("starts_with", "a."), ("ends_with", ".b"), ("contains", "n"), ("contains", "1")),
    *(("version_gt", "1.2.3"), ("version_ge", "1.2.3"), ("version_lt", "1.2.3"), ("version_le", "v1.2.3")),
]


def _test(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    written = {"attribute": attribute, "operator": operator}
    return written if value is None else {**written, "value": value}


_PEOPLE: list[Any] = [
    {},
    {"country": "NO"},
    {"country": "NO", "age": 17},
    {"country": "NO", "age": 18},
    {"country": "DE", "age": 40, "company": {"size": 5}},
    {"country": "DE", "company": {"size": "5"}, "company.size": 5},
    {"company": [{"size": 5}]},
]
_TARGETED: list[tuple[dict[str, Any], list[Any]]] = [
    *((_test("x", operator, value), _ODD_VALUES) for operator, value in _ON_ODD_VALUES),
    (_test("company.size", "eq", 5), _PEOPLE),
    (_test("company.size", "not_exists"), _PEOPLE),
    ({"segment": "nordic adults"}, _PEOPLE),
    ({"not": {"segment": "adults"}}, _PEOPLE),
    ({"any": [{"segment": "nordic adults"}, {"not": _test("country", "exists")}]}, _PEOPLE),
    ({"all": [_test("country", "ne", "SE"), {"not": _test("age", "lt", 18)}]}, _PEOPLE),
]


def _hash(salt: str, unit: str, repeat: int) -> dict[str, Any]:
    known: dict[str, Any] = {"salt": salt, "unit": unit}
    if repeat > 1:
        known["repeat"] = repeat
    whole = unit * repeat
    return {**known, "fnv1a32": fnv1a32(salt + whole), "bucket": bucket(salt, whole)}


def _ranges(weights: list[int], traffic: int) -> dict[str, Any]:
    ranges = [[each.start, each.end] for each in allocate(weights, traffic)]
    return {"weights": weights, "traffic": traffic, "ranges": ranges}


def _layer(number: int) -> dict[str, Any]:
    layer, slots, unit = Layer("layer", "layer-1"), [[0, 2_500], [8_000, 9_000]], f"user-{number}"
    position = layer.position(unit)
    inside = any(start <= position < end for start, end in slots)
    return {"salt": layer.salt, "slots": slots, "unit": unit, "position": position, "inside": inside}


def _holdout(share: int, number: int) -> dict[str, Any]:
    holdout, unit = Holdout("year", "holdout-1", share), f"user-{number}"
    return {"salt": holdout.salt, "share": share, "unit": unit, "held_out": holdout.keeps_out(unit)}


def _targeting(written: dict[str, Any], attributes: Any) -> dict[str, Any]:
    condition = condition_from_json(written)
    segments = {key: condition_from_json(each) for key, each in _SEGMENTS.items()}
    return {
        "condition": written,
        **({"segments": _SEGMENTS} if "segment" in json.dumps(written) else {}),
        "attributes": attributes,
        "matches": matches(condition, attributes, segments),
        "growthbook": compiled(unfold(condition, segments)),
    }


def _ruleset() -> dict[str, Any]:
    ruleset = _published()
    asked = [(f"user-{number}", person) for number, person in enumerate(_PEOPLE * 2)]
    asked += [("qa-1", {}), ("", {"country": "NO", "age": 30}), ("zoë 😀", {"country": "NO", "age": 30})]
    decisions = [_decision(ruleset, key, *each) for key in (*ruleset.rules, "unknown") for each in asked]
    return {"ruleset": ruleset.to_json(), "payload": features_payload(ruleset), "decisions": decisions}


def _decision(ruleset: Ruleset, key: str, unit: str, attributes: Any) -> dict[str, Any]:
    answer = decide(ruleset, key, unit=unit, attributes=attributes)
    return {
        "key": key,
        "unit": unit,
        "attributes": attributes,
        "variant": answer.variant,
        "value": answer.value,
        "reason": str(answer.reason),
        "detail": str(answer.detail),
        "in_experiment": answer.in_experiment,
        "bucket": answer.bucket,
    }


def _published() -> Ruleset:
    arms = (Variant("old", 1, "v1"), Variant("new", 1, "v2"))
    three = (Variant("a", 2, {"colour": "red"}), Variant("b", 3, [1, 2.5]), Variant("c", 5, None))
    nordic = condition_from_json({"segment": "nordic adults"})
    rules = [
        Rule("plain", "s1", "old", arms),
        Rule("part", "s2", "b", three, traffic=3_333, phase=2),
        Rule("layered", "s3", "old", arms, layer="pricing", slots=(Range(0, 2_500), Range(7_500, 9_000))),
        Rule("beside", "s4", "c", three, layer="pricing", slots=(Range(2_500, 7_500),), holdouts=("year",)),
        Rule("held", "s5", "old", arms, holdouts=("year", "quarter"), traffic=9_000),
        Rule("targeted", "größe", "old", arms, targeting=nordic, overrides={"qa-1": "new"}),
        Rule("anonymous", "s7", "old", arms, unit_type="anonymous_id", traffic=0),
        Rule("shipped", "s8", "old", arms, state=State.SHIPPED, shipped="new"),
        Rule("stopped", "s9", "old", arms, state=State.STOPPED, overrides={"qa-1": "new"}),
    ]
    return Ruleset(
        version=12,
        rules={rule.key: rule for rule in rules},
        layers={"pricing": Layer("pricing", "layer-1")},
        holdouts={
            "year": Holdout("year", "holdout-1", 4_000),
            "quarter": Holdout("quarter", "holdout-2", 500),
        },
        segments={key: condition_from_json(each) for key, each in _SEGMENTS.items()},
    )


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
    print(f"wrote {FILE.name}: {len(written()) // 1_000} KB")
