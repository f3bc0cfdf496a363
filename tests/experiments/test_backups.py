"""Backups: whole, of one moment, and back in place with everything."""

import io
import sqlite3
import tarfile
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from experiments.backups import Backup, back_up, restore
from experiments.erasure import erase
from experiments.errors import Conflict, InvalidInput, NotAllowed, Unavailable
from experiments.store import Store, files, open_store
from experiments.store.ledger import append, position
from tests.samples import NOW, apply, event, exposure


@pytest.fixture
def filled(store: Store, tmp_path: Path) -> Store:
    apply(store)
    with store.write() as session:
        append(session=session, records=[exposure(1), *(event(n) for n in range(100))])
    (tmp_path / "mirror.json").write_text("{}")
    return store


def save(store: Store, target: Path) -> Backup:
    return back_up(store=store, state=target.parent / "mirror.json", target=target, now=NOW, version="1")


def bring_back(source: Path, folder: Path, *, replace: bool = False) -> Backup:
    return restore(
        url=f"sqlite:///{folder / 'evenhand.sqlite3'}",
        state=folder / "mirror.json",
        columns=folder / "columns.duckdb",
        source=source,
        actor="t",
        now=NOW,
        replace=replace,
    )


def reach(folder: Path) -> tuple[int, int]:
    store = open_store(f"sqlite:///{folder / 'evenhand.sqlite3'}")
    with store.read() as session:
        found = position(session=session)
    store.close()
    return found


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz"])
def test_what_was_saved_comes_back(filled: Store, tmp_path: Path, name: str) -> None:
    saved = save(filled, tmp_path / name)
    assert (saved.contents.experiments, saved.contents.exposures, saved.contents.events) == (1, 1, 100)
    there = tmp_path / "there"
    assert bring_back(tmp_path / name, there).contents == saved.contents
    assert reach(there) == (1, 100)
    assert sorted(path.name for path in there.iterdir()) == ["evenhand.sqlite3", "mirror.json"]


def test_a_folder_gets_a_file_of_the_moments_name(filled: Store, tmp_path: Path) -> None:
    saved = save(filled, tmp_path)
    assert saved.path == tmp_path / "evenhand-20260315T120000Z.tar.gz"
    assert saved.path.stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict, match="exists already"):
        save(filled, tmp_path)


def test_a_backup_is_of_one_moment_whoever_writes_meanwhile(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PAGES", 1)
    began = threading.Event()

    def write(share: float) -> None:
        if not began.is_set():
            began.set()
            with filled.write() as session:
                append(session=session, records=[event(n) for n in range(1_000, 3_000)])

    files.copy_database(filled, tmp_path / "copy.sqlite3", write)
    assert began.is_set()
    assert files.contents_of(tmp_path / "copy.sqlite3").events == 100
    with filled.read() as session:
        assert position(session=session)[1] > 100


def test_a_ledger_is_replaced_only_when_asked_and_kept_aside(filled: Store, tmp_path: Path) -> None:
    save(filled, tmp_path / "b.tar")
    there = tmp_path / "there"
    bring_back(tmp_path / "b.tar", there)
    other = open_store(f"sqlite:///{there / 'evenhand.sqlite3'}")
    with other.write() as session:
        append(session=session, records=[event(500)])
    erase(store=other, columns=there / "c", unit="u1", kind="user_id", actor="t", now=NOW)
    with pytest.raises(Conflict, match="--replace"):
        bring_back(tmp_path / "b.tar", there)
    done = bring_back(tmp_path / "b.tar", there, replace=True)
    other.close()
    assert reach(there) == (1, 100)
    assert done.erased_since == 1
    assert done.aside is not None
    with closing(sqlite3.connect(done.aside)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM event WHERE message_id = 'e500'").fetchone() == (1,)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20_000])


def _flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[body.index(b"purchase")] ^= 1
    path.write_bytes(body)


def _without_ledger(path: Path) -> None:
    with tarfile.open(path) as archive:
        label = archive.extractfile("backup.json")
        assert label is not None
        text = label.read()
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("backup.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))


def _newer(path: Path) -> None:
    body = path.read_bytes()
    path.write_bytes(body.replace(b'"form": 1', b'"form": 9'))


@pytest.mark.parametrize(
    "spoil", [_cut, _flip, _without_ledger, _newer, Path.unlink, lambda p: p.write_text("x")]
)
def test_what_is_no_whole_backup_changes_nothing(filled: Store, tmp_path: Path, spoil: Any) -> None:
    save(filled, tmp_path / "b.tar")
    there = tmp_path / "there"
    bring_back(tmp_path / "b.tar", there)
    spoil(tmp_path / "b.tar")
    with pytest.raises(InvalidInput, match=r"b\.tar"):
        bring_back(tmp_path / "b.tar", there, replace=True)
    assert reach(there) == (1, 100)


def test_a_damaged_database_inside_is_seen(filled: Store, tmp_path: Path) -> None:
    path = tmp_path / "copy.sqlite3"
    files.copy_database(filled, path, lambda share: None)
    body = bytearray(path.read_bytes())
    body[8_192:12_288] = bytes(4_096)
    path.write_bytes(body)
    with pytest.raises(InvalidInput, match=r"damaged|no sound database"):
        files.contents_of(path)


def test_a_server_has_tools_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="pg_dump"):
        files.path_of("postgresql+psycopg://localhost/evenhand")


def test_where_nothing_can_be_written_one_line_says_so(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        save(filled, tmp_path / "file" / "b.tar")
