"""Pressure: requests to a server over several connections at once, and how long each took.

The client is one process of Python beside the server: where it is the slower of the two, the rates are its
own. They tell what an instance takes at least, on this machine, not what it takes at most.
"""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult

PATIENCE = 30.0
"""Seconds that one answer may take."""

EVENT = "Load Test"
"""The name of the events that are sent; they stay in the ledger until they are forgotten."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent again and again: where to, what (by its number), and how many events that is."""

    path: str
    body: Callable[[int], bytes]
    events: int = 0


@dataclass(slots=True)
class Answers:
    """How long the answers took, in seconds, and what went wrong."""

    taken: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Load:
    """What one kind of request came to."""

    what: str
    seconds: float
    requests: int
    events: int
    quantiles: dict[str, float]
    failed: dict[str, int]

    @property
    def rate(self) -> float:
        """Answered requests a second."""
        return self.requests / self.seconds

    def to_json(self) -> dict[str, Any]:
        """What the command line says."""
        return {
            "what": self.what,
            "requests": self.requests,
            "requests_per_second": round(self.rate, 1),
            "events_per_second": round(self.events / self.seconds, 1),
            **{f"{name}_ms": round(value * 1_000, 3) for name, value in self.quantiles.items()},
            "failed": self.failed,
        }


def evaluations(experiment: str | None) -> Request:
    """Evaluations of ever other units: of one experiment, or of all."""
    path = "/ofrep/v1/evaluate/flags" + (f"/{experiment}" if experiment else "")
    return Request(path, lambda number: b'{"context":{"targetingKey":"load-%d"}}' % number)


def batches(size: int, run: str) -> Request:
    """Batches of new events; ``run`` keeps their ids apart from those of other runs."""

    def body(number: int) -> bytes:
        # Ids that begin alike and rise, as those of clients do that put the time first.
        events = [
            {
                "type": "track",
                "event": EVENT,
                "userId": f"load-{number % 10_000}",
                "messageId": f"{run}-{number:09d}-{n:04d}",
            }
            for n in range(size)
        ]
        return json.dumps({"batch": events}, separators=(",", ":")).encode()

    return Request("/v1/batch", body, size)


def press(
    server: SplitResult, key: str, what: str, requests: Sequence[Request], seconds: float, connections: int
) -> Load:
    """Send requests over connections of their own until the time is over.

    Parameters
    ----------
    requests
        The first is measured; the others are sent meanwhile over as many connections each.
    """
    began, until = time.perf_counter(), time.perf_counter() + seconds
    measured = Answers()
    threads = []
    for request in requests:
        numbers, answers = itertools.count(), measured if request is requests[0] else Answers()
        arguments = (server, key, request, numbers, answers, until)
        threads += [threading.Thread(target=_send, args=arguments) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, count = time.perf_counter() - began, len(measured.taken)
    failed = dict(Counter(measured.failed))
    return Load(what, took, count, count * requests[0].events, _quantiles(measured.taken), failed)


def _send(
    server: SplitResult,
    key: str,
    request: Request,
    numbers: "itertools.count[int]",
    answers: Answers,
    until: float,
) -> None:
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "X-Evenhand-Exposure": "off",  # nobody met these variants
    }
    connection = _connection(server)
    while time.perf_counter() < until:
        body = request.body(next(numbers))
        began = time.perf_counter()
        failure = _outcome(connection, server.path.rstrip("/") + request.path, body, headers)
        if failure is None:
            answers.taken.append(time.perf_counter() - began)
            continue
        answers.failed.append(failure)
        time.sleep(0.01)
    connection.close()


def _outcome(
    connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]
) -> str | None:
    """Send one request; None when it was answered with 200, or what came instead."""
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as problem:
        connection.close()  # the next request opens it again
        return type(problem).__name__
    return None if answer.status == 200 else str(answer.status)


def _connection(server: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if server.scheme == "https" else http.client.HTTPConnection
    return kind(str(server.hostname), server.port, timeout=PATIENCE)


def _quantiles(taken: Sequence[float]) -> dict[str, float]:
    ordered = sorted(taken)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {
        name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
        for name, share in shares.items()
    }
