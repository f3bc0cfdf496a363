"""The five trips through one really served process, with the clients that people really use."""

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from segment.analytics.client import Client

from assignment import Ruleset, decide
from tests.journeys.conftest import Trip
from tests.samples import experiment, metric

UNITS = [f"user-{number}" for number in range(60)]


@pytest.fixture(scope="module")
def shop(trip: Trip, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trip]:
    """A shop with two experiments, served."""
    path = tmp_path_factory.mktemp("shop") / "shop.json"
    banner = experiment(
        "banner",
        variants=[{"key": "small", "value": 1.0}, {"key": "large", "value": 2.0}],
        control="small",
        targeting={"attribute": "country", "operator": "eq", "value": "NO"},
    )
    path.write_text(json.dumps({"metrics": [metric()], "experiments": [experiment(), banner]}))
    trip.run("apply", path)
    trip.serve()
    yield trip
    trip.stop()


@pytest.fixture(scope="module")
def key(shop: Trip) -> str:
    made: str = shop.json("key", "create", "--kind", "server", "--name", "journey")["key"]
    shop.wait_for(
        lambda: shop.post("/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "u"}}, made)[0] == 200
    )
    return made


def ruleset(shop: Trip) -> Ruleset:
    with sqlite3.connect(shop.data_dir / "evenhand.sqlite3") as connection:
        (document,) = connection.execute("SELECT document FROM ruleset ORDER BY version DESC").fetchone()
    connection.close()
    return Ruleset.from_json(json.loads(document))


def rows(shop: Trip, statement: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(shop.data_dir / "evenhand.sqlite3")
    found = connection.execute(statement).fetchall()
    connection.close()
    return found


def test_an_unmodified_openfeature_client_gets_the_right_variant(shop: Trip, key: str) -> None:
    provider = OFREPProvider(shop.address + "/", headers_factory=lambda: {"Authorization": f"Bearer {key}"})
    api.set_provider_and_wait(provider)
    client = api.get_client()
    rules = ruleset(shop)
    for unit in UNITS:
        context = EvaluationContext(targeting_key=unit, attributes={"country": "NO"})
        text = client.get_string_details("checkout", "default", context)
        number = client.get_float_details("banner", -1.0, context)
        for key_, details in (("checkout", text), ("banner", number)):
            decision = decide(rules, key_, unit=unit, attributes={"country": "NO"})
            assert (details.error_code, details.variant, details.value) == (
                None,
                decision.variant,
                decision.value,
            )
            assert str(details.reason) == "SPLIT"
    outside = client.get_float_details(
        "banner", -1.0, EvaluationContext(targeting_key="u", attributes={"country": "DE"})
    )
    assert (outside.value, outside.variant, outside.error_code) == (1.0, "excluded", None)
    missing = client.get_string_details("nothing", "default", EvaluationContext(targeting_key="u"))
    assert (missing.value, missing.error_code) == ("default", ErrorCode.FLAG_NOT_FOUND)
    nobody = client.get_string_details("checkout", "default", EvaluationContext())
    assert (nobody.value, nobody.error_code) == ("default", ErrorCode.TARGETING_KEY_MISSING)
    api.shutdown()
    shop.wait_for(
        lambda: len(rows(shop, "SELECT 1 FROM exposure WHERE experiment = 'checkout'")) == len(UNITS)
    )


def test_an_unmodified_segment_client_delivers_events_and_a_replay_adds_nothing(shop: Trip, key: str) -> None:
    failures: list[object] = []
    for _ in range(2):
        client = Client(
            key, host=shop.address, sync_mode=False, on_error=lambda error, _: failures.append(error)
        )
        for number, unit in enumerate(UNITS):
            if number % 3 == 0:
                client.track(unit, "purchase", {"value": number}, message_id=f"purchase-{unit}")
        client.identify(UNITS[0], {"email": "nobody@example.com"}, message_id="identify-1")
        client.shutdown()
        assert failures == []
        found = rows(
            shop, "SELECT user_id, value, properties FROM event WHERE event = 'purchase' ORDER BY id"
        )
        assert [(user, value) for user, value, _ in found] == [(UNITS[n], float(n)) for n in range(0, 60, 3)]
    assert rows(shop, "SELECT COUNT(*) FROM event") == [(21,)]
    assert "nobody@example.com" not in str(rows(shop, "SELECT * FROM event"))


def test_what_was_assigned_and_tracked_is_read(shop: Trip) -> None:
    shop.run("analyze", "checkout")
    document = shop.json("readout", "checkout")
    rules = ruleset(shop)
    expected = [decide(rules, "checkout", unit=unit).variant for unit in UNITS]
    assert document["units"] == {"old": expected.count("old"), "new": expected.count("new")}
    (comparison,) = document["comparisons"]
    bought = sum(expected[number] == "new" for number in range(0, 60, 3))
    assert comparison["treatment_value"] == pytest.approx(bought / expected.count("new"))
    shop.run("verify", "checkout")


def test_a_stop_reaches_the_server_within_a_few_seconds(shop: Trip, key: str, tmp_path: Path) -> None:
    context = {"context": {"targetingKey": "user-1", "country": "NO"}}
    assert shop.post("/ofrep/v1/evaluate/flags/banner", context, key)[1]["metadata"]["inExperiment"]
    path = tmp_path / "stop.json"
    stopped = experiment(
        "banner",
        variants=[{"key": "small", "value": 1.0}, {"key": "large", "value": 2.0}],
        control="small",
        targeting={"attribute": "country", "operator": "eq", "value": "NO"},
        status="stopped",
    )
    path.write_text(json.dumps({"experiments": [stopped]}))
    shop.run("apply", path)
    began = time.monotonic()
    shop.wait_for(
        lambda: shop.post("/ofrep/v1/evaluate/flags/banner", context, key)[1]["reason"] == "DISABLED"
    )
    assert time.monotonic() - began < 5


def test_a_body_in_pieces_is_taken_and_one_cut_off_is_not(shop: Trip, key: str) -> None:
    body = json.dumps(
        {"batch": [{"type": "track", "userId": "u", "event": "slow", "messageId": "slow"}]}
    ).encode()
    head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nConnection: close\r\n"
    sized = f"{head}Content-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", shop.port), timeout=10) as connection:
        connection.sendall(sized + body[:10])
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65_536)
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert rows(shop, "SELECT COUNT(*) FROM event WHERE event = 'slow'") == [(0,)]
    with socket.create_connection(("127.0.0.1", shop.port), timeout=10) as connection:
        for part in (sized, body[:10], body[10:30], body[30:]):
            connection.sendall(part)
            time.sleep(0.1)
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 200")
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:25], body[25:])) + b"0\r\n\r\n"
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", shop.port), timeout=10) as connection:
        connection.sendall(chunked + chunks)
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 200")
    assert rows(shop, "SELECT COUNT(*) FROM event WHERE event = 'slow'") == [(1,)]


def test_assignment_goes_on_while_the_ledger_is_locked(shop: Trip, key: str) -> None:
    lock = sqlite3.connect(shop.data_dir / "evenhand.sqlite3", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    event = {"batch": [{"type": "track", "userId": "u", "event": "later", "messageId": "later"}]}
    senders = [threading.Thread(target=shop.post, args=("/v1/batch", event, key)) for _ in range(16)]
    for sender in senders:
        sender.start()
    time.sleep(0.3)
    began = time.monotonic()
    status, _ = shop.post("/ofrep/v1/evaluate/flags/checkout", {"context": {"targetingKey": "new-unit"}}, key)
    waited = time.monotonic() - began
    lock.execute("ROLLBACK")
    lock.close()
    for sender in senders:
        sender.join()
    assert status == 200
    assert waited < 2


def test_what_was_handed_over_is_written_before_the_server_ends(shop: Trip, key: str) -> None:
    lock = sqlite3.connect(shop.data_dir / "evenhand.sqlite3", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    context = {"context": {"targetingKey": "the-last-one"}}
    assert shop.post("/ofrep/v1/evaluate/flags/checkout", context, key)[0] == 200
    stopping = threading.Thread(target=shop.stop)
    stopping.start()
    time.sleep(1)
    lock.execute("ROLLBACK")
    lock.close()
    stopping.join()
    assert rows(shop, "SELECT COUNT(*) FROM exposure WHERE user_id = 'the-last-one'") == [(1,)]
