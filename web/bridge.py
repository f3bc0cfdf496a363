"""The bridge: a WSGI application served from an event loop, each request in a thread of its own.

There are such bridges for ASGI, but none for RSGI, where an empty request costs two thirds of what it costs
there (42 against 60 µs of CPU). What is here follows PEP 3333 as far as Flask asks for it.
"""

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from web.api.bodies import MAX_BODY, BodyRefused, announced_length

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from granian._granian import (
        RSGIHTTPProtocol as HTTPProtocol,  # exported under this name, but not for mypy
    )
    from granian.rsgi import Scope

BODILESS = ("GET", "HEAD", "OPTIONS")
"""Methods whose requests have no body that anybody here would read."""

_EMPTY = (204, 304)
"""Statuses of answers without a body."""

Headers = list[tuple[str, str]]


@dataclass(slots=True)
class _Reply:
    """What the application answers: whole, or the parts still to come."""

    status: int = 500
    headers: Headers | None = None
    whole: bytes | None = None
    stream: Iterable[bytes] = ()


class Bridge:
    """Serves an application's requests in a few threads."""

    def __init__(self, app: "WSGIApplication", *, threads: int) -> None:
        self._app = app
        self.threads = ThreadPoolExecutor(threads, "page")

    async def serve(self, scope: "Scope", protocol: "HTTPProtocol", path: str) -> None:
        """Serve one request.

        Parameters
        ----------
        path
            The request's path as decoded text.
        """
        loop = asyncio.get_running_loop()
        environ = _environ(scope, path, await _body(scope, protocol))
        reply = await loop.run_in_executor(self.threads, self._ask, environ)
        if reply.whole is not None:
            protocol.response_bytes(reply.status, reply.headers or [], reply.whole)
            return
        transport = protocol.response_stream(reply.status, reply.headers or [])
        following: Callable[[], bytes | None] = partial(next, iter(reply.stream), None)
        try:
            while (part := await loop.run_in_executor(self.threads, following)) is not None:
                await transport.send_bytes(part)
        finally:
            await loop.run_in_executor(self.threads, _close, reply.stream)

    def _ask(self, environ: "WSGIEnvironment") -> _Reply:
        """Run the application, to the end of its answer unless that is a stream of unknown length."""
        reply = _Reply()

        def start(status: str, headers: Headers, _: Any = None) -> Any:
            reply.status, reply.headers = int(status[:3]), headers
            return _write

        parts: Iterable[bytes] = self._app(environ, start)
        if _is_stream(reply, environ["REQUEST_METHOD"]):
            reply.stream = parts
            return reply
        try:
            reply.whole = b"".join(parts)
        finally:
            _close(parts)
        return reply


async def receive(protocol: "HTTPProtocol") -> bytes:
    """Receive a body of unknown length, and stop when it is longer than is allowed."""
    received = bytearray()
    async for part in protocol:
        received += part
        if len(received) > MAX_BODY:
            break
    return bytes(received)


async def _body(scope: "Scope", protocol: "HTTPProtocol") -> bytes:
    """The body as it was sent; nothing of one that is too long, which the application refuses."""
    try:
        announced = announced_length(scope.headers.get("content-length"))
    except BodyRefused:
        return b""
    if scope.method in BODILESS or (announced or 0) > MAX_BODY:
        return b""
    return await (receive(protocol) if announced is None else protocol())


def _environ(scope: "Scope", path: str, body: bytes) -> "WSGIEnvironment":
    host, _, port = scope.server.rpartition(":")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        spoken = name.upper().replace("-", "_")
        key = spoken if spoken in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{spoken}"
        apart = "; " if key == "HTTP_COOKIE" else ", "
        environ[key] = (
            f"{environ[key]}{apart}{value}" if key.startswith("HTTP_") and key in environ else value
        )
    return environ


def _is_stream(reply: _Reply, method: str) -> bool:
    if method == "HEAD" or reply.status in _EMPTY:
        return False
    return not any(name.lower() == "content-length" for name, _ in reply.headers or [])


def _close(parts: object) -> None:
    close = getattr(parts, "close", None)
    if close is not None:
        close()


def _write(_: bytes) -> None:
    raise NotImplementedError("the application returns its answer")
