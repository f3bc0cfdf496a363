"""Exposures on evaluation: recorded once behind the answer, and only where they were meant."""

import json
import sqlite3
import time
from collections.abc import Sequence
from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from assignment import decide
from experiments import writing
from experiments.people import KeyKind
from experiments.store import database
from experiments.store.ledger import Record
from experiments.store.tables import ExposureRow
from experiments.writing import LedgerWriter
from tests.samples import NOW, apply, experiment
from tests.web.conftest import make_key
from web import exposures
from web.app import create_app
from web.deployment import Deployment

PATH = "/ofrep/v1/evaluate/flags"


@pytest.fixture
def door(deployment: Deployment) -> FlaskClient:
    return create_app(deployment).test_client()


def ask(door: FlaskClient, key: str, unit: str, path: str = f"{PATH}/checkout", **headers: str) -> Any:
    context = {"targetingKey": unit, "country": "NO"}
    named = {"Authorization": f"Bearer {key}", **{n.replace("_", "-"): v for n, v in headers.items()}}
    return door.post(path, json={"context": context}, headers=named)


def recorded(deployment: Deployment) -> list[ExposureRow]:
    """What has reached the ledger."""
    deployment.writer.close()
    with deployment.store.read() as session:
        return list(session.exec(select(ExposureRow).order_by(ExposureRow.message_id)))


def test_a_server_keys_evaluation_is_recorded_with_what_is_known(
    deployment: Deployment, server_key: str, door: FlaskClient
) -> None:
    answer = ask(door, server_key, "u1").json
    (row,) = recorded(deployment)
    assert (row.experiment, row.user_id, row.anonymous_id) == ("checkout", "u1", None)
    assert (row.variant, row.mark) == (answer["variant"], None)
    assert json.loads(row.attributes or "") == {"country": "NO"}
    assert row.occurred_at == int(NOW.timestamp() * 1_000)


def test_repeats_are_recorded_once_and_by_all_processes_once(
    deployment: Deployment, server_key: str, door: FlaskClient
) -> None:
    for _ in range(5):
        ask(door, server_key, "u1")
    assert deployment.tally.take()["exposures", "queued"] == 1
    another = create_app(deployment).test_client()
    object.__setattr__(
        deployment,
        "exposures",
        exposures.ExposureLog(deployment.writer, deployment.now, deployment.tally),
    )
    ask(another, server_key, "u1")
    assert len(recorded(deployment)) == 1
    assert deployment.writer.recorded.duplicates == 1


def test_each_phase_and_each_experiment_has_exposures_of_its_own(
    deployment: Deployment, server_key: str, door: FlaskClient
) -> None:
    apply(deployment.store, experiment(), experiment("search", unit="anonymous_id"))
    deployment.mirror.refresh()
    ask(door, server_key, "u1")
    ask(door, server_key, "u1", f"{PATH}/search")
    first, second = sorted(recorded(deployment), key=lambda row: row.experiment)
    assert (first.user_id, second.user_id, second.anonymous_id) == ("u1", None, "u1")


def test_only_server_keys_that_want_it_and_single_evaluations_record(
    deployment: Deployment, server_key: str, client_key: str, door: FlaskClient
) -> None:
    quiet = make_key(deployment, KeyKind.SERVER, exposes=False)
    answers = [
        ask(door, client_key, "u1"),
        ask(door, quiet, "u2"),
        ask(door, server_key, "u3", X_Evenhand_Exposure="off"),
        ask(door, server_key, "u4", PATH),
        ask(door, client_key, "u5", PATH),
        ask(door, "eh_server_00000000_wrong", "u6"),
        ask(door, server_key, "u7", f"{PATH}/unknown"),
    ]
    assert [each.status_code for each in answers] == [200, 200, 200, 200, 200, 401, 404]
    assert recorded(deployment) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"traffic": 0},
        {"targeting": {"attribute": "country", "operator": "eq", "value": "SE"}},
        {"status": "stopped"},
    ],
    ids=str,
)
def test_a_unit_outside_is_not_exposed(
    deployment: Deployment, server_key: str, door: FlaskClient, changes: dict[str, Any]
) -> None:
    apply(deployment.store, experiment("other", **changes))
    deployment.mirror.refresh()
    assert ask(door, server_key, "u1", f"{PATH}/other").json["metadata"]["inExperiment"] is False
    assert recorded(deployment) == []


def test_a_unit_placed_by_hand_is_recorded_with_a_mark(
    deployment: Deployment, server_key: str, door: FlaskClient
) -> None:
    apply(deployment.store, experiment(overrides={"tester": "new"}))
    deployment.mirror.refresh()
    ask(door, server_key, "tester")
    (row,) = recorded(deployment)
    assert (row.variant, row.mark) == ("new", "override")


def test_without_room_an_exposure_is_tried_again_at_the_next_evaluation(
    deployment: Deployment, server_key: str, door: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_KEPT", 0)
    assert ask(door, server_key, "u1").status_code == 200
    assert deployment.tally.take()["exposures", "no_room"] == 1
    monkeypatch.undo()
    assert ask(door, server_key, "u1").status_code == 200
    assert len(recorded(deployment)) == 1


def test_what_could_not_be_stored_is_kept_until_the_database_is_free(
    deployment: Deployment, server_key: str, door: FlaskClient
) -> None:
    with deployment.store.write() as session:
        session.connection().exec_driver_sql(f"PRAGMA busy_timeout={database.BUSY_TIMEOUT_MS // 100}")
    lock = sqlite3.connect(deployment.store.url.removeprefix("sqlite:///"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    ask(door, server_key, "u1")
    time.sleep(0.3)
    assert deployment.writer.waiting == 1
    lock.execute("ROLLBACK")
    lock.close()
    assert len(recorded(deployment)) == 1


def test_the_memory_of_repeats_never_grows(
    deployment: Deployment, server_key: str, door: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(deployment.exposures._recent)
    for number in range(300):
        ask(door, server_key, f"u{number}")
    assert len(deployment.exposures._recent) == before
    assert len(recorded(deployment)) == 300


class _Counting:
    """A writer that only counts what it is offered."""

    def __init__(self) -> None:
        self.offered = 0

    def offer(self, records: Sequence[Record]) -> bool:
        self.offered += len(records)
        return True


def test_units_that_come_in_turn_do_not_make_each_other_forgotten(deployment: Deployment) -> None:
    writer = _Counting()
    log = exposures.ExposureLog(cast("LedgerWriter", writer), deployment.now, deployment.tally)
    ruleset = deployment.mirror.reflection.ruleset
    for number in [*range(4_000), *range(4_000)]:
        decision = decide(ruleset, "checkout", unit=f"unit-{number}")
        log.record(ruleset.rules["checkout"], decision, f"unit-{number}", {})
    assert writer.offered == 4_000
