"""A server as an operator starts it: a process with workers, reached over HTTP alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
START_PATIENCE = 120.0


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    def get(self, path: str, **headers: str) -> Answered:
        return self._ask(urllib.request.Request(self.url + path, headers=_named(headers)))

    def post(self, path: str, document: Any, **headers: str) -> Answered:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self._ask(urllib.request.Request(self.url + path, body, _named(headers)))

    def evaluate(self, key: str, unit: str, secret: str, **attributes: Any) -> Answered:
        context = {"context": {"targetingKey": unit, **attributes}}
        return self.post(f"/ofrep/v1/evaluate/flags/{key}", context, authorization=f"Bearer {secret}")

    def leave(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Tell it to leave; give its exit code and all that it has said."""
        if number is signal.SIGINT:  # a terminal tells every process of the group
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        return self.process.wait(60), self.log.read_text()

    def _ask(self, request: urllib.request.Request) -> Answered:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answered(answer.status, dict(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answered(refused.code, dict(refused.headers.items()), refused.read())


@contextmanager
def served(folder: Path, *, workers: int = 1, **environment: str) -> Iterator[Served]:
    """Serve a data directory for as long as the block runs."""
    port, log = free_port(), folder / "server.log"
    command = [sys.executable, "-m", "web", "serve", "--port", str(port), "--workers", str(workers)]
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "EVENHAND_DATA_DIR": str(folder), **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        server = Served(f"http://127.0.0.1:{port}", process, log)
        try:
            wait_for(lambda: answers(server), START_PATIENCE)
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


def answers(server: Served) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        return server.get("/livez").status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], patience: float = 10.0) -> float:
    """Wait until something is so; give the seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience
        time.sleep(0.02)
    return time.monotonic() - began


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
