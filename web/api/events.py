"""The door of events: what clients send, on its way into the ledger.

An answer of 200 means that the events are on the disk. One bad event never fails its batch; it is named in
the answer. Clients drop a batch for good on most other statuses, so those are kept for the few cases in
which nothing at all could be read, allowed or stored.

A request has two parts, one before and one after the ledger's commit, so that no thread has to be held
between them: thousands of requests may wait while evaluation goes on.
"""

import json
import logging
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from experiments.errors import InvalidInput, Unavailable
from experiments.messages import Parsed, Rejection, decode, parse_body
from experiments.store.ledger import Receipt
from experiments.store.tallies import Remarks
from experiments.writing import Job
from web.api.access import Keyring, resolve
from web.api.bodies import BodyRefused
from web.api.clients import PREFLIGHT
from web.api.errors import RETRY_AFTER
from web.api.exchange import Answer, Call
from web.deployment import Deployment

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

_log = logging.getLogger(__name__)

_PREFLIGHT = Answer(204, b"", tuple(PREFLIGHT.items()))
_PROBLEM = "application/problem+json"


class Refused(Exception):
    """A request of which nothing was stored."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = members


class Pending(NamedTuple):
    """Events on their way into the ledger.

    Attributes
    ----------
    refused
        What is answered all the same: a request of which only the mistakes are counted.
    """

    job: Job
    parsed: Parsed
    refused: Refused | None = None


class EventsDoor:
    """Stores events."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._held = (deployment.mirror.reflection, Keyring(deployment.mirror.reflection.keys))

    def takes(self, path: str) -> bool:
        """Whether a path is one of this door's."""
        return path in PATHS or (path.startswith(_WITH_KEY) and _without_key(path)[0] in PATHS)

    def begin(self, call: Call, told: Callable[[Job], None]) -> Answer | Pending:
        """Hand the events of a request to the ledger's writer; or answer, where there is nothing to store.

        Parameters
        ----------
        told
            Called in the writing thread when the outcome is known; then `end` gives the answer.
        """
        path, key = _without_key(call.path)
        if call.method == "OPTIONS":
            return _PREFLIGHT
        try:
            return self._begin(call, PATHS[path], key, told)
        except (Refused, BodyRefused, InvalidInput, Unavailable) as problem:
            return self._refuse(problem)
        except Exception:  # noqa: BLE001 - the last line: what leaves here would end a connection without an answer
            _log.exception("events could not be taken in")
            return self._refuse(Refused(500, "the events could not be taken in; the log says why"))

    def end(self, pending: Pending) -> Answer:
        """Answer with what has become of a request's events."""
        try:
            receipt = self._deployment.writer.settle(pending.job)
        except Unavailable as problem:
            return self._refuse(problem)
        if pending.refused is not None:
            return self._refuse(pending.refused)
        return self._acknowledge(receipt, pending.parsed)

    def _begin(
        self, call: Call, implied: str | None, key: str | None, told: Callable[[Job], None]
    ) -> Answer | Pending:
        if call.method != "POST":
            raise Refused(405, "events are sent with POST")
        body = call.read()
        if not self._admits(call, key, body):
            raise Refused(401, "a server or client key is needed, for instance as Basic user name")
        now, intake = self._deployment.now(), self._deployment.intake
        parsed = parse_body(body, implied_type=implied, received_at=now, intake=intake)
        writer = self._deployment.writer
        if parsed.rejected and call.header("x-strict-mode") == "1":
            counted = Remarks(rejected=parsed.remarks.rejected)
            wrong = [_rejection(each) for each in parsed.rejected]
            refused = Refused(400, "nothing was stored", rejected=wrong)
            return Pending(writer.hand_over((), counted, told), parsed, refused)
        if not parsed.records and not parsed.remarks:
            return self._acknowledge(Receipt(), parsed)
        return Pending(writer.hand_over(parsed.records, parsed.remarks, told), parsed)

    def _acknowledge(self, receipt: Receipt, parsed: Parsed) -> Answer:
        self._deployment.tally.add("requests", "events", "200")
        self._count(receipt, parsed)
        return _acknowledgement(receipt, parsed)

    def _refuse(self, problem: "Refused | BodyRefused | InvalidInput | Unavailable") -> Answer:
        if isinstance(problem, BodyRefused):
            problem = Refused(problem.status, problem.detail)
        elif not isinstance(problem, Refused):
            problem = Refused(503 if isinstance(problem, Unavailable) else 400, str(problem))
        self._deployment.tally.add("requests", "events", str(problem.status))
        return _refusal(problem)

    def _admits(self, call: Call, key: str | None, body: bytes) -> bool:
        """Whether there is a key, wherever it stands."""
        reflection, keyring = self._held
        if reflection is not self._deployment.mirror.reflection:
            reflection = self._deployment.mirror.reflection
            self._held = (reflection, keyring := Keyring(reflection.keys))
        if keyring.opened_by(call.header("authorization"), call.header("x-api-key")):
            return True
        return resolve(reflection.keys, [key]) is not None or (
            resolve(reflection.keys, [_written_key(body)]) is not None
        )

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


def _acknowledgement(receipt: Receipt, parsed: Parsed) -> Answer:
    if not parsed.rejected and not receipt.outdated:
        return _acknowledged(receipt.accepted, receipt.duplicates)
    outdated = {"outdated": receipt.outdated} if receipt.outdated else {}
    rejected = [_rejection(each) for each in parsed.rejected]
    return _written(receipt.accepted, receipt.duplicates, rejected, **outdated)


@lru_cache(4_096)
def _acknowledged(accepted: int, duplicates: int) -> Answer:
    return _written(accepted, duplicates, [])


def _written(accepted: int, duplicates: int, rejected: list[dict[str, Any]], **members: int) -> Answer:
    document = {
        "success": True,
        "accepted": accepted,
        "duplicates": duplicates,
        "rejected": rejected,
        **members,
    }
    return Answer(200, json.dumps(document, separators=(",", ":")).encode())


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {
        "index": rejection.index,
        "messageId": rejection.message_id,
        "code": rejection.code,
        "detail": rejection.detail,
    }


def _refusal(refused: Refused) -> Answer:
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
    later = [("Retry-After", RETRY_AFTER)] if refused.status == 503 else []
    return Answer(refused.status, json.dumps(document).encode(), (("Content-Type", _PROBLEM), *later))


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
