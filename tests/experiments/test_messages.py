import contextlib
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.errors import InvalidInput
from experiments.messages import MAX_MESSAGE_BYTES, MAX_MESSAGES, Parsed, parse_body
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure
from tests.samples import NOW

HOUR = timedelta(hours=1)


def parse(document: Any, implied_type: str | None = None) -> Parsed:
    return parse_body(json.dumps(document).encode(), implied_type=implied_type, received_at=NOW)


def track(**changes: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u1", "event": "purchase", "messageId": "m1", **changes}


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


# One bad message never spoils its batch

GOOD = b'{"type":"track","userId":"u1","event":"purchase"}'

POISONS = {
    "null": b"null",
    "an unhashable type": b'{"type":[],"userId":"u1"}',
    "NaN": b'{"type":"track","userId":"u1","event":"e","properties":{"value":NaN}}',
    "Infinity": b'{"type":"track","userId":"u1","event":"e","properties":{"a":-Infinity}}',
    "a number too large for a float": b'{"type":"track","userId":"u1","event":"e","properties":{"a":1e999}}',
    "a number of 10,000 digits": b'{"type":"track","userId":' + b"9" * 10_000 + b',"event":"e"}',
    "a lone surrogate": b'{"type":"track","userId":"\\ud800","event":"e"}',
    "a lone surrogate as a name": b'{"type":"track","userId":"u","event":"e","properties":{"\\udc00":1}}',
    "NUL": b'{"type":"track","userId":"u\\u0000","event":"e"}',
    "bytes that are not UTF-8": b'{"type":"track","userId":"\xff\xfe","event":"e"}',
    "arrays 50 deep": b'{"type":"track","userId":"u1","event":"e","properties":{"a":'
    + b"[" * 50
    + b"]" * 50
    + b"}}",
    "arrays 500 deep": b'{"type":"track","userId":"u1","event":"e","properties":{"a":'
    + b"[" * 500
    + b"]" * 500
    + b"}}",
    "arrays 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "objects 50,000 deep": b'{"type":"track","userId":"u1","event":"e","properties":'
    + b'{"a\\"[":' * 50_000
    + b"1"
    + b"}" * 50_000
    + b"}",
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_message_never_spoils_its_batch(poison: bytes, place: int) -> None:
    messages = [GOOD, GOOD]
    messages.insert(place, poison)
    body = b'{"batch":[' + b",".join(messages) + b"]}"
    parsed = parse_body(body, implied_type=None, received_at=NOW)
    assert len(parsed.records) == 2
    assert [rejection.index for rejection in parsed.rejected] == [place]


def test_a_bad_message_is_named_at_each_place_of_a_full_batch() -> None:
    good, bad = track(messageId=None), {"type": "track", "event": "e"}
    for place in range(0, MAX_MESSAGES, 37):
        batch = [good] * place + [bad] + [good] * (MAX_MESSAGES - place - 1)
        parsed = parse({"batch": batch})
        assert len(parsed.records) == MAX_MESSAGES - 1
        assert [rejection.index for rejection in parsed.rejected] == [place]


# What is wrong with a body as a whole


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"not json",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"{",
        b'{"batch":[{}',
        b'{"batch":[{}]} trailing',
        b'{"batch":{}}',
        b'{"batch":"text"}',
        b"\xff\xfe",
        b"\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"batch":"' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_body(body, implied_type="track", received_at=NOW)


def test_a_batch_has_a_limit() -> None:
    assert len(parse({"batch": [track()] * MAX_MESSAGES}).records) == MAX_MESSAGES
    with pytest.raises(InvalidInput, match="1001 messages; 1000 is the limit"):
        parse({"batch": [track()] * (MAX_MESSAGES + 1)})


def test_an_empty_batch_holds_nothing() -> None:
    assert parse({"batch": []}) == Parsed((), ())


def test_a_byte_order_mark_is_overlooked() -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"batch": [track()]}).encode()
    assert len(parse_body(body, implied_type=None, received_at=NOW).records) == 1


# Whatever is sent

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from(["track", "Experiment Viewed", "2026-03-15T12:00:00Z", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "userId",
                    "event",
                    "properties",
                    "timestamp",
                    "sentAt",
                    "messageId",
                    "value",
                    "batch",
                    "experiment_id",
                    "variation_id",
                    "a",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(anything, st.sampled_from([None, "track", "page"]))
def test_whatever_json_is_sent_the_answer_is_records_rejections_or_one_refusal(
    document: Any, implied: str | None
) -> None:
    body = json.dumps(document).encode()
    try:
        parsed = parse_body(body, implied_type=implied, received_at=NOW)
    except InvalidInput:
        return
    sent = document["batch"] if isinstance(document.get("batch"), list) else [document]
    assert len(parsed.records) + len(parsed.rejected) == len(sent)


@given(st.lists(anything, max_size=5))
def test_every_message_of_a_batch_is_accounted_for(batch: list[Any]) -> None:
    parsed = parse({"batch": [*batch, track(messageId="last")]})
    assert len(parsed.records) + len(parsed.rejected) == len(batch) + 1
    assert parsed.records[-1].message_id == "last"
    assert all(0 <= rejection.index < len(batch) for rejection in parsed.rejected)


@given(st.binary(max_size=200))
def test_whatever_bytes_are_sent_nothing_else_is_raised(body: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        parse_body(body, implied_type="track", received_at=NOW)
