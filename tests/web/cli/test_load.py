"""`evenhand loadtest` against a server that stands in for one of ours."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.served import free_port
from tests.web.cli.conftest import Run

AsJson = Callable[..., Any]


class Server(ThreadingHTTPServer):
    """Counts what is asked, and refuses every fourth batch."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[str] = Counter()
        self.ids: set[str] = set()
        self.turn = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.turn:
            self.server.asked[self.path] += 1
            ids = [each["messageId"] for each in document.get("batch", ())]
            assert not self.server.ids.intersection(ids)
            self.server.ids.update(ids)
            refused = self.path == "/v1/batch" and self.server.asked[self.path] % 4 == 0
        known = self.headers["Authorization"] == "Bearer secret"
        assert self.headers["X-Evenhand-Exposure"] == "off"
        self.send_response(503 if refused else 200 if known else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def press(server: Server, *more: str, key: str = "secret") -> list[str]:
    options = ["--seconds", "0.2", "--connections", "2", "--batch", "10", *more]
    return ["loadtest", "--url", f"http://127.0.0.1:{server.server_port}", "--key", key, *options]


def test_it_counts_what_was_answered_and_what_was_not(as_json: AsJson, server: Server) -> None:
    document = as_json(*press(server, "--experiment", "checkout"))
    alone, batches, under = document["results"]
    assert [each["what"] for each in document["results"]] == [
        "evaluations",
        "batches",
        "evaluations under batches",
    ]
    assert alone["requests"] + under["requests"] == server.asked["/ofrep/v1/evaluate/flags/checkout"]
    assert batches["requests"] + batches["failed"]["503"] <= server.asked["/v1/batch"]
    assert batches["events_per_second"] == pytest.approx(10 * batches["requests_per_second"], rel=0.01)
    assert 0 < alone["p50_ms"] <= alone["p95_ms"] <= alone["p99_ms"] <= alone["max_ms"] < 30_000
    assert alone["failed"] == {}


def test_people_get_a_table(run: Run, server: Server) -> None:
    head, alone, *_ = run(*press(server)).output.splitlines()
    assert head.split()[:2] == ["requests/s", "events/s"]
    assert alone.startswith("evaluations ")
    assert server.asked["/ofrep/v1/evaluate/flags"] > 0


def test_a_server_that_refuses_everything_is_one_line(run: Run, server: Server) -> None:
    refused = run(*press(server, key="wrong"))
    assert refused.exit_code == 1
    assert "answered nothing with 200" in refused.stderr
    assert "x 401" in refused.stderr
    away = run("loadtest", "--url", f"http://127.0.0.1:{free_port()}", "--key", "k", "--seconds", "0.1")
    assert "ConnectionRefusedError" in away.stderr


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://localhost", "http://", "http://h:99999", "http://[x"]
)
def test_what_is_no_address_is_named(run: Run, url: str) -> None:
    assert "--url: expected an address" in run("loadtest", "--url", url, "--key", "k").stderr
