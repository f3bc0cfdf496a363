"""A proxy that injects faults: the first requests meet what they are told to, the others go through."""

import http.client
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DROP_BEFORE = "drop before"
"""The connection ends before the request reached the server."""

DROP_AFTER = "drop after"
"""The connection ends after the server stored everything and before the client was told."""

Fault = int | str


class FaultyProxy(ThreadingHTTPServer):
    """Hands requests on to a port, after the faults are used up."""

    daemon_threads = True

    def __init__(self, port: int, faults: Sequence[Fault]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = port
        self.faults = list(faults)
        self.met: list[Fault] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self) -> Fault | None:
        with self.lock:
            if not self.faults:
                return None
            self.met.append(self.faults.pop(0))
            return self.met[-1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        fault = self.server.next_fault()  # type: ignore[attr-defined]  # our own server
        if fault == DROP_BEFORE:
            self.close_connection = True
            return
        if isinstance(fault, int):
            self._answer(fault, b"{}", {"Retry-After": "1"} if fault == 503 else {})
            return
        status, answer = self._handed_on(body)
        if fault == DROP_AFTER:
            self.close_connection = True
            return
        self._answer(status, answer, {})

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _handed_on(self, body: bytes) -> tuple[int, bytes]:
        dropped = {"host", "connection", "transfer-encoding", "content-length"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=20)  # type: ignore[attr-defined]  # our own server
        try:
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def faulty_proxy(port: int, faults: Sequence[Fault]) -> Iterator[FaultyProxy]:
    """Run a proxy."""
    proxy = FaultyProxy(port, faults)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
