"""The server as a process: changes reach every worker, and nothing is lost when it leaves."""

import concurrent.futures
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from experiments import launch
from experiments.people import KeyKind, create_key
from experiments.previews import Preview, Signer
from experiments.store import Store, open_store
from experiments.store.schema import upgrade
from experiments.workers import list_workers
from tests.samples import NOW, apply
from tests.served import Served, served, wait_for
from web.deployment import clock, open_deployment
from web.settings import Settings, secret_key_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'evenhand.sqlite3'}")
    upgrade(opened)
    apply(opened)
    yield opened
    opened.close()


@pytest.fixture
def secret(store: Store) -> str:
    with store.write() as session:
        return create_key(session=session, kind=KeyKind.SERVER, name="t", actor="t", now=NOW)[1]


def exposed(store: Store) -> int:
    with sqlite3.connect(store.url.removeprefix("sqlite:///")) as connection:
        count: int = connection.execute("SELECT count(*) FROM exposure").fetchone()[0]
    connection.close()
    return count


def units(store: Store) -> set[str]:
    with sqlite3.connect(store.url.removeprefix("sqlite:///")) as connection:
        found = {unit for (unit,) in connection.execute("SELECT user_id FROM exposure")}
    connection.close()
    return found


def serving(store: Store) -> list[int]:
    """The rulesets of the processes that serve."""
    with store.read() as session:
        return [each.ruleset for each in list_workers(session=session, now=clock())]


class Lock:
    """Holds the database's write lock, as another process would."""

    def __init__(self, store: Store) -> None:
        path = store.url.removeprefix("sqlite:///")
        self.connection = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self.connection.execute("ROLLBACK")
        self.connection.close()


def details(server: Served, secret: str) -> set[str]:
    """What many connections are told: each may reach another worker."""
    found = (server.evaluate("checkout", "u", secret).document for _ in range(12))
    return {each["metadata"]["detail"] for each in found}


def test_a_server_of_two_workers_from_its_start_to_its_end(store: Store, secret: str, tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as server:
        both_workers_serve(store, server, secret)
        a_preview_is_shown_by_both_and_not_recorded(store, server, secret)
        decisions_go_on_while_the_ledger_is_locked(store, server, secret)
        assert server.get("/livez", x_large="x" * 100_000).status == 431
        assert server.get("/livez", x_large="x" * 8_000).status == 200
        a_stop_reaches_both(store, server, secret)
        both_are_counted(server, secret)
        nothing_is_lost_when_it_leaves(store, server, secret)


def both_workers_serve(store: Store, server: Served, secret: str) -> None:
    wait_for(lambda: serving(store) == [1, 1], 30)
    assert details(server, secret) == {"assigned"}


def a_preview_is_shown_by_both_and_not_recorded(store: Store, server: Served, secret: str) -> None:
    signer = Signer.from_secret(secret_key_of(Settings(data_dir=server.log.parent)))
    link = signer.write(Preview("checkout", "new", clock() + timedelta(days=1)))
    shown = (server.evaluate("checkout", "looker", secret, _variant=link).document for _ in range(12))
    assert {(each["variant"], each["metadata"]["detail"]) for each in shown} == {("new", "preview")}
    assert "looker" not in units(store)


def decisions_go_on_while_the_ledger_is_locked(store: Store, server: Served, secret: str) -> None:
    event = {"userId": "u", "event": "purchase"}
    crowd = 100
    with concurrent.futures.ThreadPoolExecutor(crowd) as pool:
        with Lock(store):
            sent = [pool.submit(server.post, "/v1/track", event, x_api_key=secret) for _ in range(crowd)]
            time.sleep(0.5)
            began = time.monotonic()
            assert all(server.evaluate("checkout", f"u{n}", secret).status == 200 for n in range(20))
            assert time.monotonic() - began < 2
        statuses = {each.result().status for each in sent}
    assert statuses == {200}  # they all waited, and held nobody up


def a_stop_reaches_both(store: Store, server: Served, secret: str) -> None:
    with store.write() as session:
        launch.stop(session=session, key="checkout", actor="t", now=NOW)
    began = time.monotonic()
    wait_for(lambda: details(server, secret) == {"not_running"})
    wait_for(lambda: serving(store) == [2, 2])
    assert time.monotonic() - began < 5
    assert server.get("/readyz").document["ruleset"] == 2


def both_are_counted(server: Served, secret: str) -> None:
    time.sleep(1.2)  # the other worker hands on what it has counted once a second
    metrics = server.get("/metrics", authorization=f"Bearer {secret}").body.decode()
    asked = re.findall(r'evenhand_requests_total{door="evaluate",status="200"} (\S+)', metrics)
    told = re.findall(r"evenhand_decisions_total{.*} (\S+)", metrics)
    assert float(asked[0]) == sum(map(float, told)) >= 44
    assert "evenhand_ruleset_version 2.0" in metrics
    assert 'evenhand_events_total{outcome="accepted"}' in metrics


def nothing_is_lost_when_it_leaves(store: Store, server: Served, secret: str) -> None:
    """Exposures are handed over behind the answer, and an event waits for the ledger."""
    with store.write() as session:
        launch.start(session=session, key="checkout", actor="t", now=NOW)
    wait_for(lambda: details(server, secret) == {"assigned"})
    before = exposed(store)
    event = {"userId": "u", "event": "purchase", "messageId": "m"}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        with Lock(store):
            told = [server.evaluate("checkout", f"late-{n}", secret).status for n in range(100)]
            waiting = pool.submit(server.post, "/v1/track", event, x_api_key=secret)
            time.sleep(0.3)
            leaving = pool.submit(server.leave)
            time.sleep(0.5)
        assert waiting.result().document["accepted"] == 1
        code, said = leaving.result()
    assert code == 0, said
    assert "Traceback" not in said
    assert "panicked" not in said
    assert set(told) == {200}
    assert exposed(store) == before + 100


def test_it_starts_without_the_database_and_an_interrupt_ends_it(
    store: Store, secret: str, tmp_path: Path
) -> None:
    deployment = open_deployment(Settings(data_dir=tmp_path))
    deployment.mirror.refresh()
    deployment.close()
    store.close()
    for path in tmp_path.glob("evenhand.sqlite3*"):
        path.unlink()
    (tmp_path / "evenhand.sqlite3").write_bytes(b"garbage " * 1_000)
    with served(tmp_path) as server:
        assert server.evaluate("checkout", "u", secret).document["metadata"]["detail"] == "assigned"
        assert server.get("/readyz").status == 503
        began = time.monotonic()
        code, said = server.leave(signal.SIGINT)
        assert time.monotonic() - began < 20
    assert code in (0, 130), said
    assert "Serving what was last in force" in said
    assert "Traceback" not in said
    assert "panicked" not in said
