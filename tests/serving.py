"""A served instance for tests: the product's own command in a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
START_PATIENCE = 60.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Instance:
    """A data directory, its environment and perhaps a server."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    key: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.folder / "evenhand.sqlite3"

    @property
    def _environment(self) -> dict[str, str]:
        own = {"EVENHAND_DATA_DIR": str(self.folder), "PYTHONPATH": str(ROOT)}
        return {**os.environ, **own, **self.environment}

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command beside the server."""
        return subprocess.run(
            [sys.executable, "-m", "web", *arguments],
            env=self._environment,
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
        log = (self.folder / "serve.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "web", "serve", "--port", str(self.port), "--workers", str(workers)],
            env=self._environment,
            cwd=self.folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
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
        return (self.folder / "serve.log").read_text()

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
def served(
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
