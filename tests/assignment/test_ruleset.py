import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assignment import Holdout, Layer, Range, Rule, Ruleset, State, Variant, decide
from assignment.growthbook import features_payload
from assignment.targeting import InSegment, Test
from tests.assignment import strategies

ARMS = (Variant("old", 1, "v1"), Variant("new", 1, "v2"))
RULE = Rule("checkout", "s1", "old", ARMS, layer="pricing", slots=(Range(0, 5_000),), holdouts=("year",))
OTHER = Rule(
    "search", "s2", "old", ARMS, targeting=InSegment("adults"), traffic=500, overrides={"qa-1": "new"}
)
RULESET = Ruleset(
    version=7,
    rules={"checkout": RULE, "search": OTHER},
    layers={"pricing": Layer("pricing", "layer-1")},
    holdouts={"year": Holdout("year", "holdout-1", 500)},
    segments={"adults": Test("age", "ge", 18)},
)


def document() -> Any:
    return strategies.through_json(RULESET.to_json())


def rule_with(**changes: Any) -> Any:
    """The document with members of its first rule changed."""
    changed = document()
    changed["rules"][0] |= changes
    return changed


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.rulesets())
def test_a_ruleset_survives_the_wire(ruleset: Ruleset) -> None:
    read = Ruleset.from_json(strategies.through_json(ruleset.to_json()))
    assert read == ruleset
    assert read.digest == ruleset.digest


def test_the_digest_is_of_the_rules_and_not_of_the_version() -> None:
    assert replace(RULESET, version=8).digest == RULESET.digest
    raised = replace(RULESET, rules={**RULESET.rules, "search": replace(OTHER, traffic=600)})
    assert raised.digest != RULESET.digest


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"salt": ""}, "salt: expected a text"),
    ({"salt": 5}, "salt: expected a text"),
    ({"control": "third"}, "no variant is called 'third'"),
    ({"control": ["old"]}, "control: expected a text"),
    ({"state": "paused"}, "state: expected one of"),
    ({"state": "shipped"}, "shipped: expected the key"),
    ({"shipped": "third"}, "no variant is called 'third'"),
    ({"unit": "household"}, "unit: expected one of"),
    ({"phase": "1"}, "phase: expected a whole number"),
    ({"traffic": 0.5}, "traffic: expected a whole number"),
    ({"traffic": True}, "traffic: expected a whole number"),
    ({"traffic": 10_001}, "traffic must lie between"),
    ({"variants": []}, "variants: expected at least two"),
    ({"variants": None}, "variants: expected at least two"),
    ({"variants": {}}, "variants: expected a list"),
    ({"variants": [1, 2]}, "expected an object, not int"),
    ({"variants": [{"key": "old", "weight": 1}]}, "variants: expected at least two"),
    ({"variants": [{"key": "old", "weight": 1}] * 2}, "two have the same key"),
    ({"variants": [{"key": "old", "weight": 1}, {"key": "excluded", "weight": 1}]}, "none may be called"),
    (
        {"variants": [{"key": "old", "weight": 0.5}, {"key": "new", "weight": 0.5}]},
        "weight: expected a whole",
    ),
    ({"variants": [{"key": "old", "weight": 0}, {"key": "new", "weight": 0}]}, "weights must be"),
    ({"variants": [{"key": "old", "weight": -1}, {"key": "new", "weight": 2}]}, "weights must be"),
    ({"variants": [{"key": ["old"], "weight": 1}, {"key": "new", "weight": 2}]}, "key: expected a text"),
    (
        {"variants": [{"key": "old", "weight": 1, "value": float("nan")}, {"key": "b", "weight": 1}]},
        "not JSON",
    ),
    ({"overrides": {"qa": "third"}}, "no variant is called 'third'"),
    ({"overrides": {"qa": ["old"]}}, "overrides: expected an object of texts"),
    ({"overrides": ["qa"]}, "overrides: expected an object of texts"),
    ({"layer": "gone"}, "layer 'gone' is missing or broken"),
    ({"layer": None}, "slots: are held in a layer"),
    ({"slots": [[0]]}, "slots: expected pairs"),
    ({"slots": [[0, 0.5]]}, "slots: expected pairs"),
    ({"slots": [[True, 5]]}, "slots: expected pairs"),
    ({"slots": [[5, 4]]}, "slots: expected ranges within"),
    ({"slots": [[0, 10_001]]}, "slots: expected ranges within"),
    ({"holdouts": ["gone"]}, "holdout 'gone' is missing or broken"),
    ({"holdouts": "year"}, "holdouts: expected a list"),
    ({"targeting": {"segment": "gone"}}, "targeting: segment 'gone' is missing or broken"),
    ({"targeting": {"attribute": "age"}}, "targeting.operator: expected one of"),
]


@pytest.mark.parametrize(("changes", "reason"), BROKEN)
def test_one_broken_rule_is_left_out_and_named(changes: dict[str, Any], reason: str) -> None:
    read = Ruleset.from_json(rule_with(**changes))
    assert reason in read.broken["checkout"]
    assert read.rules == {"search": OTHER}


@pytest.mark.parametrize("missing", ["salt", "control", "phase", "unit", "state", "traffic"])
def test_a_rule_that_lacks_a_member_is_named_with_it(missing: str) -> None:
    written = document()
    del written["rules"][0][missing]
    assert Ruleset.from_json(written).broken == {"checkout": f"{missing}: missing"}


@pytest.mark.parametrize("written", [None, 3, [], {}, {"key": 5}])
def test_a_rule_without_a_key_is_named_by_its_place(written: Any) -> None:
    read = Ruleset.from_json({**document(), "rules": [written]})
    assert list(read.broken) == ["rules.0"]


def test_of_two_rules_with_one_key_neither_decides() -> None:
    written = document()
    written["rules"].append(written["rules"][0])
    read = Ruleset.from_json(written)
    assert read.broken == {"checkout": "rules.2: another one has the same key"}
    assert list(read.rules) == ["search"]


@pytest.mark.parametrize(
    ("part", "broken", "reason"),
    [
        ("layers", {"key": "pricing", "salt": None}, "layer 'pricing' is missing or broken"),
        ("holdouts", {"key": "year", "salt": "s", "share": 10_001}, "holdout 'year' is missing or broken"),
        ("holdouts", {"key": "year", "salt": "s", "share": "5"}, "holdout 'year' is missing or broken"),
    ],
)
def test_a_rule_that_leans_on_a_broken_part_is_broken_too(part: str, broken: Any, reason: str) -> None:
    read = Ruleset.from_json({**document(), part: [broken]})
    assert read.broken == {"checkout": reason}
    assert list(read.rules) == ["search"]


@pytest.mark.parametrize(
    "condition", [None, {}, {"segment": "adults"}, {"attribute": "age", "operator": "old"}]
)
def test_a_rule_that_names_a_broken_segment_is_broken_too(condition: Any) -> None:
    read = Ruleset.from_json({**document(), "segments": [{"key": "adults", "condition": condition}]})
    assert read.broken == {"search": "targeting: segment 'adults' is missing or broken"}
    assert list(read.rules) == ["checkout"]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (None, "expected an object"),
        ([], "expected an object"),
        ({}, "hash_version: missing"),
        ({"hash_version": 1}, "hash_version: expected 2, not 1"),
        ({"hash_version": 2}, "version: missing"),
        ({"hash_version": 2, "version": "7"}, "version: expected a whole number"),
        ({"hash_version": 2, "version": 7, "rules": {}}, "rules: expected a list"),
    ],
)
def test_a_document_that_is_no_ruleset_is_refused(written: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Ruleset.from_json(written)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_a_document_says_every_rule_that_is_read_decides(data: st.DataObject) -> None:
    written = document()
    place: Any = data.draw(
        st.sampled_from([*written["rules"], *written["holdouts"], *written["segments"], *written["layers"]])
    )
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(
        strategies.json_values()
        | st.sampled_from(["old", "new", "running", [[0, 10]], ["year"], [None], [[]]])
    )
    read = Ruleset.from_json(strategies.through_json(written))
    for key in read.rules:
        decide(read, key, unit="u", attributes={"age": 20})
    json.dumps(features_payload(read), allow_nan=False)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"layers": {}}, "rules.checkout: layer 'pricing'"),
        ({"holdouts": {}}, "rules.checkout: holdout 'year'"),
        ({"segments": {}}, "rules.search: targeting: segment 'adults'"),
        ({"segments": {"adults": InSegment("adults")}}, "segments.adults: "),
        ({"rules": {"other": OTHER}}, "rules.other: the rule's own key is 'search'"),
    ],
)
def test_a_ruleset_that_could_not_decide_cannot_be_made(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(RULESET, **changes)


def test_a_rule_that_could_not_decide_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="shipped: expected the key"):
        replace(RULE, state=State.SHIPPED)
