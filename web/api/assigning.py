"""The assignment door: a small WSGI application in front of Flask's.

A decision takes a few microseconds and Flask's dispatch of a request many times that, so evaluation has a
door of its own. It is the same service all the same: the same process, keys, ruleset and ledger; whatever is
not an evaluation goes on to Flask.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from experiments.people import KeyKind
from experiments.previews import PARAMETER
from web.api.access import Keyring
from web.api.bodies import BodyRefused, announced_length, read_body
from web.api.clients import PREFLIGHT
from web.api.ofrep import (
    Answer,
    Answers,
    Refusal,
    answer_all,
    answer_asked,
    answer_refusal,
    evaluate,
    read_context,
)
from web.deployment import Deployment
from web.mirror import Reflection

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/ofrep/v1/evaluate/flags"
_SINGLE = f"{PATH}/"
_BULK = (PATH, _SINGLE)
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_PREFLIGHT = Answer(204, b"", tuple(PREFLIGHT.items()))

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Serving:
    """What is made once for each state of the mirror."""

    reflection: Reflection
    keyring: Keyring
    answers: Answers


class AssignmentDoor:
    """Answers evaluations; hands everything else on."""

    def __init__(self, inner: "WSGIApplication", deployment: Deployment) -> None:
        self._inner = inner
        self._deployment = deployment
        self._serving = _serving(deployment.mirror.reflection)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request."""
        path: str = environ["PATH_INFO"]
        if path.startswith("//"):
            path = path[1:]  # clients that were given an address with a slash at its end
        if path != PATH and not path.startswith(_SINGLE):
            return self._inner(environ, start_response)
        key = None if path in _BULK else _decoded(path[len(_SINGLE) :])
        try:
            answer = self._answer(environ, key)
        except Exception:  # noqa: BLE001 - the last line: what leaves here would end a connection without an answer
            _log.exception("an evaluation failed")
            answer = answer_refusal(Refusal(500, "GENERAL", "the evaluation failed; the log says why"), key)
        door = "evaluate_all" if key is None else "evaluate"
        self._deployment.tally.add("evaluations", door, str(answer.status), answer.detail)
        start_response(_STATUS_LINES[answer.status], answer.lines)
        return [answer.body]

    def _answer(self, environ: "WSGIEnvironment", key: str | None) -> Answer:
        method = environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            return _PREFLIGHT
        if method != "POST":
            return answer_refusal(Refusal(405, "GENERAL", "evaluations are asked for with POST"), key)
        try:
            return self._evaluated(environ, key)
        except BodyRefused as refused:
            return answer_refusal(Refusal(refused.status, "GENERAL", refused.detail), key)
        except Refusal as refusal:
            return answer_refusal(refusal, key)

    def _evaluated(self, environ: "WSGIEnvironment", key: str | None) -> Answer:
        serving = self._present()
        known = serving.keyring.opened_by(environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_API_KEY"))
        if known is None:
            raise Refusal(401, "GENERAL", "a server or client key is needed: Authorization: Bearer KEY")
        length = announced_length(environ.get("CONTENT_LENGTH"))
        context = read_context(read_body(environ["wsgi.input"], length))
        ruleset = serving.reflection.ruleset
        asked = self._deployment.previews.look(context, ruleset) if PARAMETER in context else None
        if key is None:
            return answer_all(ruleset, context, environ.get("HTTP_IF_NONE_MATCH"), asked)
        if asked is not None and asked.key == key:
            return answer_asked(ruleset, context, asked)
        decision, unit = evaluate(ruleset, key, context)
        if decision.exposes and known.kind is KeyKind.SERVER and known.exposes and _wanted(environ):
            self._deployment.exposures.record(ruleset.rules[key], decision, unit, context)
        return serving.answers.give(decision)

    def _present(self) -> _Serving:
        reflection = self._deployment.mirror.reflection
        if self._serving.reflection is not reflection:
            self._serving = _serving(reflection)
        return self._serving


def _serving(reflection: Reflection) -> _Serving:
    return _Serving(reflection, Keyring(reflection.keys), Answers())


def _wanted(environ: dict[str, Any]) -> bool:
    """Whether the caller wants the exposure recorded; it may say not to, for instance when it only looks."""
    return bool(environ.get("HTTP_X_EVENHAND_EXPOSURE", "on") != "off")


def _decoded(path: str) -> str:
    """WSGI hands bytes over as Latin-1."""
    return path.encode("latin-1").decode("utf-8", "replace")
