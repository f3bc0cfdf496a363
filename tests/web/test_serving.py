"""The server as a process: changes reach every worker, and nothing is lost when it leaves."""

import concurrent.futures
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments import launch
from experiments.people import KeyKind, create_key
from experiments.store import Store, open_store
from experiments.store.schema import upgrade
from experiments.workers import list_workers
from tests.samples import NOW, apply
from tests.served import Served, served, wait_for
from web.deployment import clock


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


def details(server: Served, secret: str) -> set[str]:
    """What many connections are told: each may reach another worker."""
    found = (server.evaluate("checkout", "u", secret).document for _ in range(12))
    return {each["metadata"]["detail"] for each in found}


def test_a_stop_reaches_both_workers_and_both_are_counted(store: Store, secret: str, tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as server:

        def serving() -> list[int]:
            with store.read() as session:
                return [each.ruleset for each in list_workers(session=session, now=clock())]

        wait_for(lambda: serving() == [1, 1], 30)
        assert details(server, secret) == {"assigned"}
        with store.write() as session:
            launch.stop(session=session, key="checkout", actor="t", now=NOW)
        began = time.monotonic()
        wait_for(lambda: details(server, secret) == {"not_running"})
        wait_for(lambda: serving() == [2, 2])
        assert time.monotonic() - began < 5
        assert server.get("/readyz").document["ruleset"] == 2
        time.sleep(1.2)  # the other worker hands on what it has counted once a second
        metrics = server.get("/metrics", authorization=f"Bearer {secret}").body.decode()
        asked = re.findall(r'evenhand_requests_total{door="evaluate",status="200"} (\S+)', metrics)
        told = re.findall(r"evenhand_decisions_total{.*} (\S+)", metrics)
        assert float(asked[0]) == sum(map(float, told)) >= 24
        assert "evenhand_ruleset_version 2.0" in metrics


def test_what_was_handed_over_is_written_when_the_server_is_told_to_leave(
    store: Store, secret: str, tmp_path: Path
) -> None:
    with served(tmp_path) as server, concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(server.evaluate, "checkout", f"unit-{number}", secret) for number in range(400)]
        answered = [each.result().status for each in asked[:390]]
        code, said = server.leave()
        for each in asked[390:]:
            try:
                answered.append(each.result().status)
            except OSError:  # the server was gone
                continue
    assert code == 0, said
    assert "Traceback" not in said
    assert set(answered) == {200}
    assert exposed(store) == len(answered)


def test_a_request_that_waits_is_answered_before_the_server_leaves(
    store: Store, secret: str, tmp_path: Path
) -> None:
    lock = sqlite3.connect(
        store.url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    with served(tmp_path) as server, concurrent.futures.ThreadPoolExecutor(1) as pool:
        lock.execute("BEGIN IMMEDIATE")
        event = {"userId": "u", "event": "purchase", "messageId": "m"}
        waiting = pool.submit(server.post, "/v1/track", event, authorization=f"Bearer {secret}")
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        lock.execute("ROLLBACK")
        assert waiting.result().document["accepted"] == 1
        assert server.process.wait(30) == 0
    lock.close()


def test_decisions_go_on_while_the_ledger_is_locked(store: Store, secret: str, tmp_path: Path) -> None:
    lock = sqlite3.connect(store.url.removeprefix("sqlite:///"), isolation_level=None)
    with served(tmp_path) as server, concurrent.futures.ThreadPoolExecutor(12) as pool:
        lock.execute("BEGIN IMMEDIATE")
        event = {"userId": "u", "event": "purchase"}
        sent = [
            pool.submit(server.post, "/v1/track", event, authorization=f"Bearer {secret}") for _ in range(12)
        ]
        time.sleep(0.3)
        began = time.monotonic()
        for number in range(20):
            assert server.evaluate("checkout", f"u{number}", secret).status == 200
        assert time.monotonic() - began < 2
        lock.execute("ROLLBACK")
        statuses = [each.result().status for each in sent]
    lock.close()
    assert set(statuses) == {200, 503}


def test_the_key_that_interrupts_ends_it_cleanly(store: Store, tmp_path: Path) -> None:
    with served(tmp_path, workers=2) as server:
        code, said = server.leave(signal.SIGINT)
    assert code in (0, 130), said
    assert "Traceback" not in said
    assert "panicked" not in said


def test_it_starts_without_the_database_from_what_it_kept(store: Store, secret: str, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        wait_for((tmp_path / "mirror.json").exists)
        server.leave()
    store.close()
    for path in tmp_path.glob("evenhand.sqlite3*"):
        path.unlink()
    (tmp_path / "evenhand.sqlite3").write_bytes(b"garbage " * 1_000)
    with served(tmp_path) as server:
        assert server.evaluate("checkout", "u", secret).document["metadata"]["detail"] == "assigned"
        assert server.get("/readyz").status == 503
        _, said = server.leave()
    assert "Serving what was last in force" in said


def test_heads_that_are_too_large_are_refused(store: Store, secret: str, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        assert server.get("/livez", x_large="x" * 100_000).status == 431
        assert server.get("/livez", x_large="x" * 8_000).status == 200
