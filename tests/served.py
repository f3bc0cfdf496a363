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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
START_PATIENCE = 120.0
LOG = "server.log"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


@dataclass
class Instance:
    """A data directory, its environment and perhaps a server."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    key: str = ""
    process: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.folder / "evenhand.sqlite3"

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command beside the server."""
        return subprocess.run(
            [sys.executable, "-m", "web", *arguments],
            env=environment_of(self.folder, self.environment),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def answer(self, *arguments: str) -> Any:
        """Run a command that prints JSON."""
        run = self.run(*arguments, "--json")
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    def prepare(self) -> None:
        """Make a server key."""
        self.key = self.answer("key", "create", "--kind", "server", "--name", "tests")["key"]

    def start(self, *, workers: int = 1) -> None:
        """Serve, and wait until the doors answer."""
        self.process = launch(self.folder, self.port, workers=workers, environment=self.environment)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=5).close()
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert self.process is None or self.process.poll() is None, self.log
                assert time.monotonic() < deadline, self.log
                time.sleep(0.1)
            else:
                return

    @property
    def log(self) -> str:
        return (self.folder / LOG).read_text()

    def workers(self) -> list[int]:
        """Process ids of the server's children that serve, and not of the one that analyses."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [
            int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """End the server and everything that it started."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(sign)
        try:
            return process.wait(timeout=30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def post(self, path: str, document: Any, *, timeout: float = 30.0) -> tuple[int, dict[str, Any]]:
        """Send JSON with the key; the answer's status and document."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=json.dumps(document).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)


@contextmanager
def served(folder: Path, *, workers: int = 1, **environment: str) -> Iterator[Served]:
    """Serve a data directory for as long as the block runs."""
    port = free_port()
    process = launch(folder, port, workers=workers, environment=environment)
    server = Served(f"http://127.0.0.1:{port}", process, folder / LOG)
    try:
        wait_for(lambda: answers(server), START_PATIENCE)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def launch(
    folder: Path, port: int, *, workers: int, environment: Mapping[str, str]
) -> "subprocess.Popen[str]":
    """Start the product's own command over a data directory; what it says goes into a file there."""
    with (folder / LOG).open("a") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "web", "serve", "--port", str(port), "--workers", str(workers)],
            cwd=folder,
            env=environment_of(folder, environment),
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def environment_of(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What a command is told of a data directory, wherever it runs."""
    return {**os.environ, "EVENHAND_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT), **environment}


@contextmanager
def set_up(
    folder: Path, *, workers: int = 1, definitions: Any = None, environment: Mapping[str, str] | None = None
) -> Iterator[Instance]:
    """Serve an instance of its own, with a server key and perhaps definitions."""
    instance = Instance(folder, environment or {})
    folder.mkdir(parents=True, exist_ok=True)
    if environment and "EVENHAND_DATABASE_URL" in environment:
        migrated = instance.run("migrate")
        assert migrated.returncode == 0, migrated.stderr
    instance.prepare()
    if definitions is not None:
        (folder / "definitions.json").write_text(json.dumps(definitions))
        applied = instance.run("apply", str(folder / "definitions.json"))
        assert applied.returncode == 0, applied.stderr
    instance.start(workers=workers)
    try:
        yield instance
    finally:
        instance.stop()


def answers(server: Served) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        return server.get("/livez").status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def wait_for(condition: Callable[[], bool], patience: float = 10.0) -> float:
    """Wait until something is so; give the seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience
        time.sleep(0.02)
    return time.monotonic() - began


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
