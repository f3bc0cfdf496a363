"""Messages: what clients send, parsed into records of the ledger, one by one.

The shape is Segment's HTTP tracking API. One bad message never fails its neighbours: each is either a record
or a rejection that says what is wrong with it.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json

from experiments.errors import InvalidInput
from experiments.salvage import rescue
from experiments.storable import LARGEST_NUMBER, unstorable
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure, Record

MAX_MESSAGES = 1_000
MAX_MESSAGE_BYTES = 64 * 1024
MAX_ID = 512
MAX_MESSAGE_ID = 200
MAX_EVENT_NAME = 200

FUTURE_LIMIT = timedelta(hours=24)
"""An event further in the future than this is dated at its arrival, and marked."""

SKEW_LIMIT = timedelta(seconds=2)
"""A client's clock that is off by less than this is left alone."""

EXPOSURE_EVENTS = frozenset({"Experiment Viewed", "$experiment_started", "$feature_flag_called"})
_EXPERIMENT_FIELDS = ("experiment_id", "experimentId", "$feature_flag")
_VARIANT_FIELDS = ("variation_id", "variationId", "variant_id", "$feature_flag_response")
_VALUE_FIELDS = ("value", "revenue", "total")
_TYPES = frozenset({"track", "identify", "alias", "page", "screen", "group"})


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that was not stored, and why."""

    index: int
    message_id: str | None
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """The records of a body, and the messages that are none."""

    records: tuple[Record, ...]
    rejected: tuple[Rejection, ...]


class _Rejected(Exception):
    """A message is not a record."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def parse_body(body: bytes, *, implied_type: str | None, received_at: datetime) -> Parsed:
    """Parse the body of a request.

    Parameters
    ----------
    body
        JSON: one message, or an object with a list ``batch``.
    implied_type
        The type of a single message that does not name its own, from the door's path.
    received_at
        The server's time of arrival.

    Raises
    ------
    InvalidInput
        If the body as a whole is not JSON of that shape.
    """
    document = _decode(body)
    if not isinstance(document, dict):
        raise InvalidInput.at("", "expected a JSON object")
    messages = document.get("batch", None)
    if messages is None:
        messages = [document]
    if not isinstance(messages, list):
        raise InvalidInput.at("batch", "expected a list of messages")
    if len(messages) > MAX_MESSAGES:
        raise InvalidInput.at("batch", f"holds {len(messages)} messages; {MAX_MESSAGES} is the limit")
    records: list[Record] = []
    rejected: list[Rejection] = []
    for index, message in enumerate(messages):
        try:
            records.append(_record(message, document, implied_type, received_at))
        except _Rejected as problem:
            rejected.append(Rejection(index, _id_of(message), problem.code, problem.detail))
    return Parsed(tuple(records), tuple(rejected))


def _decode(body: bytes) -> Any:
    """Decode JSON; a text that one message spoils must not spoil the rest."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as strict:
        try:
            return rescue(body)
        except ValueError:
            raise InvalidInput.at("", f"not JSON: {strict}") from strict


def _record(
    message: Any, envelope: Mapping[str, Any], implied_type: str | None, received_at: datetime
) -> Record:
    if not isinstance(message, dict):
        raise _Rejected("not_an_object", "expected an object")
    kind = message.get("type") or implied_type
    if not isinstance(kind, str) or kind not in _TYPES:
        raise _Rejected("unknown_type", f"type: expected one of {', '.join(sorted(_TYPES))}")
    user = _identity(message, "userId")
    anonymous = _identity(message, "anonymousId")
    if user is None and anonymous is None:
        raise _Rejected("missing_user", "expected userId or anonymousId")
    occurred_at, mark = _time(message, envelope, received_at)
    received = to_millis(received_at)
    message_id = _message_id(message, received)
    name = _event_name(message, kind)
    properties = _properties(message, kind)
    if name in EXPOSURE_EVENTS:
        experiment, variant = _exposed(properties)
        known = {*_EXPERIMENT_FIELDS, *_VARIANT_FIELDS, "experiment_name", "variation_name"}
        attributes = {field: value for field, value in properties.items() if field not in known}
        written = _written(attributes)
        return Exposure(
            message_id, experiment, user, anonymous, variant, occurred_at, received, written, mark
        )
    value = _value(properties)
    written = _written(properties)
    return Event(message_id, user, anonymous, name, value, occurred_at, received, written, mark)


def _identity(message: Mapping[str, Any], field: str) -> str | None:
    value = message.get(field)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _text(value, field, MAX_ID)


def _text(value: Any, field: str, longest: int) -> str:
    if not isinstance(value, str):
        raise _Rejected("wrong_type", f"{field}: expected a text")
    if len(value) > longest:
        raise _Rejected("too_long", f"{field}: longer than {longest} characters")
    if problem := unstorable(value):
        raise _Rejected("unstorable", f"{field}: {problem}")
    return value


def _message_id(message: Mapping[str, Any], received: int) -> str:
    given = message.get("messageId")
    if given is None or given == "":
        # Beginning with the time keeps the unique index quick.
        return f"{received:012x}-{secrets.token_hex(8)}"
    return _text(given, "messageId", MAX_MESSAGE_ID)


def _event_name(message: Mapping[str, Any], kind: str) -> str:
    if kind != "track":
        return kind
    name = message.get("event")
    if name is None or name == "":
        raise _Rejected("missing_event", "event: expected the name of what happened")
    return _text(name, "event", MAX_EVENT_NAME)


def _properties(message: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The facts about the event. Traits of a person belong to no event and are not stored."""
    if kind in ("identify", "alias", "group"):
        return {}
    properties = message.get("properties") or {}
    if not isinstance(properties, dict):
        raise _Rejected("wrong_type", "properties: expected an object")
    return properties


def _exposed(properties: Mapping[str, Any]) -> tuple[str, str]:
    experiment = next((properties[f] for f in _EXPERIMENT_FIELDS if properties.get(f)), None)
    variant = next((properties[f] for f in _VARIANT_FIELDS if properties.get(f) is not None), None)
    if experiment is None or variant is None:
        raise _Rejected("missing_variant", "an exposure needs experiment_id and variation_id")
    if isinstance(variant, bool | int):
        variant = json.dumps(variant)
    return _text(experiment, "experiment_id", 128), _text(variant, "variation_id", 128)


def _value(properties: Mapping[str, Any]) -> float | None:
    for field in _VALUE_FIELDS:
        value = properties.get(field)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not abs(value) <= LARGEST_NUMBER:
                raise _Rejected("not_finite", f"properties.{field}: beyond the range of numbers")
            return float(value)
    return None


def _written(properties: Mapping[str, Any]) -> str | None:
    if not properties:
        return None
    if problem := unstorable(properties):
        raise _Rejected("unstorable", f"properties: {problem}")
    text = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MAX_MESSAGE_BYTES:
        raise _Rejected("too_large", f"larger than {MAX_MESSAGE_BYTES} bytes")
    return text


def _time(
    message: Mapping[str, Any], envelope: Mapping[str, Any], received_at: datetime
) -> tuple[int, str | None]:
    """When it happened: the client's time, moved by how far its clock was off when it sent."""
    claimed = message.get("originalTimestamp") or message.get("timestamp") or envelope.get("timestamp")
    if claimed is None:
        return to_millis(received_at), None
    happened = parse_time(claimed)
    sent_text = message.get("sentAt") or envelope.get("sentAt") or None
    sent = parse_time(sent_text) if sent_text is not None else None
    if happened is None or (sent_text is not None and sent is None):
        raise _Rejected("bad_time", "timestamp: expected ISO 8601, such as 2026-03-15T09:30:00.000Z")
    skew = received_at - sent if sent is not None else timedelta()
    moved = _shifted(happened, skew) if abs(skew) > SKEW_LIMIT else happened
    if moved - received_at <= FUTURE_LIMIT:
        return to_millis(moved), None
    return to_millis(received_at), "clamped"


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment


def parse_time(text: Any) -> datetime | None:
    """Read an ISO 8601 time, one without an offset as UTC; None when it is not one."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if 1970 <= moment.year <= 9000 else None


def _id_of(message: Any) -> str | None:
    given = message.get("messageId") if isinstance(message, dict) else None
    return given[:MAX_MESSAGE_ID] if isinstance(given, str) and not unstorable(given) else None
