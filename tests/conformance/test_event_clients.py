"""Real clients deliver everything, once, whatever happens between them and the server."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conformance.faulty_proxy import DROP_AFTER, DROP_BEFORE, Fault, faulty_proxy
from tests.conftest import missing
from tests.served import ROOT, Instance, set_up
from tests.turns import alone

HERE = Path(__file__).parent / "clients"
CACHE = ROOT / "node_modules" / ".evenhand-tests"
PACKAGES = ("@segment/analytics-node", "@rudderstack/rudder-sdk-node")
EVENTS = 12

FAULTS: dict[str, list[Fault]] = {
    "none": [],
    "500": [500],
    "503": [503],
    "lost request": [DROP_BEFORE],
    "lost answer": [DROP_AFTER],
    "a bad minute": [500, DROP_AFTER, 503, DROP_BEFORE],
}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with set_up(tmp_path_factory.mktemp("clients"), workers=1) as made:
        yield made


@pytest.fixture(scope="session")
def node() -> Path:
    """The folder with the packages, installed once."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        missing("there is no node and npm here")
    with alone("event-clients"):
        if not all((CACHE / "node_modules" / package).is_dir() for package in PACKAGES):
            CACHE.mkdir(parents=True, exist_ok=True)
            (CACHE / "package.json").write_text(json.dumps({"private": True, "type": "module"}))
            run = subprocess.run(
                [
                    str(npm),
                    "install",
                    "--no-package-lock",
                    "--no-audit",
                    "--no-fund",
                    "--ignore-scripts",
                    *PACKAGES,
                ],
                cwd=CACHE,
                capture_output=True,
                text=True,
                timeout=180,
            )
            if run.returncode != 0:
                missing(f"the packages cannot be installed: {run.stderr.strip()[-300:]}")
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, CACHE)  # a script finds packages beside itself only
    return CACHE


def _segment_python(url: str, key: str, prefix: str) -> None:
    from segment.analytics.client import Client

    client = Client(key, host=url, upload_size=5, upload_interval=0.1, max_retries=8)
    for number in range(EVENTS):
        client.track(f"{prefix}-{number}", "Purchase", {"value": number})
    client.shutdown()


def _rudder_python(url: str, key: str, prefix: str) -> None:
    from rudderstack.analytics.client import Client

    client = Client(key, host=url, upload_size=5, upload_interval=0.1, max_retries=8, gzip=True)
    for number in range(EVENTS):
        client.track(f"{prefix}-{number}", "Purchase", {"value": number})
    client.shutdown()


def _in_node(script: str, folder: Path) -> Callable[[str, str, str], None]:
    def send(url: str, key: str, prefix: str) -> None:
        run = subprocess.run(
            ["node", script, url, key, prefix, str(EVENTS)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert run.returncode == 0, run.stderr

    return send


def _arrived(instance: Instance, prefix: str) -> list[str]:
    with closing(sqlite3.connect(instance.database)) as connection:
        rows = connection.execute(
            "SELECT user_id FROM event WHERE user_id LIKE ? ORDER BY id", [f"{prefix}-%"]
        )
        return [row[0] for row in rows]


def _deliver(
    instance: Instance, send: Callable[[str, str, str], None], prefix: str, faults: list[Fault]
) -> None:
    with faulty_proxy(instance.port, faults) as proxy:
        send(proxy.url, instance.key, prefix)
        assert proxy.met == faults
    assert sorted(_arrived(instance, prefix)) == sorted(f"{prefix}-{number}" for number in range(EVENTS))


@pytest.mark.parametrize("faults", FAULTS)
@pytest.mark.parametrize("send", [_segment_python, _rudder_python])
def test_python_clients_deliver_everything_once(
    instance: Instance, send: Callable[[str, str, str], None], faults: str
) -> None:
    _deliver(instance, send, f"{send.__name__}-{faults}", FAULTS[faults])


@pytest.mark.parametrize("faults", FAULTS)
@pytest.mark.parametrize("script", ["segment.mjs", "rudder.mjs"])
def test_node_clients_deliver_everything_once(
    instance: Instance, node: Path, script: str, faults: str
) -> None:
    _deliver(instance, _in_node(script, node), f"{script}-{faults}", FAULTS[faults])
