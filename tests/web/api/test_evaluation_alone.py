"""Evaluation needs no database: it is not asked, and may be away."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select

from experiments import launch
from experiments.errors import Unavailable
from experiments.store import Store
from experiments.store.tables import RulesetRow
from tests.samples import NOW, definitions, experiment
from tests.web.api.conftest import PATH
from web.app import create_app
from web.deployment import Deployment, open_deployment
from web.settings import Settings


@pytest.fixture
def statements(deployment: Deployment) -> Iterator[list[str]]:
    heard: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    for engine in (deployment.store.reader, deployment.store.writer):
        event.listen(engine, "before_cursor_execute", listen)
    yield heard
    for engine in (deployment.store.reader, deployment.store.writer):
        event.remove(engine, "before_cursor_execute", listen)


def test_no_evaluation_asks_the_database(ask: Any, statements: list[str]) -> None:
    ask(**{"X-Evenhand-Exposure": "off"})
    ask("over")
    ask("nothing")
    ask(path=PATH)
    ask(body=b"{")
    assert statements == []


def test_evaluation_goes_on_without_the_database(
    ask: Any, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Store) -> Any:
        raise Unavailable("gone")

    monkeypatch.setattr(Store, "read", gone)
    monkeypatch.setattr(Store, "write", gone)
    deployment.mirror.refresh()
    assert not deployment.mirror.fresh
    assert ask().status_code == 200
    assert ask(path=PATH).status_code == 200


def test_a_process_that_starts_without_the_database_begins_with_the_kept_state(
    deployment: Deployment, server_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Store) -> Any:
        raise Unavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", gone)
        patch.setattr(Store, "write", gone)
        other = open_deployment(Settings(data_dir=deployment.settings.data_dir), now=lambda: NOW)
        other.mirror.start()
        headers = {"Authorization": f"Bearer {server_key}"}
        asked = (
            create_app(other)
            .test_client()
            .post(f"{PATH}/checkout", json={"context": {"targetingKey": "u1"}}, headers=headers)
        )
        assert asked.status_code == 200
        other.close()


def test_one_broken_experiment_leaves_the_others_in_force(deployment: Deployment, ask: Any) -> None:
    with deployment.store.write() as session:
        launch.apply(session=session, definitions=definitions(experiment("fresh")), actor="t", now=NOW)
        row = session.exec(select(RulesetRow).order_by(RulesetRow.version.desc())).first()  # type: ignore[union-attr]  # SQLModel types a column as its values
        assert row is not None
        row.document = (
            row.document.replace('"key":"fresh","phase":1', '"key":"fresh","phase":[]')
            .replace('"salt":"', '"salt":"', 1)
            .replace('"control":"plain"', '"control":"gone"')
        )
    deployment.mirror.refresh()
    assert "banner" in deployment.mirror.reflection.ruleset.broken
    assert ask("checkout").status_code == 200
    assert ask("banner").status_code == 404
