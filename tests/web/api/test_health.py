from typing import Any

import pytest
from flask.testing import FlaskClient

from experiments.errors import Unavailable
from experiments.store import Store
from web.deployment import Deployment


def gone(_: Store) -> Any:
    raise Unavailable("gone")


def test_a_process_that_lives_says_so_without_asking_anybody(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "read", gone)
    assert client.get("/livez").json == {"status": "ok"}


def test_readiness_tells_which_ruleset_is_served(client: FlaskClient, deployment: Deployment) -> None:
    version = deployment.mirror.reflection.ruleset.version
    assert client.get("/readyz").json == {
        "status": "ok",
        "published": version,
        "ruleset": version,
        "broken": [],
        "waiting": 0,
    }


def test_a_process_without_its_database_is_not_ready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "read", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["status"] == "unavailable"


@pytest.mark.parametrize("path", ["/api/v1/experiments", "/api/v1/experiments/checkout/readout"])
def test_management_needs_somebody_signed_in(client: FlaskClient, server_key: str, path: str) -> None:
    for headers in ({}, {"Authorization": f"Bearer {server_key}"}):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.json is not None
