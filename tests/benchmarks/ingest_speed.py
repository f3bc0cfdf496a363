"""How fast events are taken in, and how quick evaluation stays meanwhile.

Run by hand: ``python -m tests.benchmarks.ingest_speed``, with ``--parts`` for some of it.
Everything is a ratio within one run, the median of several rounds in turn; the load comes from the same
machine, so it is paid for by the same processors. Single events come from ``wrk``, and are compared with
three endpoints of the same server that store nothing: our doors without the ledger, which look up the key,
parse, count and answer; a function that parses the events and does nothing else; one that decodes the JSON.
"""

import argparse
import json
import multiprocessing
import secrets
import selectors
import socket
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.pressing import EVENTS, Load, granian, press, running
from tests.served import Instance, free_port, set_up

BATCH = 100
CONNECTIONS = 12
SECONDS = 3.0
ROUNDS = 5
PARTS = ["batches", "singles", "latency"]

DEFINITIONS: dict[str, Any] = {
    "metrics": [{"key": "bought", "kind": "proportion", "event": "Purchase"}],
    "experiments": [
        {
            "key": "checkout",
            "variants": [{"key": "old"}, {"key": "new"}],
            "control": "old",
            "status": "running",
            "metrics": {"primary": ["bought"]},
        }
    ],
}


def message(number: int) -> dict[str, Any]:
    """An event as a Segment client sends it; its id begins with the time."""
    at = 1_760_000_000_000 + number
    return {
        "type": "track",
        "messageId": f"{at:012x}-{secrets.token_hex(8)}",
        "userId": f"user-{number}",
        "event": "Purchase",
        "timestamp": "2026-03-15T12:00:00.000Z",
        "properties": {"value": 9.5, "sku": "A-17"},
    }


def request(path: str, document: Any, key: str) -> bytes:
    body = json.dumps(document, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass
class Sent:
    """What a load of requests came to."""

    answered: int = 0
    refused: int = 0
    seconds: float = 0.0


def send(port: int, requests: Sequence[bytes], seconds: float) -> Sent:
    """Send requests one after the other over several connections, until the time or the requests are over."""
    selector, waiting = selectors.DefaultSelector(), iter(requests)
    load, began = Sent(), time.perf_counter()
    for each in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, each)
        connection.sendall(next(waiting))
    open_ones = CONNECTIONS
    while open_ones:
        for ready, _ in selector.select():
            connection = ready.fileobj  # type: ignore[assignment]  # we registered sockets
            answer = connection.recv(65_536)
            if answer.startswith(b"HTTP/1.1 200"):
                load.answered += 1
            else:
                load.refused += 1
            following = next(waiting, None) if time.perf_counter() - began < seconds else None
            if following is None:
                selector.unregister(connection)
                connection.close()
                open_ones -= 1
            else:
                connection.sendall(following)
    load.seconds = time.perf_counter() - began
    return load


def bare(folder: Path, rows: Sequence[tuple[Any, ...]], *, per_commit: int) -> float:
    """Rows a second of one process with nothing but SQLite's own module."""
    connection = sqlite3.connect(folder / f"bare-{secrets.token_hex(4)}.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE event (id INTEGER PRIMARY KEY, message_id VARCHAR(200) NOT NULL UNIQUE,"
        " user_id VARCHAR, anonymous_id VARCHAR, event VARCHAR, value FLOAT, occurred_at BIGINT,"
        " received_at BIGINT,"
        " properties TEXT, mark VARCHAR)"
    )
    insert = (
        "INSERT INTO event (message_id, user_id, anonymous_id, event, value, occurred_at, received_at,"
        " properties, mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO NOTHING"
    )
    began = time.perf_counter()
    for first in range(0, len(rows), per_commit):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows[first : first + per_commit])
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return len(rows) / seconds


def row(message: dict[str, Any]) -> tuple[Any, ...]:
    at = 1_773_576_000_000
    properties = json.dumps(message["properties"], separators=(",", ":"))
    return (message["messageId"], message["userId"], None, message["event"], 9.5, at, at, properties, None)


def parse_events() -> Any:
    """An application that parses events as the door does, and says yes without storing them."""
    from experiments.messages import parse_body

    return _answering(lambda body: parse_body(body, implied_type="track", received_at=datetime.now(UTC)))


def parse_json() -> Any:
    """An application that parses a body as JSON, whatever it says, and says yes."""
    from pydantic_core import from_json

    return _answering(from_json)


def doors_alone() -> Any:
    """The doors themselves, which say yes as soon as events are parsed, and store nothing."""
    from experiments.store.ledger import Receipt
    from experiments.writing import Job, LedgerWriter
    from web.app import serve_app

    def acknowledge(_: object, records: Sequence[Any], remarks: Any, told: Callable[[Job], None]) -> Job:
        job = Job(records, remarks, told)
        job.outcome = Receipt(len(records))
        return job

    LedgerWriter.hand_over = acknowledge  # type: ignore[assignment,method-assign]  # in this process
    return serve_app()


def _answering(read: Callable[[bytes], object]) -> Any:
    headers = [("Content-Type", "application/json"), ("Content-Length", "16")]

    async def app(_: Any, protocol: Any) -> None:
        body = await protocol()
        if body:
            read(body)
        protocol.response_bytes(200, headers, b'{"success":true}')

    return app


@contextmanager
def parsing(application: str, folder: Path) -> Iterator[int]:
    """The same server with an endpoint that only parses."""
    port = free_port()
    command = granian(f"tests.benchmarks.ingest_speed:{application}", port)
    with running(command, port, EVENHAND_DATA_DIR=str(folder)):
        yield port


def evaluations(instance: Instance, seconds: float) -> list[float]:
    """Milliseconds of evaluations one after the other, with a pause between."""
    connection = socket.create_connection(("127.0.0.1", instance.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times, number, until = [], 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        number += 1
        context = {"context": {"targetingKey": f"user-{number}-{secrets.token_hex(4)}"}}
        asked = request("/ofrep/v1/evaluate/flags/checkout", context, instance.key)
        began = time.perf_counter()
        connection.sendall(asked)
        answer = connection.recv(65_536)
        times.append((time.perf_counter() - began) * 1_000)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        time.sleep(0.002)
    connection.close()
    return times


def _percentiles(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, longest {max(times):.1f} ms of {len(times)}"


def _batches(instance: Instance, folder: Path) -> None:
    rates: list[float] = []
    bares: list[float] = []
    whole: list[float] = []
    count, number = 40_000, 0
    for _ in range(ROUNDS):
        messages = [message(number + n) for n in range(count)]
        number += count
        rows = [row(each) for each in messages]
        bares.append(bare(folder, rows, per_commit=BATCH))
        whole.append(bare(folder, rows, per_commit=count))
        groups = [messages[n : n + BATCH] for n in range(0, count, BATCH)]
        asked = [request("/v1/batch", {"batch": each}, instance.key) for each in groups]
        load = send(instance.port, asked, SECONDS)
        assert not load.refused
        rates.append(load.answered * BATCH / load.seconds)
    ours, often, once = map(statistics.median, (rates, bares, whole))
    print(f"bare executemany, a commit for each {BATCH}: {often:,.0f} rows/s; one commit: {once:,.0f} rows/s")
    print(
        f"batches of {BATCH} over HTTP, two workers: {ours:,.0f} rows/s, "
        f"{ours / often:.2f} of the first, {ours / once:.2f} of the second (wanted 0.5)"
    )


def _singles(instance: Instance, folder: Path) -> None:
    applications = {"not stored": "doors_alone", "parsed": "parse_events", "only JSON": "parse_json"}
    with ExitStack() as servers:
        alone = {
            name: servers.enter_context(parsing(each, instance.folder)) for name, each in applications.items()
        }
        loads = _pressed(instance, {"stored": instance.port, **alone}, folder)
    found = {name: sorted(each, key=lambda load: load.rate)[ROUNDS // 2] for name, each in loads.items()}
    for name, load in found.items():
        print(f"single events, {name:10}: {load}")
    ours, *others = (load.rate for load in found.values())
    ratios = ", ".join(f"{name} {ours / rate:.2f}" for name, rate in zip(applications, others, strict=True))
    print(f"ratios (wanted 0.6): {ratios}")


def _pressed(instance: Instance, ports: Mapping[str, int], folder: Path) -> dict[str, list[Load]]:
    loads: dict[str, list[Load]] = {name: [] for name in ports}
    for _ in range(ROUNDS):
        for name, port in ports.items():
            asked = press(port, "/v1/track", f"Bearer {instance.key}", folder, load=EVENTS)
            loads[name].append(asked)
    return loads


def _load(port: int, key: str, seconds: float) -> None:
    groups = [[message(10_000_000 + n * BATCH + m) for m in range(BATCH)] for n in range(400)]
    send(port, [request("/v1/batch", {"batch": each}, key) for each in groups] * 50, seconds)


def _latency(instance: Instance) -> None:
    print(f"evaluation at rest: {_percentiles(evaluations(instance, 2))}")
    context = multiprocessing.get_context("spawn")
    load = context.Process(target=_load, args=(instance.port, instance.key, 12.0))
    load.start()
    time.sleep(3)
    print(f"evaluation under full ingest: {_percentiles(evaluations(instance, 6))} (wanted p99 < 50 ms)")
    load.join()
    load = context.Process(target=_load, args=(instance.port, instance.key, 12.0))
    load.start()
    time.sleep(3)
    with sqlite3.connect(instance.database, isolation_level=None, timeout=30) as other:
        other.execute("BEGIN IMMEDIATE")
        print(f"evaluation while another process holds the lock: {_percentiles(evaluations(instance, 6))}")
        other.execute("ROLLBACK")
    other.close()
    load.join()


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with set_up(folder / "data", workers=2, definitions=DEFINITIONS) as instance:
            time.sleep(2)  # until the first analyses are over
            if "batches" in asked.parts:
                _batches(instance, folder)
            if "singles" in asked.parts:
                _singles(instance, folder)
            if "latency" in asked.parts:
                _latency(instance)


if __name__ == "__main__":
    main()
