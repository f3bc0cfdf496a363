"""A site with scenes on it, opened as a browser would."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from experiments.people import create_link
from tests.web.scenes import NOW, SCENES, stage
from web.app import create_app
from web.deployment import Deployment, open_deployment
from web.settings import Settings


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


def send(client: FlaskClient, path: str, fields: Mapping[str, object]) -> TestResponse:
    """Send a form as our own page would, with its token."""
    page = client.get("/experiments/new").get_data(as_text=True)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    return client.post(path, data={**fields, "csrf_token": token})


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """All scenes, for tests that only look."""
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
    deployment = open_deployment(Settings(data_dir=folder), now=lambda: NOW)
    if with_scenes:
        stage(deployment.store, *SCENES)
    app = create_app(deployment)
    yield app
    deployment.close()
