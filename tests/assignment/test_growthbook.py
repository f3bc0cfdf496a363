"""Local evaluation: an unmodified GrowthBook client on our payload agrees with our server."""

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from growthbook import GrowthBook
from growthbook.core import evalCondition
from hypothesis import HealthCheck, given, settings

from assignment import (
    Condition,
    Detail,
    Holdout,
    Layer,
    Range,
    Rule,
    Ruleset,
    State,
    Variant,
    bucket,
    decide,
    decide_all,
    matches,
)
from assignment.growthbook import HASH_ATTRIBUTES, compiled, features_payload
from assignment.operators import OPERATORS
from assignment.targeting import Every, InSegment, Negation, Test
from tests.assignment import strategies

ARMS = (Variant("old", 1, "v1"), Variant("new", 1, "v2"))
COUNTRIES = ["NO", "SE", "DK", None, 5, ["NO"]]


def busy_ruleset() -> Ruleset:
    """Experiments of every kind at once, in one layer with two holdouts."""
    three = (Variant("a", 2, {"x": 1}), Variant("b", 3, [1]), Variant("c", 5, None))
    nordic = Every((Test("country", "in", ("NO", "SE")), InSegment("adults")))
    rules = [
        Rule("plain", "s1", "old", ARMS),
        Rule("part", "s2", "b", three, traffic=3_333),
        Rule("layered", "s3", "old", ARMS, layer="pricing", slots=(Range(0, 2_500), Range(7_500, 9_000))),
        Rule("beside", "s4", "c", three, layer="pricing", slots=(Range(2_500, 7_500),), holdouts=("year",)),
        Rule("held", "s5", "old", ARMS, holdouts=("year", "quarter"), traffic=9_000),
        Rule("targeted", "s6", "old", ARMS, targeting=nordic, holdouts=("year",)),
        Rule("others", "s7", "old", ARMS, targeting=Negation(nordic)),
        Rule("version", "größe", "old", ARMS, targeting=Test("app.version", "version_ge", "1.2.3")),
        Rule("shipped", "s8", "old", ARMS, state=State.SHIPPED, shipped="new"),
        Rule("nothing", "s9", "a", three, state=State.SHIPPED, shipped="c"),
        Rule("stopped", "s10", "old", ARMS, state=State.STOPPED),
        Rule("anonymous", "s11", "old", ARMS, unit_type="anonymous_id", holdouts=("year",)),
        Rule("closed", "s12", "old", ARMS, traffic=0),
        Rule("slotless", "s13", "old", ARMS, layer="pricing"),
    ]
    return Ruleset(
        rules={rule.key: rule for rule in rules},
        layers={"pricing": Layer("pricing", "layer-1")},
        holdouts={
            "year": Holdout("year", "holdout-1", 1_000),
            "quarter": Holdout("quarter", "holdout-2", 500),
        },
        segments={"adults": Test("age", "ge", 18)},
    )


def attributes_of(number: int) -> dict[str, Any]:
    return {
        "country": COUNTRIES[number % len(COUNTRIES)],
        "age": number % 40,
        "app": {"version": f"1.{number % 5}.{number % 7}"},
    }


def test_two_thousand_units_get_locally_what_the_server_gives_them() -> None:
    ruleset = busy_ruleset()
    features = strategies.through_json(features_payload(ruleset))["features"]
    seen: set[Detail] = set()
    for number in range(2_000):
        unit, attributes = f"user-{number}", attributes_of(number)
        client = GrowthBook(attributes={**attributes, "id": unit, "anonymous_id": unit}, features=features)
        for answer in decide_all(ruleset, unit=unit, attributes=attributes):
            local = client.eval_feature(answer.key)
            assert local.value == answer.value
            result = local.experimentResult
            assert result is None or result.key == answer.variant
            assert (result is not None) is (answer.detail is Detail.ASSIGNED)
            assert result is None or result.bucket == bucket(ruleset.rules[answer.key].salt, unit) / 10_000
            seen.add(answer.detail)
    assert seen == set(Detail) - {Detail.UNKNOWN_KEY, Detail.NO_UNIT, Detail.OVERRIDE, Detail.PREVIEW}


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.rulesets(), strategies.attributes())
def test_any_ruleset_gives_locally_what_the_server_gives(
    ruleset: Ruleset, attributes: dict[str, Any]
) -> None:
    ruleset = replace(
        ruleset, rules={key: replace(rule, overrides={}) for key, rule in ruleset.rules.items()}
    )
    features = strategies.through_json(features_payload(ruleset))["features"]
    for unit in ("", "user-1", "zoë 😀"):
        client = GrowthBook(attributes={**attributes, "id": unit, "anonymous_id": unit}, features=features)
        for answer in decide_all(ruleset, unit=unit, attributes=attributes):
            assert client.eval_feature(answer.key).value == answer.value


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.conditions(), strategies.attributes())
def test_a_compiled_condition_means_what_ours_means(condition: Condition, attributes: dict[str, Any]) -> None:
    theirs = evalCondition(strategies.through_json(attributes), strategies.through_json(compiled(condition)))
    assert theirs is matches(condition, attributes)


CORNERS = [
    *(
        None,
        True,
        False,
        0,
        1,
        -0.0,
        1.5,
        "",
        "0",
        "1",
        "true",
        "null",
        "NO",
        "ab",
        "ab\n",
        "a.b",
        "xa.b",
        "\\/",
        "//",
    ),
    *(
        "é",
        "😀",
        "\ue000",
        "1.2.3",
        "v1.2",
        "1.2.3-rc.1",
        "1.2.3+7",
        "1.²",
        "1.2\n",
        "beta",
        2**53,
        10**400,
        1e300,
    ),
    *([], {}, ["NO"], [1], [True], [None], [["NO"]], {"b": 1}, [{"b": 1}]),
]


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_an_operator_agrees_with_the_client_in_every_corner(operator: str) -> None:
    compared = 0
    for name, value in product(("x", "x.b"), [None, *CORNERS, *((corner,) for corner in CORNERS)]):
        try:
            test = Test(name, operator, value)
        except (ValueError, TypeError):  # refused when it is written, so no client ever sees it
            continue
        condition = strategies.through_json(compiled(test))
        for corner in CORNERS:
            for attributes in ({"x": corner}, {"x": {"b": corner}}, {}):
                assert evalCondition(attributes, condition) is matches(test, attributes), (test, attributes)
                compared += 1
    assert compared > 100


def test_a_rule_is_written_out_in_full() -> None:
    rule = Rule(
        "checkout",
        "salt",
        "old",
        ARMS,
        phase=2,
        traffic=4_000,
        targeting=InSegment("adults"),
        layer="pricing",
        slots=(Range(0, 2_500),),
        holdouts=("year",),
    )
    payload = features_payload(replace(busy_ruleset(), rules={"checkout": rule}))
    assert payload == {
        "features": {
            "checkout": {
                "defaultValue": "v1",
                "rules": [
                    {
                        "key": "checkout",
                        "phase": "2",
                        "seed": "salt",
                        "hashAttribute": "id",
                        "hashVersion": 2,
                        "variations": ["v1", "v2"],
                        "meta": [{"key": "old", "name": "old"}, {"key": "new", "name": "new"}],
                        "ranges": [[0.0, 0.2], [0.5, 0.7]],
                        "condition": {"age": {"$type": "number", "$gte": 18}},
                        "filters": [
                            {
                                "seed": "holdout-1",
                                "attribute": "id",
                                "hashVersion": 2,
                                "ranges": [[0.1, 1.0]],
                            },
                            {"seed": "layer-1", "attribute": "id", "hashVersion": 2, "ranges": [[0.0, 0.25]]},
                        ],
                    }
                ],
            }
        },
        "experiments": [],
        "savedGroups": {},
    }


def test_the_payload_names_no_unit_and_no_segment() -> None:
    ruleset = busy_ruleset()
    with_override = replace(ruleset.rules["plain"], overrides={"secret-person": "new"})
    written = json.dumps(features_payload(replace(ruleset, rules={**ruleset.rules, "plain": with_override})))
    assert "secret-person" not in written
    assert "adults" not in written


def test_each_type_of_unit_has_its_own_attribute() -> None:
    features = features_payload(busy_ruleset(), hash_attributes={**HASH_ATTRIBUTES, "anonymous_id": "device"})
    assert features["features"]["anonymous"]["rules"][0]["hashAttribute"] == "device"
    assert features["features"]["anonymous"]["rules"][0]["filters"][0]["attribute"] == "device"
    assert features["features"]["plain"]["rules"][0]["hashAttribute"] == "id"


def test_a_condition_with_a_segment_left_in_it_is_not_translated() -> None:
    with pytest.raises(ValueError, match="unfolded first"):
        compiled(InSegment("adults"))


def test_a_stopped_experiment_leaves_the_controls_value_alone() -> None:
    assert features_payload(busy_ruleset())["features"]["stopped"] == {"defaultValue": "v1"}
    assert not decide(busy_ruleset(), "stopped", unit="u").in_experiment
