"""The mirror: fresh within two seconds, and of the last good state when the database is away."""

import json
import logging
from pathlib import Path

import pytest
from sqlmodel import select

from assignment import decide
from experiments import launch
from experiments.people import KeyKind
from experiments.store.tables import RulesetRow
from experiments.workers import list_workers
from tests.samples import DAY, NOW, apply, experiment
from tests.served import wait_for
from tests.web.conftest import make_key
from web.deployment import Deployment, open_deployment
from web.settings import Settings


def stop(deployment: Deployment, key: str = "checkout") -> None:
    with deployment.store.write() as session:
        launch.stop(session=session, key=key, actor="t", now=NOW)


def database(deployment: Deployment) -> Path:
    return Path(deployment.store.url.removeprefix("sqlite:///"))


def detail(deployment: Deployment) -> str:
    return decide(deployment.mirror.reflection.ruleset, "checkout", unit="u").detail


def take_database_away(deployment: Deployment, content: bytes | None) -> None:
    """Replace the database by something else, or by nothing."""
    deployment.store.close()
    path = database(deployment)
    for beside in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        beside.unlink(missing_ok=True)
    path.rename(path.with_suffix(".away"))
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)


def test_a_change_is_in_force_within_two_seconds(deployment: Deployment) -> None:
    deployment.mirror.start()
    assert detail(deployment) == "assigned"
    stop(deployment)
    assert wait_for(lambda: detail(deployment) == "not_running") < 2
    secret = make_key(deployment, KeyKind.SERVER)
    assert any(key.opens_with(secret) for key in deployment.mirror.reflection.keys.values())


def test_a_process_says_which_ruleset_it_serves(deployment: Deployment) -> None:
    deployment.mirror.start()

    def listed() -> list[int]:
        with deployment.store.read() as session:
            return [each.ruleset for each in list_workers(session=session, now=NOW)]

    version = deployment.mirror.reflection.ruleset.version
    wait_for(lambda: listed() == [version])
    stop(deployment)
    wait_for(lambda: listed() == [version + 1])
    with deployment.store.read() as session:
        assert list_workers(session=session, now=NOW + DAY) == []


def test_one_broken_rule_is_left_out_and_reported_and_the_others_go_on(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    apply(deployment.store, experiment(), experiment("search"))
    with deployment.store.write() as session:
        row = session.exec(select(RulesetRow).order_by(RulesetRow.version.desc())).first()  # type: ignore[union-attr]  # a column
        assert row is not None
        document = json.loads(row.document)
        (broken,) = (rule for rule in document["rules"] if rule["key"] == "checkout")
        broken["traffic"] = "all"
        row.document = json.dumps(document)
        session.add(row)
    with caplog.at_level(logging.ERROR):
        deployment.mirror.refresh()
    ruleset = deployment.mirror.reflection.ruleset
    assert ("search" in ruleset.rules, list(ruleset.broken)) == (True, ["checkout"])
    assert "checkout is left out" in caplog.text


@pytest.mark.parametrize("document", ["", "{", "[]", "{}", '{"hash_version": 3, "version": 1}'])
def test_a_document_that_cannot_be_read_leaves_the_last_good_one_in_force(
    deployment: Deployment, document: str, caplog: pytest.LogCaptureFixture
) -> None:
    deployment.mirror.refresh()
    with deployment.store.write() as session:
        session.add(RulesetRow(digest="x", document=document, published_at=NOW))
    for _ in range(3):
        deployment.mirror.refresh()
    assert detail(deployment) == "assigned"
    assert caplog.text.count("last good state") == 1


@pytest.mark.parametrize("content", [None, b"", b"garbage " * 1_000], ids=["folder", "empty", "garbage"])
def test_the_last_good_state_stays_when_the_database_is_away(
    deployment: Deployment, content: bytes | None
) -> None:
    deployment.mirror.refresh()
    take_database_away(deployment, content)
    deployment.mirror.refresh()
    assert not deployment.mirror.fresh
    assert detail(deployment) == "assigned"
    path = database(deployment)
    path.rmdir() if content is None else path.unlink()
    deployment.store.close()
    for beside in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        beside.unlink(missing_ok=True)
    path.with_suffix(".away").rename(path)
    stop(deployment)
    deployment.mirror.refresh()
    assert (deployment.mirror.fresh, detail(deployment)) == (True, "not_running")


def test_a_start_without_the_database_goes_on_with_the_kept_state(deployment: Deployment) -> None:
    secret = make_key(deployment, KeyKind.SERVER)
    take_database_away(deployment, b"garbage " * 1_000)
    again = open_deployment(Settings(data_dir=deployment.settings.data_dir))
    again.mirror.start()
    assert (again.mirror.fresh, detail(again)) == (False, "assigned")
    assert any(key.opens_with(secret) for key in again.mirror.reflection.keys.values())
    assert again.mirror.reflection.features == deployment.mirror.reflection.features
    again.close()


def test_the_kept_state_holds_no_secret_and_is_for_its_owner_alone(deployment: Deployment) -> None:
    secret = make_key(deployment, KeyKind.SERVER)
    kept = deployment.settings.kept_path
    assert secret not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kept", [None, "", "[]", "{}", '{"ruleset": 1, "keys": [1], "published_at": ""}'])
def test_a_start_with_neither_serves_nothing_but_starts(
    deployment: Deployment, kept: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    take_database_away(deployment, b"garbage " * 1_000)
    if kept is None:
        deployment.settings.kept_path.unlink()
    else:
        deployment.settings.kept_path.write_text(kept)
    again = open_deployment(Settings(data_dir=deployment.settings.data_dir))
    again.mirror.start()
    assert again.mirror.reflection.ruleset.rules == {}
    assert "no kept state" in caplog.text
    again.close()
