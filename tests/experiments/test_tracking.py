from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from experiments import launch
from experiments.audit import history
from experiments.definition import Definitions
from experiments.errors import Conflict
from experiments.store import Store
from experiments.store.tallies import EXPOSURE
from experiments.tracking import Mode, TrackingDraft, TrackingPlan, Unplanned
from experiments.tracking_plans import (
    apply_events,
    find_plan,
    parse_event,
    remove_event,
    save_event,
    save_plan,
)
from tests.samples import NOW

ORDER = {
    "event": "order",
    "purpose": "revenue",
    "retention": "400d",
    "properties": [
        {"name": "revenue", "type": "number", "required": True},
        {"name": "currency", "type": "text"},
    ],
}


def plan(mode: str = "observe", *events: dict[str, Any]) -> TrackingPlan:
    return TrackingPlan(1, TrackingDraft.model_validate({"mode": mode, "events": events or [ORDER]}))


def code_of(held: TrackingPlan, event: str, properties: dict[str, Any]) -> str:
    with pytest.raises(Unplanned) as refused:
        held.admit(event, properties)
    return refused.value.code


# Judging


def test_without_a_plan_everything_is_admitted_and_nothing_is_unknown() -> None:
    admitted = TrackingPlan().admit("anything", {"a": 1})
    assert (admitted.properties, admitted.notes) == ({"a": 1}, ())


def test_observe_stores_what_is_out_of_plan_and_says_so() -> None:
    admitted = plan().admit("order", {"currency": 5, "colour": "red"})
    assert admitted.properties == {"currency": 5, "colour": "red"}
    assert sorted(admitted.notes) == ["missing", "mistyped", "unplanned"]
    assert plan().admit("visit", {}).notes == ("unknown",)


def test_filter_drops_what_is_out_of_plan_and_keeps_every_event() -> None:
    admitted = plan("filter").admit("order", {"revenue": 5, "currency": 5, "colour": "red"})
    assert (admitted.properties, admitted.notes) == ({"revenue": 5}, ("dropped", "dropped"))
    admitted = plan("filter").admit("visit", {"page": "/"})
    assert (admitted.properties, admitted.notes) == ({}, ("unknown", "dropped"))


def test_enforce_rejects_what_is_out_of_plan() -> None:
    held = plan("enforce")
    assert held.admit("order", {"revenue": 5}).properties == {"revenue": 5}
    assert code_of(held, "visit", {}) == "unplanned_event"
    assert code_of(held, "order", {"revenue": 5, "colour": "red"}) == "unplanned_property"
    assert code_of(held, "order", {"revenue": "five"}) == "mistyped_property"
    assert code_of(held, "order", {}) == "missing_property"


def test_enforce_never_rejects_an_exposure_but_drops_what_is_not_listed() -> None:
    admitted = plan("enforce").admit(EXPOSURE, {"country": "NO"})
    assert (admitted.properties, admitted.notes) == ({}, ("dropped",))
    listed = {"event": EXPOSURE, "properties": [{"name": "country"}]}
    assert plan("enforce", listed).admit(EXPOSURE, {"country": "NO"}).properties == {"country": "NO"}


@pytest.mark.parametrize("kind", ["identify", "alias", "group"])
def test_calls_that_say_who_somebody_is_need_no_listing(kind: str) -> None:
    assert plan("enforce").admit(kind, {}).notes == ()


@pytest.mark.parametrize(
    "name", ["ip", "IP", "$ip", "ip_address", "userAgent", "user-agent", "X-Forwarded-For"]
)
@pytest.mark.parametrize("mode", list(Mode))
def test_what_says_where_somebody_is_is_stored_only_where_it_is_listed(name: str, mode: str) -> None:
    bare = {"event": "order", "properties": [{"name": "device"}]}
    admitted = plan(mode, bare).admit("order", {name: "x", "device": {"os": "y", name: "x"}})
    assert admitted.properties == {"device": {"os": "y"}}
    assert admitted.notes == ("dropped", "dropped")
    listed = {"event": "order", "properties": [{"name": name}]}
    assert plan(mode, listed).admit("order", {name: "x"}).properties == {name: "x"}


def test_a_boolean_is_no_number_and_nothing_at_all_is_of_every_type() -> None:
    assert code_of(plan("enforce"), "order", {"revenue": True}) == "mistyped_property"
    assert plan("enforce").admit("order", {"revenue": 1, "currency": None}).notes == ()


names = st.sampled_from(["revenue", "currency", "ip", "colour", "userAgent", "deep"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(names, values), st.sampled_from(["order", "visit", EXPOSURE]))
def test_filter_stores_only_what_is_listed(properties: dict[str, Any], event: str) -> None:
    kept = plan("filter").admit(event, properties).properties
    assert set(kept) <= ({"revenue", "currency"} if event == "order" else set())


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": [ORDER, ORDER]},
        {"events": [{"event": ""}]},
        {"events": [{"event": "a", "retention": "soon"}]},
        {"events": [{"event": "a", "properties": [{"name": "b"}, {"name": "b"}]}]},
        {"events": [{"event": "a", "colour": 1}]},
        {"mode": "strict"},
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrackingDraft.model_validate(wrong)


# Keeping


def test_a_plan_is_kept_with_its_history(store: Store) -> None:
    with store.write() as session:
        saved = save_plan(session=session, draft=plan("filter").draft, actor="ada", now=NOW)
        again = save_plan(session=session, draft=plan("filter").draft, actor="ada", now=NOW)
    with store.read() as session:
        assert find_plan(session=session) == saved == again
        assert [entry.actor for entry in history(session=session, object="tracking")] == ["ada"]


def test_somebody_who_was_slower_is_told(store: Store) -> None:
    event = parse_event(ORDER)
    with store.write() as session:
        save_event(session=session, draft=event, actor="ada", now=NOW, version=0)
    changed = parse_event({**ORDER, "purpose": "another"})
    with pytest.raises(Conflict), store.write() as session:
        save_event(session=session, draft=changed, actor="bo", now=NOW, version=0)


def test_events_join_change_and_leave_the_plan(store: Store) -> None:
    with store.write() as session:
        for document in (ORDER, {"event": "visit"}, {**ORDER, "purpose": "more"}):
            save_event(session=session, draft=parse_event(document), actor="ada", now=NOW)
        assert [each.purpose for each in find_plan(session=session).draft.events] == ["more", ""]
        left = remove_event(session=session, event="visit", actor="ada", now=NOW)
        assert list(left.events) == ["order"]


def test_a_file_lists_events_and_the_same_file_again_changes_nothing(store: Store) -> None:
    file = Definitions.model_validate({"tracking": {"mode": "enforce"}, "events": [ORDER]})
    with store.write() as session:
        first = launch.apply(session=session, definitions=file, actor="ada", now=NOW)
        again = launch.apply(session=session, definitions=file, actor="ada", now=NOW)
        assert find_plan(session=session).draft.mode is Mode.ENFORCE
    assert [(each.kind, each.action) for each in first] == [("event", "created"), ("tracking", "updated")]
    assert {each.action for each in again} == {"unchanged"}


def test_a_file_without_a_mode_leaves_the_mode_alone(store: Store) -> None:
    with store.write() as session:
        save_plan(session=session, draft=plan("filter").draft, actor="ada", now=NOW)
        apply_events(
            session=session, events=[parse_event({"event": "visit"})], mode=None, actor="ada", now=NOW
        )
        held = find_plan(session=session)
    assert held.draft.mode is Mode.FILTER
    assert list(held.events) == ["order", "visit"]
