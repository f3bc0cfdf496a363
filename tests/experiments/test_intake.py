import json
from typing import Any

import pytest

from assignment import Rule, Ruleset, State, Variant, decide
from experiments.errors import InvalidInput
from experiments.intake import Intake
from experiments.messages import Parsed, parse_body
from experiments.pseudonyms import Pseudonyms, read_key
from experiments.store.ledger import Event, Exposure
from experiments.store.tallies import Edge
from experiments.tracking import TrackingDraft, TrackingPlan
from tests.samples import NOW, event, exposure

RULE = Rule("checkout", "salt", "old", (Variant("old", 1), Variant("new", 1)), overrides={"tester": "new"})
RULES = Ruleset(rules={"checkout": RULE})
SECRET = "0123456789abcdef0123456789abcdef"


def intake(**changes: Any) -> Intake:
    return Intake(**{"ruleset": RULES, "experiments": frozenset({"checkout", "outside"}), **changes})


def planned(mode: str, *events: dict[str, Any]) -> TrackingPlan:
    return TrackingPlan(1, TrackingDraft.model_validate({"mode": mode, "events": events}))


def arrive(held: Intake, *messages: dict[str, Any]) -> Parsed:
    batch = [{"userId": "u1", "messageId": f"m{place}", **each} for place, each in enumerate(messages)]
    return parse_body(json.dumps({"batch": batch}).encode(), implied_type=None, received_at=NOW, intake=held)


def shown(**properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Experiment Viewed", "properties": properties}


def first(parsed: Parsed) -> Any:
    assert parsed.rejected == ()
    return parsed.records[0]


# Exposures beside our own assignment


def test_an_exposure_that_agrees_with_our_hash_has_no_mark() -> None:
    for number in range(50):
        unit = f"u{number}"
        variant = decide(RULES, "checkout", unit=unit).variant or ""
        assert intake().compare(exposure(user_id=unit, variant=variant)).mark is None
        other = "old" if variant == "new" else "new"
        assert intake().compare(exposure(user_id=unit, variant=other)).mark == "mismatch"


def test_a_mismatch_is_kept_marked_and_noted() -> None:
    ours = decide(RULES, "checkout", unit="u1").variant
    other = "old" if ours == "new" else "new"
    parsed = arrive(intake(), shown(experiment_id="checkout", variation_id=other))
    assert (first(parsed).variant, first(parsed).mark) == (other, "mismatch")
    assert parsed.remarks.notes["m0"].outcomes == ("mismatch",)


def test_an_exposure_of_no_experiment_is_kept_and_marked() -> None:
    assert first(arrive(intake(), shown(experiment_id="nowhere", variation_id="b"))).mark == "unknown"
    assert first(arrive(intake(), shown(experiment_id="outside", variation_id="b"))).mark is None
    assert first(arrive(Intake(), shown(experiment_id="nowhere", variation_id="b"))).mark is None


def test_units_placed_by_hand_are_marked_as_such() -> None:
    assert intake().compare(exposure(user_id="tester", variant="old")).mark == "override"


@pytest.mark.parametrize("state", [State.STOPPED, State.SHIPPED])
def test_what_comes_after_the_end_is_not_called_a_mismatch(state: State) -> None:
    rule = Rule("checkout", "salt", "old", RULE.variants, state=state, shipped="new")
    held = intake(ruleset=Ruleset(rules={"checkout": rule}))
    assert {held.compare(exposure(variant=name)).mark for name in ("old", "new")} == {None}


def test_an_exposure_without_the_experiments_unit_cannot_be_judged() -> None:
    assert intake().compare(exposure(user_id=None, anonymous_id="a", variant="old")).mark is None


def test_a_unit_outside_the_traffic_that_was_shown_a_variant_is_a_mismatch() -> None:
    rule = Rule("checkout", "salt", "old", RULE.variants, traffic=0)
    held = intake(ruleset=Ruleset(rules={"checkout": rule}))
    assert held.compare(exposure(variant="old")).mark == "mismatch"
    assert held.compare(exposure(variant="excluded")).mark is None


def test_a_variant_may_be_named_by_its_place() -> None:
    kept = [intake().compare(exposure(variant=str(place))).variant for place in range(3)]
    assert kept == ["old", "new", "2"]


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Experiment Viewed", {"experiment_id": "checkout", "variation_id": "new"}),
        ("Experiment Viewed", {"experimentId": "checkout", "variationId": "new"}),
        ("Experiment Viewed", {"experimentId": "checkout", "variationId": 1}),
        ("$feature_flag_called", {"$feature_flag": "checkout", "$feature_flag_response": "new"}),
        ("$experiment_started", {"Experiment name": "checkout", "Variant name": "new"}),
    ],
)
def test_every_spelling_of_an_exposure_is_read(name: str, properties: dict[str, Any]) -> None:
    record = first(
        arrive(intake(), {"type": "track", "event": name, "properties": {**properties, "plan": "pro"}})
    )
    assert isinstance(record, Exposure)
    assert (record.experiment, record.variant, record.attributes) == ("checkout", "new", '{"plan":"pro"}')


# The plan at the door


def test_the_context_becomes_properties_only_where_the_plan_lists_them() -> None:
    message = {"type": "track", "event": "order", "context": {"ip": "192.0.2.1", "userAgent": "Browser 1"}}
    assert first(arrive(intake(), message)).properties is None
    listed = {"event": "order", "properties": [{"name": "ip"}, {"name": "user_agent"}]}
    record = first(arrive(intake(plan=planned("enforce", listed)), message))
    assert json.loads(record.properties) == {"ip": "192.0.2.1", "user_agent": "Browser 1"}


def test_one_event_out_of_plan_does_not_fail_its_neighbours() -> None:
    held = intake(plan=planned("enforce", {"event": "order"}))
    parsed = arrive(held, {"type": "track", "event": "order"}, {"type": "track", "event": "visit"})
    assert len(parsed.records) == 1
    assert [(each.index, each.code) for each in parsed.rejected] == [(1, "unplanned_event")]
    assert [(each.event, each.code) for each in parsed.remarks.rejected] == [("visit", "unplanned_event")]


def test_the_number_of_an_event_goes_with_the_property_it_came_from() -> None:
    held = intake(plan=planned("filter", {"event": "order", "properties": [{"name": "total"}]}))
    record = first(arrive(held, {"type": "track", "event": "order", "properties": {"value": 5, "total": 7}}))
    assert (record.value, record.properties) == (7.0, '{"total":7}')
    record = first(arrive(held, {"type": "track", "event": "order", "properties": {"value": 5}}))
    assert (record.value, record.properties) == (None, None)


def test_a_number_of_its_own_stays_whatever_the_plan_says_of_properties() -> None:
    held = intake(plan=planned("filter", {"event": "purchase"}))
    kept, notes = held.take(event(value=5.0, properties='{"colour":"red"}'))
    assert isinstance(kept, Event)
    assert (kept.value, kept.properties, notes) == (5.0, None, ("dropped",))


# Who is who


def test_identify_and_alias_say_who_is_who() -> None:
    parsed = arrive(
        intake(),
        {"type": "identify", "anonymousId": "a1", "traits": {"email": "ada@example.com"}},
        {"type": "alias", "previousId": "a2"},
        {"type": "identify"},
        {"type": "track", "event": "order", "anonymousId": "a3"},
    )
    assert [(edge.anonymous_id, edge.user_id) for edge in parsed.remarks.edges] == [
        ("a1", "u1"),
        ("a2", "u1"),
    ]
    assert "ada" not in str(parsed)


# Pseudonyms


def hidden() -> Intake:
    return intake(pseudonyms=Pseudonyms(SECRET.encode()))


def test_no_id_is_stored_as_it_came() -> None:
    messages = [
        {
            "type": "track",
            "event": "order",
            "userId": "alice",
            "anonymousId": "anon-1",
            "properties": {"distinct_id": "alice", "list": ["anon-1", {"who": "alice"}]},
        },
        {**shown(experiment_id="checkout", variation_id="new", user="alice"), "userId": "alice"},
        {"type": "identify", "userId": "alice", "anonymousId": "anon-1"},
        {"type": "alias", "userId": "alice", "previousId": "anon-2"},
    ]
    parsed = arrive(hidden(), *messages)
    assert len(parsed.records) == 4
    assert not any(raw in str(parsed) for raw in ("alice", "anon-1", "anon-2"))
    assert len({record.user_id for record in parsed.records}) == 1


def test_an_exposure_is_compared_by_its_own_id_before_it_is_hidden() -> None:
    ours = decide(RULES, "checkout", unit="alice").variant
    parsed = arrive(hidden(), {**shown(experiment_id="checkout", variation_id=ours), "userId": "alice"})
    assert first(parsed).mark is None


def test_edges_join_the_units_they_name() -> None:
    held = hidden()
    edge = held.hide_edge(Edge("anon", "alice", 0))
    kept, _ = held.take(event(user_id="alice", anonymous_id="anon"))
    assert (edge.anonymous_id, edge.user_id) == (kept.anonymous_id, kept.user_id)


def test_a_short_key_is_refused_and_none_means_none() -> None:
    assert read_key("") is None
    assert read_key(SECRET) == Pseudonyms(SECRET.encode())
    with pytest.raises(InvalidInput, match="shorter than 32"):
        read_key("secret")
