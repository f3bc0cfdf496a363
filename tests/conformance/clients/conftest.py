"""One server for all clients, with experiments of every kind, and the clients from npm."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from experiments import launch
from experiments.definition import Definitions
from experiments.people import KeyKind, create_key
from experiments.store import open_store
from tests.samples import NOW, experiment, metric
from tests.served import Served, served
from tests.turns import alone

HERE = Path(__file__).parent
NORDIC = {"all": [{"attribute": "country", "operator": "in", "value": ["NO", "SE"]}, {"segment": "adults"}]}
OBJECTS: list[dict[str, Any]] = [
    {"key": "small", "value": {"size": 1.5, "tags": ["a"]}},
    {"key": "large", "weight": 3, "value": {"size": 2, "tags": []}},
]
EXPERIMENTS = [
    experiment("plain"),
    experiment("part", traffic=3_000),
    experiment("object", variants=OBJECTS, control="small"),
    experiment("number", variants=[{"key": "a", "value": 1.5}, {"key": "b", "value": 2}], control="a"),
    experiment(
        "switch", variants=[{"key": "off", "value": False}, {"key": "on", "value": True}], control="off"
    ),
    experiment("layered", layer="pricing", slots=[[0, 2_500], [7_500, 9_000]]),
    experiment("beside", layer="pricing", slots=[[2_500, 7_500]]),
    experiment("targeted", targeting=NORDIC),
    experiment("others", targeting={"not": NORDIC}, holdouts=["quarter"]),
    experiment("new", targeting={"attribute": "app.version", "operator": "version_ge", "value": "1.2.0"}),
    experiment("device", unit="anonymous_id"),
    experiment("stopped", status="stopped"),
    experiment("shipped", status="stopped"),
]


@dataclass(frozen=True)
class World:
    """A server and the keys to it."""

    server: Served
    server_key: str
    client_key: str

    @property
    def url(self) -> str:
        return self.server.url


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, empty_ledger: Path) -> Iterator[World]:
    """A server that runs, with layers, holdouts, a segment and experiments of every kind."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "evenhand.sqlite3").write_bytes(empty_ledger.read_bytes())
    store = open_store(f"sqlite:///{folder / 'evenhand.sqlite3'}")
    document = {
        "layers": [{"key": "pricing"}],
        "holdouts": [{"key": "year", "share": 1_000}, {"key": "quarter", "share": 500}],
        "segments": [{"key": "adults", "condition": {"attribute": "age", "operator": "ge", "value": 18}}],
        "metrics": [metric()],
        "experiments": EXPERIMENTS,
    }
    with store.write() as session:
        definitions = Definitions.model_validate(document)
        launch.apply(session=session, definitions=definitions, actor="t", now=NOW)
        launch.conclude(session=session, key="shipped", ship="new", actor="t", now=NOW)
        keys = [create_key(session=session, kind=kind, name="t", actor="t", now=NOW)[1] for kind in KeyKind]
    store.close()
    with served(folder) as server:
        yield World(server, *keys)


def units(count: int) -> list[dict[str, Any]]:
    """Contexts of many kinds, one a unit; the targeting key is repeated as GrowthBook's clients name it."""
    countries = ["NO", "SE", "DK", None, 5, ["NO"]]
    return [
        {
            "targetingKey": name,
            "id": name,
            "anonymous_id": f"device-{number}",
            "country": countries[number % len(countries)],
            "age": number % 40,
            "app": {"version": f"1.{number % 5}.{number % 7}"},
        }
        for number in range(count)
        for name in [f"unit-{number}" if number % 7 else f"zoë-{number}-😀"]
    ]


Script = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(scope="session")
def script() -> Script:
    """Runs one of the scripts in this folder with the clients from npm, which are installed once."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        assert "CI" not in os.environ, "the checks need node and npm"
        pytest.skip("node and npm are not installed")
    with alone("clients"):
        folder = _installed(npm)

    def run(name: str, document: dict[str, Any]) -> Any:
        done = subprocess.run(
            [node, folder / name], input=json.dumps(document), capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def _installed(npm: str) -> Path:
    """Install what package.json pins into a folder outside the repository, and the scripts beside it."""
    pins = (HERE / "package.json").read_bytes()
    folder = Path(tempfile.gettempdir()) / f"evenhand-clients-{hashlib.sha256(pins).hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    for file in [HERE / "package.json", *HERE.glob("*.mjs")]:
        shutil.copy(file, folder)
    if not (folder / "complete").exists():
        done = subprocess.run(
            [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode != 0:
            assert "CI" not in os.environ, done.stderr
            pytest.skip("the packages cannot be installed here")
        (folder / "complete").touch()
    return folder
