"""An import that was killed is finished by importing the file again; other writers get their turn."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from experiments import imports, rowfiles
from experiments.imports import MOST_KEPT, FileKind, import_file
from experiments.store import Store
from experiments.store.ledger import Receipt, append, append_rows
from tests.samples import NOW, event

ROWS = 40_000
CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from experiments import rowfiles
from experiments.imports import FileKind, import_file
from experiments.store import open_store
rowfiles.BLOCK_CHARACTERS = 10_000
store, path = open_store(sys.argv[1]), Path(sys.argv[2])
import_file(store=store, kind=FileKind.EVENTS, path=path, now=datetime.now(UTC))
"""


def write(path: Path, rows: int, *, different: int) -> Path:
    lines = (f"u{n % different},purchase,1,2026-03-15T09:00:{n % different % 60:02}Z\n" for n in range(rows))
    path.write_text("user_id,event,value,timestamp\n" + "".join(lines))
    return path


def stored(store: Store) -> int:
    with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM event").fetchone()[0])


def test_a_killed_import_is_finished_by_the_same_file(store: Store, tmp_path: Path) -> None:
    # Every row stands in the file twice, far apart: the ordinals have to come out the same again.
    path = write(tmp_path / "events.csv", ROWS, different=ROWS // 2)
    child = subprocess.Popen([sys.executable, "-c", CHILD, store.url, str(path)])
    deadline = time.monotonic() + 60
    while stored(store) == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    assert child.wait() == -9
    before = stored(store)
    assert 0 < before < ROWS
    report = import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW)
    assert report.receipt == Receipt(ROWS - before, before)
    assert stored(store) == ROWS
    with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
        each = connection.execute("SELECT COUNT(*) FROM event GROUP BY user_id").fetchall()
    assert set(each) == {(2,)}


def test_rows_in_another_order_are_the_same_rows(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "events.csv", 300, different=100)
    assert import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW).receipt == Receipt(300)
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(lines)]))
    assert import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW).receipt == Receipt(0, 300)


def test_others_write_while_a_file_is_imported(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rowfiles, "BLOCK_CHARACTERS", 1_000)
    path = write(tmp_path / "events.csv", 500, different=500)
    turns: list[Receipt] = []

    def write_one(share: float) -> None:
        with store.write() as session:
            turns.append(append(session=session, records=[event(len(turns))]))

    report = import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW, progress=write_one)
    assert report.receipt == Receipt(500)
    assert len(turns) > 10
    assert set(turns) == {Receipt(1)}


def test_no_transaction_is_larger_than_a_chunk(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def counted(**arguments: Any) -> Receipt:
        sizes.append(len(arguments["rows"]))
        return append_rows(**arguments)

    monkeypatch.setattr(imports, "CHUNK", 128)
    monkeypatch.setattr(imports, "append_rows", counted)
    path = write(tmp_path / "events.csv", 1_000, different=1_000)
    import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW)
    assert max(sizes) == 128
    assert sum(sizes) == 1_000


def test_the_first_thousand_bad_rows_are_kept_and_all_are_counted(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user_id,event,timestamp\n" + "u1,e,never\n" * (MOST_KEPT + 500) + "u1,e,2026-03-15\n")
    report = import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW)
    assert (len(report.rejected), report.rejected_total) == (MOST_KEPT, MOST_KEPT + 500)
    assert [row.line for row in report.rejected] == list(range(2, MOST_KEPT + 2))
    assert report.receipt == Receipt(1)
