"""A whole deployment in a folder of its own, and clients with keys for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from experiments import launch
from experiments.people import KeyKind, create_key
from experiments.store import open_store
from tests.samples import NOW, definitions, experiment, metric
from web.app import create_app
from web.deployment import Deployment, open_deployment
from web.settings import Settings

EXPERIMENTS = (
    experiment(overrides={"tester": "new"}),
    experiment(
        "banner",
        variants=[{"key": "plain", "value": 2.0}, {"key": "loud", "value": {"sizes": [1, 2.0], "on": True}}],
        control="plain",
        targeting={"attribute": "country", "operator": "in", "value": ["NO", "SE"]},
    ),
    experiment("anonymous", unit="anonymous_id"),
    experiment("over", status="stopped"),
    experiment("elsewhere", assignment="external"),
    experiment("nobody", traffic=0),
    experiment("later", status="draft"),
)


@pytest.fixture(scope="session")
def furnished(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which the experiments above are defined, for copying."""
    path = tmp_path_factory.mktemp("furnished") / "evenhand.sqlite3"
    path.write_bytes(empty_ledger.read_bytes())
    store = open_store(f"sqlite:///{path}")
    with store.write() as session:
        file = definitions(*EXPERIMENTS, metrics=[metric()])
        launch.apply(session=session, definitions=file, actor="t", now=NOW)
    store.close()
    return path


@pytest.fixture
def deployment(furnished: Path, tmp_path: Path) -> Iterator[Deployment]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "evenhand.sqlite3").write_bytes(furnished.read_bytes())
    opened = open_deployment(Settings(data_dir=data), now=lambda: NOW)
    opened.mirror.refresh()
    yield opened
    opened.close()


def make_key(deployment: Deployment, kind: KeyKind, *, exposes: bool = True) -> str:
    """Make a key that the doors know at once."""
    with deployment.store.write() as session:
        _, secret = create_key(session=session, kind=kind, name="t", actor="t", now=NOW, exposes=exposes)
    deployment.mirror.refresh()
    return secret


@pytest.fixture
def server_key(deployment: Deployment) -> str:
    return make_key(deployment, KeyKind.SERVER)


@pytest.fixture
def client_key(deployment: Deployment) -> str:
    return make_key(deployment, KeyKind.CLIENT)


@pytest.fixture
def client(deployment: Deployment) -> FlaskClient:
    return create_app(deployment).test_client()
