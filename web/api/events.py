"""The door of events: a small WSGI application in front of Flask's, for events.

An answer of 200 means that the events are on the disk. One bad event never fails its batch; it is named in
the answer. Clients drop a batch for good on most other statuses, so those are kept for the few cases in
which nothing at all could be read, allowed or stored.

Evaluation must stay quick whatever happens here. So only some of a server's threads may be in this room at
once, waiting for the ledger; whoever comes when it is full is asked to come back. And only one of them at a
time takes long bodies apart: two would not be quicker in one interpreter, and evaluation would wait for both.
"""

import json
import threading
from collections.abc import Iterable
from contextlib import nullcontext
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from experiments.errors import InvalidInput, Unavailable
from experiments.messages import Parsed, Rejection, decode, parse_body
from experiments.store.ledger import Receipt
from experiments.store.tallies import Remarks
from web.api.access import Keyring, resolve
from web.api.bodies import BodyRefused, read_body
from web.api.clients import HEADERS, PREFLIGHT
from web.api.errors import RETRY_AFTER
from web.deployment import Deployment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ALIASES = {
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
"""Doors by the last part of their path, and the type of message that each implies."""

PATHS = {f"/v1/{alias}": implied for alias, implied in ALIASES.items()}

_WITH_KEY = "/v1/projects/"
"""Where senders that can only be given an address put their key."""

LONG_BODY = 16 * 1024
"""Bytes from which a body takes long enough to be taken apart alone."""

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_BROWSERS = list(HEADERS.items())


class Refused(Exception):
    """A request of which nothing was stored."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = members


class EventsDoor:
    """Stores events; hands everything else on."""

    def __init__(self, inner: "WSGIApplication", deployment: Deployment) -> None:
        self._inner = inner
        self._deployment = deployment
        self._room = deployment.storing
        self._parsing = threading.Lock()
        self._held = (deployment.mirror.reflection, Keyring(deployment.mirror.reflection.keys))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request."""
        path: str = environ["PATH_INFO"]
        if path.startswith("//"):
            path = path[1:]  # clients that were given an address with a slash at its end
        path, key = _without_key(path)
        if path not in PATHS:
            return self._inner(environ, start_response)
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start_response("204 No Content", list(PREFLIGHT.items()))
            return []
        try:
            body = self._record_in_turn(environ, PATHS[path], key)
        except Refused as refused:
            self._deployment.tally.add("requests", "events", str(refused.status))
            return _refuse(refused, start_response)
        self._deployment.tally.add("requests", "events", "200")
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *_BROWSERS]
        start_response(_STATUS_LINES[200], headers)
        return [body]

    def _record_in_turn(self, environ: "WSGIEnvironment", implied: str | None, key: str | None) -> bytes:
        if environ["REQUEST_METHOD"] != "POST":
            raise Refused(405, "events are sent with POST")
        if not self._room.acquire(blocking=False):
            raise Refused(503, "too many requests are waiting for the ledger; send it again")
        try:
            return self._record(environ, implied, key)
        except BodyRefused as refused:
            raise Refused(refused.status, refused.detail) from refused
        except InvalidInput as refusal:
            raise Refused(400, str(refusal)) from refusal
        except Unavailable as refusal:
            raise Refused(503, str(refusal)) from refusal
        finally:
            self._room.release()

    def _record(self, environ: "WSGIEnvironment", implied: str | None, key: str | None) -> bytes:
        length = environ.get("CONTENT_LENGTH")
        body = read_body(environ["wsgi.input"], int(length) if length else None)
        if not self._admits(environ, key, body):
            raise Refused(401, "a server or client key is needed, for instance as Basic user name")
        parsed = self._parsed(body, implied)
        if parsed.rejected and environ.get("HTTP_X_STRICT_MODE") == "1":
            self._deployment.writer.append((), Remarks(rejected=parsed.remarks.rejected))
            raise Refused(400, "nothing was stored", rejected=[_rejection(each) for each in parsed.rejected])
        receipt = self._deployment.writer.append(parsed.records, parsed.remarks)
        self._count(receipt, parsed)
        return _acknowledgement(receipt, parsed)

    def _admits(self, environ: "WSGIEnvironment", key: str | None, body: bytes) -> bool:
        """Whether there is a key, wherever it stands."""
        reflection, keyring = self._held
        if reflection is not self._deployment.mirror.reflection:
            reflection = self._deployment.mirror.reflection
            self._held = (reflection, keyring := Keyring(reflection.keys))
        if keyring.opened_by(environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_API_KEY")):
            return True
        return resolve(reflection.keys, [key]) is not None or (
            resolve(reflection.keys, [_written_key(body)]) is not None
        )

    def _parsed(self, body: bytes, implied: str | None) -> Parsed:
        with self._parsing if len(body) >= LONG_BODY else nullcontext():
            now, intake = self._deployment.now(), self._deployment.intake
            return parse_body(body, implied_type=implied, received_at=now, intake=intake)

    def _count(self, receipt: Receipt, parsed: Parsed) -> None:
        tally = self._deployment.tally
        tally.add("events", "accepted", amount=receipt.accepted)
        if receipt.duplicates:
            tally.add("events", "duplicate", amount=receipt.duplicates)
        if parsed.rejected:
            tally.add("events", "rejected", amount=len(parsed.rejected))
        if receipt.outdated:
            tally.add("events", "outdated", amount=receipt.outdated)


def _without_key(path: str) -> tuple[str, str | None]:
    """Take the key out of ``/v1/projects/<key>/<door>``."""
    if not path.startswith(_WITH_KEY):
        return path, None
    key, _, door = path.removeprefix(_WITH_KEY).partition("/")
    return f"/v1/{door}", key


def _acknowledgement(receipt: Receipt, parsed: Parsed) -> bytes:
    if not parsed.rejected and not receipt.outdated:
        return _acknowledged(receipt.accepted, receipt.duplicates)
    outdated = {"outdated": receipt.outdated} if receipt.outdated else {}
    rejected = [_rejection(each) for each in parsed.rejected]
    return _written(receipt.accepted, receipt.duplicates, rejected, **outdated)


@lru_cache(4_096)
def _acknowledged(accepted: int, duplicates: int) -> bytes:
    return _written(accepted, duplicates, [])


def _written(accepted: int, duplicates: int, rejected: list[dict[str, Any]], **members: int) -> bytes:
    document = {
        "success": True,
        "accepted": accepted,
        "duplicates": duplicates,
        "rejected": rejected,
        **members,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {
        "index": rejection.index,
        "messageId": rejection.message_id,
        "code": rejection.code,
        "detail": rejection.detail,
    }


def _refuse(refused: Refused, start_response: "StartResponse") -> Iterable[bytes]:
    """Answer with an RFC 9457 problem."""
    title = HTTPStatus(refused.status).phrase
    document = {
        "type": f"/api#{title.lower().replace(' ', '-')}",
        "title": title,
        "status": refused.status,
        "detail": refused.detail,
        "success": False,
        **refused.members,
    }
    body = json.dumps(document).encode()
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(body))),
        *([("Retry-After", RETRY_AFTER)] if refused.status == 503 else []),
        *_BROWSERS,
    ]
    start_response(_STATUS_LINES[refused.status], headers)
    return [body]


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
