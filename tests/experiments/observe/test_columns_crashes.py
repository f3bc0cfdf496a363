"""The columnar copy holds what the ledger holds: after growth, crashes, damage and restores."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from experiments.errors import Unavailable
from experiments.observe import columns, layout
from experiments.store import Store
from experiments.store.floors import raise_floors
from experiments.store.ledger import append
from tests.samples import event, exposure

CRASHES = """
import os, signal, sys
from pathlib import Path
from experiments.observe import columns, layout
from experiments.store import open_store

columns.BATCH, columns.PIECE, layout.LOOSE = 40, 15, 100
url, path = sys.argv[1], Path(sys.argv[2])


class Doomed:
    "A connection that is killed before its n-th step."

    def __init__(self, connection, steps):
        self.connection, self.steps = connection, steps

    def __getattr__(self, name):
        self.steps -= 1
        if self.steps < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return getattr(self.connection, name)


def run(steps):
    child = os.fork()
    if child == 0:
        with columns.opened(path) as connection:
            columns.refresh(Doomed(connection, steps), open_store(url))
        os._exit(0)
    return os.waitpid(child, 0)[1]


step, killed = 0, 0
while run(step) == signal.SIGKILL:
    killed += 1
    step = step + 1 if step < 12 else step + 7
print(killed)
"""


def fill(store: Store, first: int, last: int) -> None:
    with store.write() as session:
        numbers = range(first, last)
        append(session=session, records=[event(n, value=n / 7 if n % 3 else None) for n in numbers])
        append(session=session, records=[exposure(n, mark="override" if n == 77 else None) for n in numbers])


def in_copy(path: Path, store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with columns.opened(path) as connection:
        columns.refresh(connection, store)
        return {
            name: connection.execute(f"SELECT * FROM named_{name} ORDER BY id").fetchall()
            for name in layout.COLUMNS
        }


def in_ledger(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
        return {
            name: connection.execute(f"SELECT {', '.join(chosen)} FROM {name} ORDER BY id").fetchall()
            for name, chosen in layout.COLUMNS.items()
        }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "copy" / "columns.duckdb"


def test_the_copy_grows_with_the_ledger(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "BATCH", 40)
    monkeypatch.setattr(columns, "PIECE", 15)
    monkeypatch.setattr(layout, "LOOSE", 20)
    for first, last in ((0, 1), (1, 100), (100, 100), (100, 131)):
        fill(store, first, last)
        assert in_copy(path, store) == in_ledger(store)


def test_new_rows_are_counted_and_progress_rises_to_the_whole(store: Store, path: Path) -> None:
    fill(store, 0, 50)
    shares: list[float] = []
    with columns.opened(path) as connection:
        assert columns.refresh(connection, store, shares.append) == 100
        assert columns.refresh(connection, store, shares.append) == 0
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_killed_at_any_step_it_neither_loses_nor_doubles_a_row(store: Store, path: Path) -> None:
    fill(store, 0, 130)
    run = subprocess.run(
        [sys.executable, "-c", CRASHES, store.url, str(path)], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 12
    assert in_copy(path, store) == in_ledger(store)


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 1_000, b"\0" * 50_000])
def test_a_file_that_is_no_copy_is_made_again(store: Store, path: Path, damage: bytes) -> None:
    fill(store, 0, 10)
    path.parent.mkdir()
    path.write_bytes(damage)
    assert in_copy(path, store) == in_ledger(store)


def test_a_block_that_rotted_is_noticed_and_the_copy_made_again(store: Store, path: Path) -> None:
    fill(store, 0, 2_000)
    in_copy(path, store)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(200_000))
    statement = "SELECT COUNT(*), SUM(id), MAX(user_id) FROM event"
    assert columns.fetch(store=store, path=path, statement=statement)[0][:2] == (2_000, 2_001_000)


def test_a_copy_of_another_shape_is_made_again(store: Store, path: Path) -> None:
    fill(store, 0, 10)
    in_copy(path, store)
    with duckdb.connect(path) as connection:
        connection.execute("UPDATE shape SET version = 0")
        connection.execute("DELETE FROM event")
    assert in_copy(path, store) == in_ledger(store)


def test_a_ledger_restored_from_a_backup_is_copied_anew(store: Store, path: Path, tmp_path: Path) -> None:
    fill(store, 0, 50)
    ledger = Path(store.url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(tmp_path / "backup")) as target:
        source.backup(target)
    fill(store, 50, 90)
    in_copy(path, store)
    store.close()
    for each in ledger.parent.glob(f"{ledger.name}-*"):
        each.unlink()
    shutil.copy(tmp_path / "backup", ledger)
    assert in_copy(path, store) == in_ledger(store)
    fill(store, 100, 180)
    assert in_copy(path, store) == in_ledger(store)


def test_what_the_ledger_forgets_leaves_the_copy(store: Store, path: Path) -> None:
    fill(store, 0, 10)
    in_copy(path, store)
    with store.write() as session:
        old = [event(n, occurred_at=1_000 + n, event="visit" if n % 2 else "purchase") for n in range(50, 60)]
        append(session=session, records=old)
    in_copy(path, store)
    with store.write() as session:
        raise_floors(session=session, to={"visit": 1_055})
    left = [row[5] for row in in_copy(path, store)["event"] if row[5] < 2_000]
    assert left == [1_050, 1_052, 1_054, 1_055, 1_056, 1_057, 1_058, 1_059]
    with columns.opened(path) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM unit").fetchall()}
    assert "u50" in names
    assert "u51" not in names


def test_rows_lie_by_unit_and_time_once_many_have_come_together(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "BATCH", 40)
    monkeypatch.setattr(layout, "LOOSE", 50)
    with store.write() as session:
        records = [event(n, user_id=f"u{n % 7}", occurred_at=1_000 * (n * 37 % 101)) for n in range(90)]
        append(session=session, records=records)
    statement = "SELECT user_id, occurred_at FROM event ORDER BY rowid"
    rows = columns.fetch(store=store, path=path, statement=statement)
    assert rows == sorted(rows)
    with store.write() as session:
        append(session=session, records=[event(n, user_id=f"u{n % 7}") for n in range(90, 100)])
    later = columns.fetch(store=store, path=path, statement=statement)
    assert later[:90] == rows
    assert later[90:] == sorted(later[90:])


def test_each_id_is_kept_once_whatever_it_names(store: Store, path: Path) -> None:
    with store.write() as session:
        records = [event(n, user_id="same", anonymous_id="same" if n else None) for n in range(5)]
        append(session=session, records=records)
    found = columns.fetch(store=store, path=path, statement="SELECT name FROM unit")
    assert found == [("same",)]
    shown = columns.fetch(
        store=store, path=path, statement="SELECT user_id, anonymous_id FROM named_event ORDER BY id"
    )
    assert shown == [("same", None), *[("same", "same")] * 4]


def test_a_copy_that_another_process_keeps_is_refused_after_a_while(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_copy(path, store)
    monkeypatch.setattr(columns, "LOCK_PATIENCE", 0.2)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb, time; c = duckdb.connect({str(path)!r}); print(1, flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(Unavailable, match="another process"), columns.opened(path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()


def test_a_place_where_no_file_can_be_made_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(Unavailable, match="cannot be made"), columns.opened(path):
        pass
