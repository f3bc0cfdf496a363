import json
import stat
import threading
from typing import Any

import pytest

from experiments import launch
from experiments.people import KeyKind
from experiments.store import Store
from experiments.workers import list_workers
from tests.samples import NOW
from tests.web.conftest import make_key
from web import mirror as module
from web.deployment import Deployment, open_deployment
from web.mirror import Reflection


def test_a_stop_is_seen_at_the_next_look(deployment: Deployment) -> None:
    before = deployment.mirror.reflection.ruleset
    with deployment.store.write() as session:
        launch.stop(session=session, key="checkout", actor="t", now=NOW)
    assert deployment.mirror.reflection.ruleset is before
    deployment.mirror.refresh()
    assert deployment.mirror.reflection.ruleset.rules["checkout"].state == "stopped"


def test_a_look_without_news_changes_nothing(deployment: Deployment) -> None:
    before = deployment.mirror.reflection
    deployment.mirror.refresh()
    assert deployment.mirror.reflection is before


def test_the_state_is_kept_on_disk_for_its_owner_only_and_without_secrets(deployment: Deployment) -> None:
    secret = make_key(deployment, KeyKind.SERVER)
    path = deployment.settings.data_dir / "mirror.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in path.read_text()
    kept = Reflection.from_json(json.loads(path.read_text()))
    assert kept.ruleset == deployment.mirror.reflection.ruleset
    assert kept.keys == deployment.mirror.reflection.keys


@pytest.mark.parametrize("surprise", [ValueError("not a ruleset"), KeyError("x"), MemoryError()])
def test_whatever_goes_wrong_the_last_good_state_stays_in_force(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, surprise: Exception
) -> None:
    def broken(_: Store) -> Any:
        raise surprise

    before = deployment.mirror.reflection
    monkeypatch.setattr(Store, "read", broken)
    deployment.mirror.refresh()
    assert deployment.mirror.reflection is before
    assert not deployment.mirror.fresh


def test_a_kept_state_that_is_damaged_is_as_good_as_none(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Store) -> Any:
        raise ValueError("gone")

    (deployment.settings.data_dir / "mirror.json").write_text('{"ruleset": [')
    other = open_deployment(deployment.settings, now=lambda: NOW)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", gone)
        other.mirror.start()
        assert other.mirror.reflection.ruleset.rules == {}
        other.close()


def test_a_change_is_seen_in_the_background_and_reported(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.02)
    deployment.mirror.start()
    before = deployment.mirror.reflection.ruleset.version
    with deployment.store.write() as session:
        launch.stop(session=session, key="checkout", actor="t", now=NOW)
    waiting = threading.Event()
    for _ in range(500):
        with deployment.store.read() as session:
            served = [each.ruleset for each in list_workers(session=session, now=NOW)]
        if served == [deployment.mirror.reflection.ruleset.version] and served[0] > before:
            break
        waiting.wait(0.02)
    assert deployment.mirror.reflection.ruleset.rules["checkout"].state == "stopped"
