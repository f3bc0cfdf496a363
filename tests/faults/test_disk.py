"""A full disk: nothing half, nothing lost, and no restart when there is room again."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from experiments.errors import Unavailable
from experiments.people import KeyKind, create_key
from experiments.store.ledger import Record
from tests.conftest import missing
from tests.samples import NOW, apply, event
from web.app import create_app
from web.deployment import open_deployment
from web.settings import Settings

SIZE = 8 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        missing("mounting a small disk needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        missing(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def test_a_full_disk_says_come_back_and_recovers_without_a_restart(small_disk: Path) -> None:
    deployment = open_deployment(Settings(data_dir=small_disk))
    apply(deployment.store)
    with deployment.store.write() as session:
        _, key = create_key(session=session, kind=KeyKind.SERVER, name="t", actor="t", now=NOW)
    deployment.mirror.refresh()
    client = create_app(deployment).test_client()
    headers = {"Authorization": f"Bearer {key}"}
    acknowledged, refused, number = 0, 0, 0
    _fill(small_disk / "filler")
    while refused < 3:  # what is left of the log's last page may still take a few
        batch = [
            {"type": "track", "event": "e", "userId": "u", "messageId": f"m{number + n}"} for n in range(200)
        ]
        answer = client.post("/v1/batch", json={"batch": batch}, headers=headers)
        number += 200
        if answer.status_code == 200:
            acknowledged += 200
            assert acknowledged < 100_000
        else:
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
            refused += 1
        decided = client.post(
            "/ofrep/v1/evaluate/flags/checkout",
            json={"context": {"targetingKey": f"u{number}"}},
            headers=headers,
        )
        assert decided.status_code == 200
    (small_disk / "filler").unlink()
    answer = client.post("/v1/batch", json={"batch": batch}, headers=headers)
    assert answer.status_code == 200
    deployment.close()
    with closing(sqlite3.connect(small_disk / "evenhand.sqlite3")) as connection:
        stored = connection.execute("SELECT count(*), count(DISTINCT message_id) FROM event").fetchone()
        shown = connection.execute("SELECT count(*) FROM exposure").fetchone()[0]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stored == (acknowledged + 200, acknowledged + 200)
    assert shown == number // 200


def test_a_disk_that_fills_up_under_load_keeps_what_was_acknowledged(small_disk: Path) -> None:
    deployment = open_deployment(Settings(data_dir=small_disk))
    acknowledged: list[str] = []
    for first in range(0, 200_000, 500):
        batch: list[Record] = [event(first + n, properties='{"filling":"words"}') for n in range(500)]
        try:
            deployment.writer.append(batch)
        except Unavailable:
            break
        acknowledged.extend(each.message_id for each in batch)
    else:
        pytest.fail("the disk did not fill up")
    with deployment.store.read() as session:
        stored = {row[0] for row in session.connection().exec_driver_sql("SELECT message_id FROM event")}
    deployment.close()
    assert stored == set(acknowledged)
