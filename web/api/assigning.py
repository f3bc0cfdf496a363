"""The assignment door: a small WSGI application in front of Flask's.

A decision takes a few microseconds and Flask's dispatch of a request many times that, so evaluation has a
door of its own. It is the same service all the same: the same process, keys, ruleset and ledger; whatever is
not an evaluation goes on to Flask.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from assignment import Ruleset
from experiments.people import KeyKind
from experiments.store.instants import to_millis
from web.api.access import presented, resolve
from web.api.bodies import BodyRefused, read_body
from web.api.clients import HEADERS
from web.api.ofrep import Answer, Answers, Refusal, answer_all, answer_refusal, evaluate, read_context
from web.deployment import Deployment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/ofrep/v1/evaluate/flags"
_BULK = (PATH, f"{PATH}/")
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_BROWSERS = list(HEADERS.items())
_OBJECT = ("Content-Type", "application/json")


class AssignmentDoor:
    """Answers evaluations; hands everything else on."""

    def __init__(self, inner: "WSGIApplication", deployment: Deployment) -> None:
        self._inner = inner
        self._deployment = deployment
        self._answers = Answers(deployment.mirror.reflection.ruleset)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request."""
        path: str = environ["PATH_INFO"]
        if path.startswith("//"):
            path = path[1:]  # clients that were given an address with a slash at its end
        if path != PATH and not path.startswith(_BULK[1]):
            return self._inner(environ, start_response)
        answer = self._answer(environ, path)
        headers = [_OBJECT, ("Content-Length", str(len(answer.body))), *answer.headers, *_BROWSERS]
        start_response(_STATUS_LINES[answer.status], headers if answer.body else headers[2:])
        return [answer.body]

    def _answer(self, environ: "WSGIEnvironment", path: str) -> Answer:
        method = environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            return Answer(204, b"")
        key = None if path in _BULK else _decoded(path[len(PATH) + 1 :])
        if method != "POST":
            return answer_refusal(Refusal(405, "GENERAL", "evaluations are asked for with POST"), key)
        try:
            return self._evaluated(environ, key)
        except BodyRefused as refused:
            return answer_refusal(Refusal(refused.status, "GENERAL", refused.detail), key)
        except Refusal as refusal:
            return answer_refusal(refusal, key)

    def _evaluated(self, environ: "WSGIEnvironment", key: str | None) -> Answer:
        reflection = self._deployment.mirror.reflection
        candidates = presented(environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_API_KEY"))
        known = resolve(reflection.keys, candidates)
        if known is None:
            raise Refusal(401, "GENERAL", "a server or client key is needed: Authorization: Bearer KEY")
        context = read_context(read_body(environ["wsgi.input"], _announced(environ)))
        if key is None:
            return answer_all(reflection.ruleset, context, environ.get("HTTP_IF_NONE_MATCH"))
        decision, unit = evaluate(reflection.ruleset, key, context)
        if decision.exposes and known.kind is KeyKind.SERVER and known.exposes and _wanted(environ):
            millis = to_millis(self._deployment.now())
            rule = reflection.ruleset.rules[key]
            intake = reflection.intake(self._deployment.pseudonyms)
            self._deployment.exposures.record(rule, decision, unit, context, millis, intake)
        return self._answers_of(reflection.ruleset).give(decision)

    def _answers_of(self, ruleset: Ruleset) -> Answers:
        if self._answers.ruleset is not ruleset:
            self._answers = Answers(ruleset)
        return self._answers


def _announced(environ: dict[str, Any]) -> int | None:
    length: str = environ.get("CONTENT_LENGTH") or ""
    if length and not (length.isascii() and length.isdigit()):
        raise BodyRefused(400, "Content-Length: expected a whole number")
    return int(length) if length else None


def _wanted(environ: dict[str, Any]) -> bool:
    """Whether the caller wants the exposure recorded; it may say not to, for instance when it only looks."""
    return bool(environ.get("HTTP_X_EVENHAND_EXPOSURE", "on") != "off")


def _decoded(path: str) -> str:
    """WSGI hands bytes over as Latin-1."""
    return path.encode("latin-1").decode("utf-8", "replace")
