"""Messages: what clients send, parsed into records of the ledger, one by one.

The shape is Segment's HTTP tracking API. One bad message never fails its neighbours: each is either a record
or a rejection that says what is wrong with it.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from experiments.errors import InvalidInput
from experiments.intake import ANYTHING, VALUE_PROPERTIES, Intake
from experiments.message_times import Arrival, Moment, moment_of
from experiments.salvage import rescue
from experiments.storable import LARGEST_NUMBER, unstorable, unstorable_text
from experiments.store.ledger import Event, Exposure, Record, event_of
from experiments.store.tallies import EXPOSURE, NOTHING, Edge, Note, Rejected, Remarks
from experiments.tracking import Unplanned

MAX_MESSAGES = 1_000
MAX_MESSAGE_BYTES = 64 * 1024
MAX_ID = 512
MAX_MESSAGE_ID = 200
MAX_EVENT_NAME = 200

EXPOSURE_EVENTS = frozenset({"Experiment Viewed", "$experiment_started", "$feature_flag_called"})
_EXPERIMENT_FIELDS = ("experiment_id", "experimentId", "$feature_flag", "Experiment name")
_VARIANT_FIELDS = (
    "variation_id",
    "variationId",
    "variant_id",
    "variantId",
    "$feature_flag_response",
    "Variant name",
)
_ABOUT_EXPOSURES = frozenset(
    {
        *_EXPERIMENT_FIELDS,
        *_VARIANT_FIELDS,
        "experiment_name",
        "variation_name",
        "experimentName",
        "variationName",
    }
)
_CONTEXT_FACTS = {"ip": "ip", "user_agent": "userAgent"}
"""What a message's context says that becomes a property, if the tracking plan lists it: name, and where."""

UNREADABLE = "(unreadable)"
"""What a message without a readable name is counted under."""

_TYPES = frozenset({"track", "identify", "alias", "page", "screen", "group"})
_WHO_IS_WHO = frozenset({"identify", "alias"})


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that was not stored, and why."""

    index: int
    message_id: str | None
    code: str
    detail: str


class Parsed(NamedTuple):
    """The records of a body, and the messages that are none."""

    records: tuple[Record, ...]
    rejected: tuple[Rejection, ...]
    remarks: Remarks = NOTHING


class _Rejected(Exception):
    """A message is not a record."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def parse_body(
    body: bytes, *, implied_type: str | None, received_at: datetime, intake: Intake = ANYTHING
) -> Parsed:
    """Parse the body of a request.

    Parameters
    ----------
    body
        JSON: one message, or an object with a list ``batch``.
    implied_type
        The type of a single message that does not name its own, from the door's path.
    received_at
        The server's time of arrival.
    intake
        What is in force for records that come in.

    Raises
    ------
    InvalidInput
        If the body as a whole is not JSON of that shape.
    """
    document = decode(body)
    if not isinstance(document, dict):
        raise InvalidInput.at("", "expected a JSON object")
    messages = document.get("batch", None)
    if messages is None:
        messages = [document]
    if not isinstance(messages, list):
        raise InvalidInput.at("batch", "expected a list of messages")
    if len(messages) > MAX_MESSAGES:
        raise InvalidInput.at("batch", f"holds {len(messages)} messages; {MAX_MESSAGES} is the limit")
    return _read_all(messages, _Circumstances(document, implied_type, Arrival.of(received_at), intake))


def decode(body: bytes) -> Any:
    """Decode JSON; a text that one message spoils must not spoil the rest."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as strict:
        try:
            return rescue(body)
        except ValueError:
            raise InvalidInput.at("", f"not JSON: {strict}") from strict


class _Circumstances(NamedTuple):
    """What is the same for all messages of a body."""

    envelope: Mapping[str, Any]
    implied_type: str | None
    arrival: Arrival
    intake: Intake


def _read_all(messages: Sequence[Any], here: _Circumstances) -> Parsed:
    """Read messages, each into a record or a rejection."""
    records: list[Record] = []
    rejected: list[Rejection] = []
    notes: dict[str, Note] = {}
    counted: list[Rejected] = []
    edges: list[Edge] = []
    for index, message in enumerate(messages):
        try:
            record, said, edge = _read(message, here)
        except (_Rejected, Unplanned) as problem:
            rejection = Rejection(index, _id_of(message), problem.code, problem.detail)
            rejected.append(rejection)
            counted.append(_counted(rejection, _name_of(message, here.implied_type), here.arrival))
            continue
        records.append(record)
        if said:
            notes[record.message_id] = Note(event_of(record), said)
        if edge is not None:
            edges.append(edge)
    remarks = Remarks(notes, tuple(counted), tuple(edges)) if notes or counted or edges else NOTHING
    return Parsed(tuple(records), tuple(rejected), remarks)


def _counted(rejection: Rejection, name: str, arrival: Arrival) -> Rejected:
    return Rejected(arrival.millis, name, rejection.message_id, rejection.code, rejection.detail)


def _read(message: Any, here: _Circumstances) -> tuple[Record, tuple[str, ...], Edge | None]:
    """Read one message and let it pass the intake: a record, what there is to say about it, who is who."""
    if not isinstance(message, dict):
        raise _Rejected("not_an_object", "expected an object")
    envelope, implied_type, arrival, intake = here
    kind = message.get("type") or implied_type
    if not isinstance(kind, str) or kind not in _TYPES:
        raise _Rejected("unknown_type", f"type: expected one of {', '.join(sorted(_TYPES))}")
    moment = moment_of(message, envelope, arrival)
    if moment is None:
        raise _Rejected("bad_time", "timestamp: expected ISO 8601, such as 2026-03-15T09:30:00.000Z")
    record, facts = _record(message, kind, moment, arrival.millis, intake)
    edge = _edge(message, kind, record) if kind in _WHO_IS_WHO else None
    notes = moment.notes
    if isinstance(record, Exposure):
        record = intake.compare(record)
        notes = notes if record.mark in (None, moment.mark) else (*notes, record.mark)
    kept, more = intake.take(record, facts)
    return kept, notes + more, None if edge is None else intake.hide_edge(edge)


def _record(
    message: Mapping[str, Any], kind: str, moment: Moment, received: int, intake: Intake
) -> tuple[Record, Mapping[str, Any]]:
    """Read a message as a record, and give the facts that are written in it."""
    user = _identity(message, "userId")
    anonymous = _identity(message, "anonymousId")
    if user is None and anonymous is None:
        raise _Rejected("missing_user", "expected userId or anonymousId")
    message_id = _message_id(message, received)
    name = _event_name(message, kind)
    shown = name in EXPOSURE_EVENTS
    properties = _with_context(_properties(message, kind), message, EXPOSURE if shown else name, intake)
    if shown:
        experiment, variant = _exposed(properties)
        facts = {field: value for field, value in properties.items() if field not in _ABOUT_EXPOSURES}
        written, at = _written(facts), moment.millis
        shown_to = Exposure(
            message_id, experiment, user, anonymous, variant, at, received, written, moment.mark
        )
        return shown_to, facts
    value, written = _value(properties), _written(properties)
    event = Event(message_id, user, anonymous, name, value, moment.millis, received, written, moment.mark)
    return event, properties


def _edge(message: Mapping[str, Any], kind: str, record: Record) -> Edge | None:
    """Who is who, of a message that is there to say so; its traits are not stored."""
    anonymous = record.anonymous_id
    if kind == "alias":
        anonymous = _identity(message, "previousId") or anonymous
    if anonymous is None or record.user_id is None or anonymous == record.user_id:
        return None
    return Edge(anonymous, record.user_id, record.occurred_at)


def _identity(message: Mapping[str, Any], field: str) -> str | None:
    value = message.get(field)
    if value is None or value == "":
        return None
    if type(value) is int:
        value = str(value)
    return _text(value, field, MAX_ID)


def _text(value: Any, field: str, longest: int) -> str:
    if not isinstance(value, str):
        raise _Rejected("wrong_type", f"{field}: expected a text")
    if len(value) > longest:
        raise _Rejected("too_long", f"{field}: longer than {longest} characters")
    if problem := unstorable_text(value):
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


def _with_context(
    properties: dict[str, Any], message: Mapping[str, Any], event: str, intake: Intake
) -> dict[str, Any]:
    """Add what the context says of the sender, where the tracking plan lists it."""
    context = message.get("context")
    if not isinstance(context, dict):
        return properties
    found = {
        name: context[field]
        for name, field in _CONTEXT_FACTS.items()
        if isinstance(context.get(field), str) and intake.plan.lists(event, name)
    }
    return {**found, **properties} if found else properties


def _exposed(properties: Mapping[str, Any]) -> tuple[str, str]:
    experiment = next((properties[f] for f in _EXPERIMENT_FIELDS if properties.get(f)), None)
    variant = next((properties[f] for f in _VARIANT_FIELDS if properties.get(f) is not None), None)
    if experiment is None or variant is None:
        raise _Rejected("missing_variant", "an exposure needs experiment_id and variation_id")
    if isinstance(variant, bool | int):
        variant = json.dumps(variant)
    return _text(experiment, "experiment_id", 128), _text(variant, "variation_id", 128)


def _value(properties: Mapping[str, Any]) -> float | None:
    for field in VALUE_PROPERTIES:
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
    text = to_json(properties)
    if len(text) > MAX_MESSAGE_BYTES:
        raise _Rejected("too_large", f"larger than {MAX_MESSAGE_BYTES} bytes")
    return text.decode()


def _name_of(message: Any, implied_type: str | None) -> str:
    """The name that a rejected message is counted under."""
    if not isinstance(message, dict):
        return UNREADABLE
    kind = message.get("type") or implied_type
    name = message.get("event") if kind == "track" else kind
    if not isinstance(name, str) or not name or len(name) > MAX_EVENT_NAME or unstorable(name):
        return UNREADABLE
    if kind != "track" and kind not in _TYPES:
        return UNREADABLE
    return EXPOSURE if name in EXPOSURE_EVENTS else name


def _id_of(message: Any) -> str | None:
    given = message.get("messageId") if isinstance(message, dict) else None
    return given[:MAX_MESSAGE_ID] if isinstance(given, str) and not unstorable(given) else None
