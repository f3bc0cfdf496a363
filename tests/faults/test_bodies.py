"""Bodies that are cut off, too long, packed to burst, half wrong, or sent by many at once."""

import gzip
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.faults.killing import message, stored
from tests.faults.places import BAD, MOST, left_of
from tests.served import Instance, set_up

LAST_CHUNK = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with set_up(tmp_path_factory.mktemp("bodies"), workers=1) as made:
        yield made


def raw(instance: Instance, body: bytes, *, announced: int | None = None, head: str = "") -> bytes:
    """Send a body as it is; one that is cut off ends with the connection. The first bytes of the answer."""
    length = "" if head else f"Content-Length: {len(body) if announced is None else announced}\r\n"
    request = (
        f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {instance.key}\r\n{length}{head}\r\n"
    )
    with closing(socket.create_connection(("127.0.0.1", instance.port), timeout=20)) as connection:
        try:
            connection.sendall(request.encode() + body)
            if (announced or 0) > len(body) or (head and not body.endswith(LAST_CHUNK)):
                connection.shutdown(socket.SHUT_WR)
            return connection.recv(65_536)
        except ConnectionError:
            return b""


def batch(*ids: str) -> bytes:
    return json.dumps({"batch": [message(each) for each in ids]}).encode()


def test_a_body_that_is_cut_off_is_never_acknowledged(instance: Instance) -> None:
    body = batch("cut-1", "cut-2")
    for kept in (0, 1, len(body) // 2, len(body) - 1):
        assert b" 200 " not in raw(instance, body[:kept], announced=len(body))[:20]
    # Whole JSON in a body that was announced as longer is a cut, too.
    assert b" 200 " not in raw(instance, body, announced=len(body) + 50)[:20]
    packed = gzip.compress(body)
    assert b" 200 " not in raw(instance, packed[:-4])[:20]
    assert not [each for each in stored(instance.database) if each.startswith("cut-")]


def test_a_chunked_body_counts_only_when_it_is_whole(instance: Instance) -> None:
    """The server hands on what came before a cut; only whole JSON, and whole gzip, is taken."""
    body = batch("chunk-1")
    head = "Transfer-Encoding: chunked\r\n"

    def chunk(part: bytes) -> bytes:
        return f"{len(part):x}\r\n".encode() + part + b"\r\n"

    packed = gzip.compress(body)
    for cut in (body[:-1], packed[:-1], packed[: len(packed) // 2]):
        assert b" 200 " not in raw(instance, chunk(cut), head=head)[:20]
        assert b" 200 " not in raw(instance, chunk(cut) + LAST_CHUNK, head=head)[:20]
    assert not [each for each in stored(instance.database) if each.startswith("chunk-")]
    assert b" 200 " in raw(instance, chunk(body[:9]) + chunk(body[9:]) + LAST_CHUNK, head=head)[:20]
    assert [each for each in stored(instance.database) if each.startswith("chunk-")] == ["chunk-1"]


def test_more_than_was_announced_is_no_part_of_the_body(instance: Instance) -> None:
    body = batch("long-1")
    assert b" 200 " in raw(instance, body + b'{"batch": []}', announced=len(body))[:20]
    assert [each for each in stored(instance.database) if each.startswith("long-")] == ["long-1"]


def test_bodies_over_a_limit_are_refused_as_such(instance: Instance) -> None:
    assert b" 413 " in raw(instance, b"", announced=5 * 1024 * 1024)[:20]
    bomb = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=9)
    assert len(bomb) < 1024 * 1024
    began = time.monotonic()
    assert b" 413 " in raw(instance, bomb)[:20]
    assert time.monotonic() - began < 5
    assert instance.post("/v1/track", message("after-the-bomb"))[0] == 200


@pytest.mark.parametrize("bit", range(10))
@pytest.mark.parametrize("value", [0, 1])
def test_a_bad_event_in_any_place_leaves_all_its_neighbours(bit: int, value: int) -> None:
    """Of any two places there is one of these batches in which the one is bad and the other good.

    Every single place alone, in a thousand batches, is a part of the long form.
    """
    bad = [place for place in range(MOST) if place >> bit & 1 == value]
    assert left_of(bad) == (MOST - len(bad), bad)


def test_one_bad_event_leaves_its_neighbours() -> None:
    for place in range(0, MOST, 37):
        assert left_of([place]) == (MOST - 1, [place])


@pytest.mark.parametrize("place", [0, 1, 500, 998, 999])
def test_a_thousand_events_with_a_bad_one_are_stored_but_for_that(instance: Instance, place: int) -> None:
    events: list[Any] = [message(f"p{place}-{n}") for n in range(1_000)]
    events[place] = BAD[place % len(BAD)]
    status, answer = instance.post("/v1/batch", {"batch": events})
    assert (status, answer["accepted"]) == (200, 999)
    assert [each["index"] for each in answer["rejected"]] == [place]


def test_the_same_batch_from_eight_clients_at_once_counts_once(instance: Instance) -> None:
    document = {"batch": [message(f"same-{n}") for n in range(500)]}
    answers: list[dict[str, Any]] = []
    start = threading.Barrier(8)

    def send() -> None:
        start.wait()
        answers.append(instance.post("/v1/batch", document)[1])

    clients = [threading.Thread(target=send) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert sum(answer["accepted"] for answer in answers) == 500
    assert sum(answer["duplicates"] for answer in answers) == 3_500


def test_while_somebody_else_holds_the_database_decisions_go_on(instance: Instance) -> None:
    with closing(sqlite3.connect(instance.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, answer = instance.post("/v1/track", message("locked-1"))
        assert (status, answer["success"]) == (503, False)
        assert instance.post("/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "u"}})[0] == 200
        other.execute("ROLLBACK")
    assert instance.post("/v1/track", message("locked-1"))[0] == 200
