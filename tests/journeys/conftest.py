"""Really served processes, each on a data directory and a port of its own."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from web.cli import main
from web.settings import Settings

ROOT = Path(__file__).parents[2]
_UNSET: dict[str, str | None] = {f"EVENHAND_{name.upper()}": None for name in Settings.model_fields}


@dataclass
class Trip:
    """One deployment, used from outside only: by its commands and over HTTP."""

    data_dir: Path
    port: int = 0
    server: "subprocess.Popen[str] | None" = None

    def run(self, *words: object, code: int = 0) -> str:
        """Run a command to its end, in this process: starting another takes longer than most commands."""
        done = CliRunner().invoke(main, [str(word) for word in words], env={**_UNSET, **self._chosen()})
        assert done.exit_code == code, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return done.stdout if code == 0 else done.stderr

    def start(self, *words: object) -> str:
        """Run a command to its end as a process of its own, as people do."""
        done = subprocess.run(
            [sys.executable, "-m", "web", *map(str, words)],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def json(self, *words: object) -> Any:
        """Run a command and read its JSON."""
        return json.loads(self.run(*words, "--json"))

    def serve(self) -> None:
        """Start serving and wait until it lives."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.server = subprocess.Popen(
            [sys.executable, "-m", "web", "serve", "--port", str(self.port)],
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while self.get("/livez")[0] != 200:
            assert self.server.poll() is None, self.server.stderr and self.server.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask the server to end, and wait for it."""
        if self.server is not None:
            self.server.terminate()
            _, said = self.server.communicate(timeout=60)
            assert "Traceback" not in said, said
            self.server = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, Any]:
        """Ask for a path; 0 while nobody listens."""
        return self._ask(Request(self.address + path))

    def post(self, path: str, document: Any, key: str) -> tuple[int, Any]:
        """Send a document with a key."""
        body = json.dumps(document).encode()
        return self._ask(Request(self.address + path, body, {"X-API-Key": key}))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait for what happens in the background."""
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def _ask(self, request: Request) -> tuple[int, Any]:
        try:
            with urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as refusal:
            with refusal:
                return refusal.code, json.loads(refusal.read())
        except OSError:
            return 0, None

    def _chosen(self) -> dict[str, str]:
        return {"EVENHAND_DATA_DIR": str(self.data_dir)}

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return {**kept, "PYTHONPATH": path, **self._chosen()}


@pytest.fixture(scope="module")
def trip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trip]:
    made = Trip(tmp_path_factory.mktemp("trip") / "data")
    yield made
    made.stop()
