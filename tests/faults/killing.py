"""Workers that are killed under load, and clients that send again until they are told that it is stored."""

import http.client
import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.served import Instance, set_up

CLIENTS = 4
BATCH = 20
PATIENCE = 60.0
YOUNG = 6.5
"""Seconds within which the server takes the end of the worker that it started last for a sign that none can
live; the ends of others tell it nothing."""

SETTLED = 1.0
"""Seconds after which a worker serves."""


@dataclass
class Delivery:
    """What clients sent and what they were told."""

    sent: int = 0
    acknowledged: int = 0
    replays: int = 0
    ids: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


def message(message_id: str) -> dict[str, Any]:
    return {"type": "track", "messageId": message_id, "userId": f"u-{message_id}", "event": "Purchase"}


def send_until(instance: Instance, leaving: threading.Event, place: str, delivery: Delivery) -> None:
    """Send batches; each again and again, with the same ids, until it is acknowledged."""
    number = 0
    while not leaving.is_set():
        ids = [f"{place}-{number + n}" for n in range(BATCH)]
        number += BATCH
        body = json.dumps({"batch": [message(each) for each in ids]})
        deadline, tries = time.monotonic() + PATIENCE, 0
        while not _sent(instance, body):
            tries += 1
            assert time.monotonic() < deadline, f"the server did not come back: {instance.log[-2_000:]}"
            time.sleep(0.05)
        with delivery.lock:
            delivery.acknowledged += BATCH
            delivery.replays += tries
            delivery.ids.update(ids)


def _sent(instance: Instance, body: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=15)
    try:
        connection.request("POST", "/v1/batch", body, {"Authorization": f"Bearer {instance.key}"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return answer.status == 200


def under_load(instance: Instance, disturb: Callable[[Delivery], None]) -> Delivery:
    """Let clients send while something is done to the server, and until everything is acknowledged."""
    delivery, leaving = Delivery(), threading.Event()
    problems: list[BaseException] = []

    def client(place: int) -> None:
        try:
            send_until(instance, leaving, f"c{place}", delivery)
        except AssertionError as problem:
            problems.append(problem)

    clients = [threading.Thread(target=client, args=(place,)) for place in range(CLIENTS)]
    for each in clients:
        each.start()
    try:
        disturb(delivery)
    finally:
        leaving.set()
        for each in clients:
            each.join()
    assert not problems, problems
    return delivery


def kill_workers(instance: Instance, rounds: int, rng: random.Random, delivery: Delivery) -> None:
    """Kill a worker at a random moment, as often as told.

    The server gives up when the worker that it started last ends at once, since then it would start another
    for ever; so that one is spared for a while, and between two kills something has to be acknowledged.
    """
    first, seen = frozenset(instance.workers()), -1
    for _ in range(rounds):
        time.sleep(rng.uniform(0.0, 0.3))
        deadline = time.monotonic() + PATIENCE
        ripe: list[int] = []
        while not ripe or delivery.acknowledged <= seen:
            ripe = _ripe(instance.workers(), first)
            assert time.monotonic() < deadline, instance.log
            time.sleep(0.02)
        seen = delivery.acknowledged
        os.kill(rng.choice(ripe), signal.SIGKILL)


def _ripe(workers: list[int], first: frozenset[int]) -> list[int]:
    """Which workers may be killed, once the one that was killed before has been replaced."""
    if len(workers) < len(first):
        return []
    ages = {each: _age(each) for each in workers}
    last = min(ages, key=ages.__getitem__)
    return [each for each, age in ages.items() if each in first or age > (YOUNG if each == last else SETTLED)]


def kill_everything(instance: Instance) -> None:
    """Kill the server with all that it started, and start it again."""
    assert instance.process is not None
    os.killpg(instance.process.pid, signal.SIGKILL)
    instance.process.wait()
    instance.start(workers=2)


def _age(process: int) -> float:
    try:
        after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return uptime - int(after_name[19]) / os.sysconf("SC_CLK_TCK")


def killings(folder: Path, rounds: int, *, workers: int = 2, seed: int = 1) -> tuple[Delivery, list[str]]:
    """Kill workers under load.

    Returns
    -------
    tuple[Delivery, list[str]]
        What was acknowledged, and the message ids that are stored.
    """
    rng = random.Random(seed)

    def disturb(delivery: Delivery) -> None:
        kill_workers(instance, rounds, rng, delivery)
        time.sleep(0.5)
        kill_everything(instance)

    with set_up(folder, workers=workers) as instance:
        delivery = under_load(instance, disturb)
    return delivery, stored(instance.database)


def stored(database: Path) -> list[str]:
    """The message ids of all events."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in connection.execute("SELECT message_id FROM event")]
