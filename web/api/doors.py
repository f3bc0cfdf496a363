"""The quick doors before a WSGI application: evaluations and events, and all else handed on.

This is how any WSGI server, and every test, meets them. `evenhand serve` puts them before the application in
another way, which holds no thread while the ledger commits: `web.front`.
"""

import threading
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from experiments.writing import PATIENCE
from web.api.assigning import AssignmentDoor
from web.api.bodies import BodyRefused, announced_length, read_body
from web.api.events import EventsDoor
from web.api.exchange import Answer, Call
from web.deployment import Deployment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Doors:
    """Both doors; whatever they do not take goes on to the application."""

    def __init__(self, inner: "WSGIApplication", deployment: Deployment) -> None:
        self.inner = inner
        self.evaluations = AssignmentDoor(deployment)
        self.events = EventsDoor(deployment)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request."""
        path = single_slash(environ["PATH_INFO"])
        if self.evaluations.takes(path):
            answer = self.evaluations.answer(_call(environ, path))
        elif self.events.takes(path):
            answer = self._store(_call(environ, path))
        else:
            return self.inner(environ, start_response)
        start_response(_STATUS_LINES[answer.status], answer.lines)
        return [answer.body] if answer.body else []

    def _store(self, call: Call) -> Answer:
        gate = threading.Event()
        begun = self.events.begin(call, lambda _: gate.set())
        if isinstance(begun, Answer):
            return begun
        gate.wait(PATIENCE)
        return self.events.end(begun)


def single_slash(path: str) -> str:
    """A path as it was meant by a client that was given an address with a slash at its end."""
    return path[1:] if path.startswith("//") else path


def _call(environ: "WSGIEnvironment", path: str) -> Call:
    # WSGI hands bytes over as Latin-1.
    decoded = path.encode("latin-1").decode("utf-8", "replace")

    def header(name: str) -> str | None:
        spoken: str | None = environ.get(f"HTTP_{name.upper().replace('-', '_')}")
        return spoken

    return Call(environ["REQUEST_METHOD"], decoded, header, _body(environ))


def _body(environ: "WSGIEnvironment") -> bytes | BodyRefused:
    try:
        return read_body(environ["wsgi.input"], announced_length(environ.get("CONTENT_LENGTH")))
    except BodyRefused as refused:
        return refused
