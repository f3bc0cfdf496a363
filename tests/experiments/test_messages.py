import json
from datetime import timedelta
from typing import Any

import pytest

from experiments.messages import MAX_MESSAGE_BYTES
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure
from tests.experiments.sent import parse, track
from tests.samples import NOW

HOUR = timedelta(hours=1)


def one(message: dict[str, Any], **envelope: Any) -> Event | Exposure:
    parsed = parse({"batch": [message], **envelope})
    assert parsed.rejected == ()
    return parsed.records[0]


def event(**changes: Any) -> Event:
    record = one(track(**changes))
    assert isinstance(record, Event)
    return record


def exposure(event: str = "Experiment Viewed", **properties: Any) -> Exposure:
    record = one(track(event=event, properties=properties))
    assert isinstance(record, Exposure)
    return record


def code_of(message: Any) -> str:
    parsed = parse({"batch": [message]})
    assert parsed.records == ()
    return parsed.rejected[0].code


# What is kept


def test_a_track_call_becomes_an_event() -> None:
    assert event(properties={"value": 9.5, "currency": "NOK"}) == Event(
        "m1",
        "u1",
        None,
        "purchase",
        9.5,
        to_millis(NOW),
        to_millis(NOW),
        '{"value":9.5,"currency":"NOK"}',
        None,
    )


@pytest.mark.parametrize("door", ["track", "identify", "alias", "page", "screen", "group"])
def test_a_single_message_takes_its_type_from_the_door(door: str) -> None:
    parsed = parse({"userId": "u1", "event": "purchase", "traits": {"email": "a@b.c"}}, implied_type=door)
    record = parsed.records[0]
    assert isinstance(record, Event)
    assert record.event == ("purchase" if door == "track" else door)


@pytest.mark.parametrize("kind", ["identify", "group", "alias"])
def test_traits_of_a_person_are_not_stored(kind: str) -> None:
    message = {"type": kind, "userId": "u1", "traits": {"email": "a@b.c"}, "properties": {"email": "a@b.c"}}
    record = one(message)
    assert isinstance(record, Event)
    assert record.properties is None


def test_both_identities_are_kept_and_numbers_are_read_as_texts() -> None:
    record = event(userId=42, anonymousId="a1")
    assert (record.user_id, record.anonymous_id) == ("42", "a1")
    assert event(userId=None, anonymousId="a1").user_id is None
    assert event(userId="", anonymousId="a1").user_id is None


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"value": 3}, 3.0),
        ({"revenue": 2.5}, 2.5),
        ({"total": 1}, 1.0),
        ({"value": 0, "revenue": 9}, 0.0),
        ({"value": "3"}, None),
        ({"value": True}, None),
        ({"value": None, "revenue": -4}, -4.0),
        ({}, None),
    ],
)
def test_the_value_is_the_first_number_among_value_revenue_and_total(
    properties: dict[str, Any], value: float | None
) -> None:
    assert event(properties=properties).value == value


def test_a_message_without_an_id_gets_one_of_its_own() -> None:
    first, second = event(messageId=None), event(messageId="")
    assert first.message_id != second.message_id
    assert first.message_id.startswith(f"{to_millis(NOW):012x}-")


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Experiment Viewed", {"experiment_id": "checkout", "variation_id": "new"}),
        ("Experiment Viewed", {"experimentId": "checkout", "variationId": "new"}),
        ("Experiment Viewed", {"experiment_id": "checkout", "variant_id": "new", "variation_name": "New"}),
        ("$experiment_started", {"experiment_id": "checkout", "variation_id": "new"}),
        ("$feature_flag_called", {"$feature_flag": "checkout", "$feature_flag_response": "new"}),
    ],
)
def test_an_exposure_is_recognised_in_every_spelling(name: str, properties: dict[str, Any]) -> None:
    record = exposure(name, **properties)
    assert (record.experiment, record.variant, record.user_id) == ("checkout", "new", "u1")
    assert record.attributes is None


@pytest.mark.parametrize(
    ("given", "kept"), [(0, "0"), (1, "1"), (True, "true"), (False, "false"), ("0", "0")]
)
def test_a_variation_that_is_a_number_or_a_flag_is_read_as_its_name(given: Any, kept: str) -> None:
    assert exposure(experiment_id="checkout", variation_id=given).variant == kept


def test_what_else_an_exposure_says_becomes_its_attributes() -> None:
    record = exposure(experiment_id="checkout", variation_id="new", country="NO", age=30)
    assert json.loads(record.attributes or "") == {"country": "NO", "age": 30}


# When it happened


@pytest.mark.parametrize(
    ("message", "envelope", "offset"),
    [
        ({}, {}, timedelta()),
        ({"timestamp": "2026-03-15T11:00:00Z"}, {}, -HOUR),
        ({"timestamp": "2026-03-15T11:00:00"}, {}, -HOUR),
        ({"timestamp": "2026-03-15T11:00:00+02:00"}, {}, -3 * HOUR),
        ({"timestamp": "2026-03-15T11:00:00.123456Z"}, {}, -HOUR + timedelta(milliseconds=123)),
        ({"timestamp": "2026-03-15T11:00:00Z", "originalTimestamp": "2026-03-15T10:00:00Z"}, {}, -2 * HOUR),
        ({}, {"timestamp": "2026-03-15T11:00:00Z"}, -HOUR),
        ({"timestamp": None}, {"timestamp": "2026-03-15T11:00:00Z"}, -HOUR),
        # A client's clock that is three hours slow when it sends was three hours slow when it happened.
        ({"timestamp": "2026-03-15T08:00:00Z"}, {"sentAt": "2026-03-15T09:00:00Z"}, -HOUR),
        ({"timestamp": "2026-03-15T15:00:00Z"}, {"sentAt": "2026-03-15T16:00:00Z"}, -HOUR),
        ({"timestamp": "2026-03-15T11:00:00Z", "sentAt": "2026-03-15T11:30:00Z"}, {}, -HOUR / 2),
        ({"timestamp": "2026-03-15T11:00:00Z"}, {"sentAt": "2026-03-15T12:00:01Z"}, -HOUR),
        ({"timestamp": "2026-03-15T11:00:00Z"}, {"sentAt": None}, -HOUR),
        ({"timestamp": "2026-03-15T11:00:00Z"}, {"sentAt": ""}, -HOUR),
        ({"timestamp": "2026-03-16T12:00:00Z"}, {}, 24 * HOUR),
    ],
)
def test_time_is_the_clients_corrected_by_how_far_its_clock_was_off(
    message: dict[str, Any], envelope: dict[str, Any], offset: timedelta
) -> None:
    record = one(track(**message), **envelope)
    assert (record.occurred_at, record.received_at, record.mark) == (
        to_millis(NOW + offset),
        to_millis(NOW),
        None,
    )


@pytest.mark.parametrize("sent", ["yesterday", 5, [], "9999-12-31T23:59:59Z"])
def test_a_time_of_sending_that_cannot_be_read_spoils_no_event(sent: Any) -> None:
    claimed = track(timestamp="2026-03-15T11:00:00Z", messageId="m1")
    parsed = parse({"batch": [claimed], "sentAt": sent or [1]})
    (record,) = parsed.records
    assert (record.occurred_at, record.mark) == (to_millis(NOW - HOUR), "unsent")
    assert parsed.remarks.notes["m1"].outcomes == ("unsent",)


@pytest.mark.parametrize(
    "claimed", ["2026-03-16T12:00:00.001Z", "2099-01-01T00:00:00Z", "8999-12-31T23:59:59Z"]
)
def test_a_time_more_than_a_day_ahead_is_clamped_and_marked(claimed: str) -> None:
    record = event(timestamp=claimed)
    assert (record.occurred_at, record.mark) == (to_millis(NOW), "clamped")


@pytest.mark.parametrize(
    "claimed",
    ["yesterday", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", 1_773_576_000, [], {"a": 1}, "x" * 99],
)
def test_a_time_that_is_none_is_rejected(claimed: Any) -> None:
    assert code_of(track(timestamp=claimed or [1])) == "bad_time"


# What is rejected, each with its reason


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (None, "not_an_object"),
        ("text", "not_an_object"),
        ([], "not_an_object"),
        ({"userId": "u1"}, "unknown_type"),
        (track(type="delete"), "unknown_type"),
        (track(type=["track"]), "unknown_type"),
        (track(type={"a": 1}), "unknown_type"),
        (track(type=1), "unknown_type"),
        (track(userId=None), "missing_user"),
        (track(userId=""), "missing_user"),
        (track(userId=1.5), "wrong_type"),
        (track(userId=True), "wrong_type"),
        (track(userId=["u1"]), "wrong_type"),
        (track(userId="x" * 513), "too_long"),
        (track(userId="nul\0"), "unstorable"),
        (track(userId="\ud800"), "unstorable"),
        (track(event=None), "missing_event"),
        (track(event=""), "missing_event"),
        (track(event=7), "wrong_type"),
        (track(event="x" * 201), "too_long"),
        (track(messageId=7), "wrong_type"),
        (track(messageId="x" * 201), "too_long"),
        (track(messageId="\0"), "unstorable"),
        (track(properties=[1]), "wrong_type"),
        (track(properties="text"), "wrong_type"),
        (track(properties={"a": "nul\0"}), "unstorable"),
        (track(properties={"nul\0": 1}), "unstorable"),
        (track(properties={"a": float("nan")}), "unstorable"),
        (track(properties={"a": float("inf")}), "unstorable"),
        (track(properties={"a": 2**53 + 1}), "unstorable"),
        (track(properties={"value": float("nan")}), "not_finite"),
        (track(properties={"value": 1e101}), "not_finite"),
        (track(properties={"value": 10**400}), "not_finite"),
        (track(properties={"a": "x" * MAX_MESSAGE_BYTES}), "too_large"),
        (track(event="Experiment Viewed"), "missing_variant"),
        (track(event="Experiment Viewed", properties={"experiment_id": "a"}), "missing_variant"),
        (track(event="Experiment Viewed", properties={"variation_id": "a"}), "missing_variant"),
        (
            track(event="Experiment Viewed", properties={"experiment_id": "a", "variation_id": []}),
            "wrong_type",
        ),
        (
            track(event="Experiment Viewed", properties={"experiment_id": {"a": 1}, "variation_id": 1}),
            "wrong_type",
        ),
    ],
)
def test_a_message_that_cannot_be_kept_says_why(message: Any, code: str) -> None:
    assert code_of(message) == code


def test_a_rejection_names_its_place_and_its_id() -> None:
    parsed = parse({"batch": [track(messageId="good"), track(messageId="bad", userId=None)]})
    assert [record.message_id for record in parsed.records] == ["good"]
    rejection = parsed.rejected[0]
    assert (rejection.index, rejection.message_id, rejection.code) == (1, "bad", "missing_user")
    assert "userId" in rejection.detail
