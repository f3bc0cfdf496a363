"""Events: the doors that Segment-compatible clients send to.

An answer of 200 means that the events are on the disk. One bad event never fails its batch; it is named in
the answer. Clients drop a batch for good on most other statuses, so those are kept for the few cases in
which nothing at all could be read, allowed or stored.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, request

from experiments.errors import InvalidInput
from experiments.messages import Parsed, Rejection, decode, parse_body
from experiments.people import KeyKind
from experiments.store.ledger import Receipt
from experiments.store.tallies import Remarks
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
@blueprint.post(f"/v1/projects/<write_key>/{_DOORS}")
def receive(door: str, write_key: str | None = None) -> Response:
    """Store a batch or a single event."""
    deployment = current()
    try:
        body = read_body(request.environ["wsgi.input"], request.content_length)
    except BodyRefused as refused:
        return problem(refused.status, HTTPStatus(refused.status).phrase, refused.detail, success=False)
    headers = request.headers
    known = presented(headers.get("Authorization"), headers.get("X-API-Key"))
    key = resolve(deployment.mirror.reflection.keys, [*known, write_key, _written_key(body)])
    if key is None:
        return problem(
            401, "Unauthorized", "a server or client key is needed, for instance as Basic user name"
        )
    try:
        parsed = parse_body(
            body, implied_type=_ALIASES[door], received_at=deployment.now(), intake=deployment.intake
        )
    except InvalidInput as refusal:
        return problem(400, "Bad Request", str(refusal), success=False)
    strict = request.headers.get("X-Strict-Mode") == "1"
    if strict and parsed.rejected:
        deployment.writer.append((), Remarks(rejected=parsed.remarks.rejected))
        return problem(400, "Bad Request", "nothing was stored", rejected=_rejected(parsed), success=False)
    return _acknowledge(deployment.writer.append(parsed.records, parsed.remarks), parsed)


@blueprint.get("/v1/projects/<write_key>/settings")
def settings(write_key: str) -> Response:
    """Tell Segment's clients for browsers and phones where to send to."""
    key = resolve(current().mirror.reflection.keys, [write_key])
    if key is None:
        return problem(401, "Unauthorized", "a client key is needed in the path")
    if key.kind is not KeyKind.CLIENT:
        return problem(
            403, "Forbidden", "use a client key here: a secret key does not belong into an address"
        )
    secure = request.is_secure or current().settings.public_url.startswith("https://")
    sender: dict[str, object] = {
        "apiKey": write_key,
        "apiHost": f"{request.host}/v1",
        "protocol": "https" if secure else "http",
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
    }
    answer = jsonify(
        integrations={"Segment.io": sender},
        plan={"track": {"__default": {"enabled": True, "integrations": {}}}},
        edgeFunction={},
        analyticsNextEnabled=True,
    )
    answer.headers["Cache-Control"] = "public, max-age=60"
    return answer


def _acknowledge(receipt: Receipt, parsed: Parsed) -> Response:
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
        document = decode(body)
    except InvalidInput:
        return None
    key = document.get("writeKey") if isinstance(document, dict) else None
    return key if isinstance(key, str) else None
