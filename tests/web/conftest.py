"""Deployments in folders of their own: a site with scenes, opened as a browser would, and doors with keys."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from experiments import launch
from experiments.people import KeyKind, create_key, create_link
from experiments.store import open_store
from tests.samples import NOW, definitions, experiment, metric
from tests.web import scenes
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


def link_for(app: Flask, name: str = "Ada") -> str:
    """A fresh sign-in link."""
    deployment: Deployment = app.extensions["evenhand"]
    with deployment.store.write() as session:
        return "/enter?token=" + create_link(session=session, name=name, actor="test", now=deployment.now())


def signed_in(app: Flask, language: str = "en") -> FlaskClient:
    """A browser with a session."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    assert client.get(link_for(app)).status_code == 303
    return client


def form_token(client: FlaskClient) -> str:
    """The word that our own pages send along with a form."""
    page = client.get("/experiments/new").get_data(as_text=True)
    return str(re.findall(r'name="csrf_token" value="([^"]+)"', page)[0])


def send(client: FlaskClient, path: str, fields: Mapping[str, object]) -> TestResponse:
    """Send a form as our own page would, with its token."""
    return client.post(path, data={**fields, "csrf_token": form_token(client)})


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """All scenes, for tests that only look."""
    yield from _site(tmp_path_factory.mktemp("gallery"), with_scenes=True)


@pytest.fixture(scope="module")
def gallery_of_ones_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """All scenes, for tests that change things."""
    yield from _site(tmp_path_factory.mktemp("gallery"), with_scenes=True)


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Flask]:
    """A site of one's own, for tests that change things."""
    yield from _site(tmp_path, with_scenes=False)


@pytest.fixture
def visitor(gallery: Flask) -> FlaskClient:
    """Somebody signed in who looks at the gallery."""
    return signed_in(gallery)


def _site(folder: Path, *, with_scenes: bool) -> Iterator[Flask]:
    deployment = open_deployment(Settings(data_dir=folder), now=lambda: scenes.NOW)
    if with_scenes:
        scenes.stage(deployment.store, *scenes.SCENES)
    app = create_app(deployment)
    yield app
    deployment.close()


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
