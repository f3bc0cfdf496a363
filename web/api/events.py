"""Events: the doors that Segment-compatible clients send to.

An answer of 200 means that the events are on the disk. One bad event never fails its batch; it is named in
the answer. Clients drop a batch for good on most other statuses, so those are kept for the few cases in
which nothing at all could be read, allowed or stored.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic_core import from_json

from experiments.errors import InvalidInput, Unavailable
from experiments.messages import Parsed, Rejection, parse_body
from experiments.store.ledger import Receipt
from web.api.access import presented, resolve
from web.api.bodies import BodyRefused, read_body
from web.api.clients import allow_browsers
from web.api.errors import problem
from web.deployment import current

blueprint = Blueprint("events", __name__)
allow_browsers(blueprint)

_ALIASES = {
    "batch": None,
    "b": None,
    "import": None,
    "track": "track",
    "t": "track",
    "identify": "identify",
    "i": "identify",
    "alias": "alias",
    "a": "alias",
    "page": "page",
    "p": "page",
    "screen": "screen",
    "s": "screen",
    "group": "group",
    "g": "group",
}
_DOORS = f"<any({','.join(_ALIASES)}):door>"


@blueprint.post(f"/v1/{_DOORS}")
@blueprint.post(f"//v1/{_DOORS}")
def receive(door: str) -> Response:
    """Store a batch or a single event."""
    deployment = current()
    try:
        body = read_body(request.environ["wsgi.input"], request.content_length)
    except BodyRefused as refused:
        return problem(refused.status, HTTPStatus(refused.status).phrase, refused.detail, success=False)
    headers = request.headers
    known = presented(headers.get("Authorization"), headers.get("X-API-Key"))
    candidates = [*known, _written_key(body)]
    if resolve(deployment.mirror.reflection.keys, candidates) is None:
        return problem(
            401, "Unauthorized", "a server or client key is needed, for instance as Basic user name"
        )
    try:
        parsed = parse_body(body, implied_type=_ALIASES[door], received_at=deployment.now())
    except InvalidInput as refusal:
        return problem(400, "Bad Request", str(refusal), success=False)
    strict = request.headers.get("X-Strict-Mode") == "1"
    if strict and parsed.rejected:
        return problem(400, "Bad Request", "nothing was stored", rejected=_rejected(parsed), success=False)
    return _acknowledge(_stored(parsed), parsed)


def _stored(parsed: Parsed) -> Receipt:
    """Store what was read, unless too many threads wait for the ledger already: decisions need some, too."""
    deployment = current()
    if not deployment.storing.acquire(blocking=False):
        raise Unavailable("the ledger is busy; send it again")
    try:
        return deployment.writer.append(parsed.records)
    finally:
        deployment.storing.release()


def _acknowledge(receipt: Receipt, parsed: Parsed) -> Response:
    tally = current().tally
    tally.add("events", "accepted", amount=receipt.accepted)
    tally.add("events", "duplicate", amount=receipt.duplicates)
    tally.add("events", "rejected", amount=len(parsed.rejected))
    return jsonify(
        success=True,
        accepted=receipt.accepted,
        duplicates=receipt.duplicates,
        rejected=_rejected(parsed),
    )


def _rejected(parsed: Parsed) -> list[dict[str, Any]]:
    return [_rejection(each) for each in parsed.rejected]


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {
        "index": rejection.index,
        "messageId": rejection.message_id,
        "code": rejection.code,
        "detail": rejection.detail,
    }


def _written_key(body: bytes) -> str | None:
    """The key that some senders can only put into the body."""
    if b'"writeKey"' not in body:
        return None
    try:
        document = from_json(body)
    except ValueError:
        return None
    key = document.get("writeKey") if isinstance(document, dict) else None
    return key if isinstance(key, str) else None
