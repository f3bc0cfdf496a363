import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.errors import InvalidInput
from experiments.messages import MAX_MESSAGES, Parsed, parse_body
from tests.experiments.sent import parse, track
from tests.samples import NOW

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
