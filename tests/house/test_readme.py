"""The README's tour works: its commands are run here, one after the other, as a newcomer runs them."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
SETUP = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/evenhand demo"


def commands() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README, re.S)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    folder, port = tmp_path_factory.mktemp("newcomer"), free_port()
    environment = {**os.environ, "EVENHAND_DATA_DIR": str(folder / "data")}
    log = (folder / "log").open("w")
    server = subprocess.Popen(
        [BIN / "evenhand", "demo", "--port", str(port)],
        cwd=folder,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=2).close()
            break
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.2)
    try:
        yield folder, port
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def test_the_first_two_commands_are_the_ones_that_the_checks_run() -> None:
    first, second, *_ = commands()
    assert first.strip() == SETUP
    assert second.strip() == ".venv/bin/pytest"
    script = (ROOT / ".ci" / "run").read_text()
    assert "README.md" in script


def test_the_tour_runs_from_definition_to_readout(demo: tuple[Path, int]) -> None:
    folder, port = demo
    script = "\n".join(["set -eu", *commands()[2:]])
    script = script.replace(".venv/bin/", f"{BIN}/").replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    run = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "EVENHAND_DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert run.returncode == 0, run.stderr
    assert "started    experiment signup_form" in run.stdout
    decision = json.loads(re.findall(r'\{"key":"signup_form".*?\}\}', run.stdout)[0])
    assert decision["variant"] in ("long", "short")
    assert decision["metadata"]["inExperiment"] is True
    assert '"accepted":1' in run.stdout
    assert "signup_form: keep_running" in run.stdout
    assert "touch: ship B (goal_better:ctr:B, goal_better:ctr:C)" in run.stdout
