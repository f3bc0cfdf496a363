from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assignment import (
    EXCLUDED,
    Decision,
    Detail,
    Holdout,
    Layer,
    Range,
    Reason,
    Rule,
    Ruleset,
    State,
    Variant,
    decide,
    decide_all,
)
from assignment.targeting import Test
from tests.assignment import strategies

EVERYBODY = (Range(0, 10_000),)
RULE = Rule(
    key="checkout",
    salt="checkout",
    control="old",
    variants=(Variant("old", 1, "v1"), Variant("new", 1, {"colour": "red"})),
    phase=3,
    targeting=Test("country", "eq", "NO"),
    overrides={"qa-1": "new"},
    layer="pricing",
    slots=EVERYBODY,
    holdouts=("year",),
)
LAYERS = {"pricing": Layer("pricing", "layer-1")}


def ruleset(rule: Rule = RULE, share: int = 0) -> Ruleset:
    return Ruleset(
        version=9,
        rules={rule.key: rule},
        layers=LAYERS,
        holdouts={"year": Holdout("year", "holdout-1", share)},
    )


def ask(rules: Ruleset, unit: Any = "alice@example.com", attributes: Any = None) -> Decision:
    return decide(
        rules, "checkout", unit=unit, attributes={"country": "NO"} if attributes is None else attributes
    )


def test_an_unknown_key_has_no_value() -> None:
    answer = decide(ruleset(), "gone", unit="u")
    assert (answer.variant, answer.value, answer.detail, answer.ruleset) == (
        None,
        None,
        Detail.UNKNOWN_KEY,
        9,
    )


# Each row breaks one more condition than the row below it, so it also proves the order of precedence.
UNLUCKY = replace(RULE, traffic=0, slots=())
ORDER: list[tuple[Ruleset, Any, Any, Detail, Reason]] = [
    (ruleset(replace(UNLUCKY, state=State.STOPPED), 10_000), "", {}, Detail.NOT_RUNNING, Reason.DISABLED),
    (
        ruleset(replace(UNLUCKY, state=State.SHIPPED, shipped="new"), 10_000),
        "",
        {},
        Detail.SHIPPED,
        Reason.STATIC,
    ),
    (ruleset(UNLUCKY, 10_000), "", {}, Detail.NO_UNIT, Reason.DEFAULT),
    (ruleset(UNLUCKY, 10_000), "qa-1", {}, Detail.OVERRIDE, Reason.TARGETING_MATCH),
    (ruleset(UNLUCKY, 10_000), "u", {}, Detail.NOT_TARGETED, Reason.DEFAULT),
    (ruleset(UNLUCKY, 10_000), "u", None, Detail.HELD_OUT, Reason.DEFAULT),
    (ruleset(UNLUCKY), "u", None, Detail.LAYER_EXCLUDED, Reason.DEFAULT),
    (ruleset(replace(RULE, traffic=0)), "u", None, Detail.NOT_IN_TRAFFIC, Reason.DEFAULT),
    (ruleset(), "u", None, Detail.ASSIGNED, Reason.SPLIT),
]


@pytest.mark.parametrize(
    ("rules", "unit", "attributes", "detail", "reason"), ORDER, ids=[str(row[3]) for row in ORDER]
)
def test_the_first_check_that_knows_the_answer_gives_it(
    rules: Ruleset, unit: Any, attributes: Any, detail: Detail, reason: Reason
) -> None:
    answer = ask(rules, unit, attributes)
    assert (answer.detail, answer.reason) == (detail, reason)


def test_a_unit_outside_gets_the_controls_value_and_never_its_name() -> None:
    answer = ask(ruleset(replace(RULE, traffic=0)))
    assert (answer.variant, answer.value) == (EXCLUDED, "v1")
    assert not answer.in_experiment
    assert not answer.exposes


def test_a_unit_inside_gets_its_variant_with_all_that_explains_it() -> None:
    assert ask(ruleset()) == Decision("checkout", "new", {"colour": "red"}, Detail.ASSIGNED, 3, 9, 9430)
    assert ask(ruleset()).exposes


def test_everybody_gets_a_shipped_variant_and_nobody_is_exposed() -> None:
    answer = ask(ruleset(replace(RULE, state=State.SHIPPED, shipped="new")), unit="")
    assert (answer.variant, answer.in_experiment, answer.exposes) == ("new", False, False)


def test_an_override_takes_part_and_is_marked() -> None:
    answer = ask(ruleset(), "qa-1", {})
    assert (answer.variant, answer.detail, answer.in_experiment) == ("new", Detail.OVERRIDE, True)


def test_raising_traffic_moves_nobody_who_is_in() -> None:
    before: dict[str, str | None] = {}
    for traffic in (0, 1, 500, 3_333, 10_000):
        rules = ruleset(replace(RULE, traffic=traffic))
        answers = {unit: ask(rules, unit) for unit in (f"user-{number}" for number in range(1_000))}
        inside = {unit: answer.variant for unit, answer in answers.items() if answer.in_experiment}
        assert before.items() <= inside.items()
        before = inside
    assert len(before) == 1_000


def test_a_decision_is_the_same_every_time() -> None:
    assert ask(ruleset()) == ask(Ruleset.from_json(ruleset().to_json()))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(strategies.anything(), strategies.anything())
def test_no_unit_and_no_attributes_make_a_decision_raise(unit: Any, attributes: Any) -> None:
    rules = replace(ruleset(), segments={})
    for given_attributes in (attributes, {"country": attributes}):
        assert decide(rules, "checkout", unit=unit, attributes=given_attributes).detail in Detail


@pytest.mark.parametrize("unit", [None, 5, True, ["u"], {"u": 1}, b"u", object()])
def test_whatever_is_not_a_text_names_nobody(unit: Any) -> None:
    assert ask(ruleset(), unit).detail is Detail.NO_UNIT


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.rulesets(), st.text(st.characters(codec=None)), strategies.attributes())
def test_deciding_on_everything_is_deciding_on_each(
    rules: Ruleset, unit: str, attributes: dict[str, Any]
) -> None:
    assert list(decide_all(rules, unit=unit, attributes=attributes)) == [
        decide(rules, key, unit=unit, attributes=attributes) for key in rules.rules
    ]
