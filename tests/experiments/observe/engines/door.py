"""ClickHouse's own door in front of the embedded one: enough of HTTP for its ordinary driver.

What a server would refuse can be refused here, too: wrong passwords, statements that change something, and
everything from some moment on.
"""

import re
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PASSWORD = "open sesame"


@dataclass
class Door:
    """A server of one session.

    Attributes
    ----------
    asked
        The statements that came in, settings of the driver's left out.
    read_only
        Whether tables may not be made, temporary ones included.
    fails
        A part of the statements that fail.
    gone
        Whether the server answers nothing more once a statement has failed.
    slow
        A part of the statements that are never answered.
    """

    session: Any
    asked: list[str] = field(default_factory=list)
    read_only: bool = False
    fails: str | None = None
    gone: bool = False
    slow: str | None = None
    port: int = 0
    leaving: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Ibis' address of it."""
        return f"clickhouse://analyst:{PASSWORD.replace(' ', '+')}@127.0.0.1:{self.port}/default"

    def answer(self, text: str) -> tuple[int, bytes]:
        """Status and body."""
        self.asked.append(text)
        if self.slow is not None and self.slow in text:
            self.leaving.wait(30)
        if self.fails is not None and (self.fails in text or (self.gone and self._failed())):
            return 503, b"Code: 210. DB::NetException: the server is shutting down. (NETWORK_ERROR)"
        if self.read_only and text.lstrip().startswith(("CREATE", "DROP")):
            return 403, b"Code: 164. DB::Exception: Cannot execute query in readonly mode. (READONLY)"
        try:
            return 200, bytes(self.session.query(text, "Native").bytes())
        except RuntimeError as problem:
            return 404, str(problem).encode()

    def _failed(self) -> bool:
        return any(str(self.fails) in each for each in self.asked)

    def names(self, verb: str) -> list[str]:
        """The names of what statements with a verb made, or dropped."""
        return [name for each in self.asked for name in re.findall(rf"^{verb}\b.*?\b(evenhand_\w+)", each)]


@contextmanager
def opened(session: Any) -> Iterator[Door]:
    """Open a door, and close it."""
    door = Door(session)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            said = parse_qs(urlsplit(self.path).query).get("query", [""])[0]
            if self._password() != PASSWORD:
                self._reply(403, b"Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION)")
                return
            self._reply(*door.answer("\n".join(part for part in (said, body) if part)))

        do_GET = do_POST  # noqa: N815 - what the base class calls it

        def _password(self) -> str:
            scheme, _, given = self.headers.get("Authorization", "").partition(" ")
            return b64decode(given).decode().partition(":")[2] if scheme == "Basic" else ""

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status != 200:
                code = body.removeprefix(b"Code: ").partition(b".")[0].decode()
                self.send_header("X-ClickHouse-Exception-Code", code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    door.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        door.leaving.set()
        server.shutdown()
        thread.join()
        server.server_close()
