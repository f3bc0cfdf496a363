"""A deployment of its own for every test of this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.people import KeyKind, create_key
from tests.samples import NOW, apply
from web.deployment import Deployment, open_deployment
from web.settings import Settings


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """One process's share, without background work, with ``checkout`` running."""
    opened = open_deployment(Settings(data_dir=tmp_path), now=lambda: NOW)
    apply(opened.store)
    yield opened
    opened.close()


@pytest.fixture
def server_key(deployment: Deployment) -> str:
    return make_key(deployment, KeyKind.SERVER)


@pytest.fixture
def client_key(deployment: Deployment) -> str:
    return make_key(deployment, KeyKind.CLIENT)


def make_key(deployment: Deployment, kind: KeyKind, *, exposes: bool = True) -> str:
    with deployment.store.write() as session:
        _, secret = create_key(session=session, kind=kind, name="t", actor="t", now=NOW, exposes=exposes)
    deployment.mirror.refresh()
    return secret
