import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError
from sqlmodel import Session, select

from experiments.errors import InvalidInput, Unavailable
from experiments.store import Store, database, open_store
from experiments.store.instants import from_millis, to_millis
from experiments.store.schema import upgrade
from experiments.store.tables import PersonRow
from tests.samples import NOW


def path_of(store: Store) -> Path:
    return Path(store.url.removeprefix("sqlite:///"))


def names(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.exec(select(PersonRow.name)))


def add(store: Store, name: str) -> None:
    with store.write() as session:
        session.add(PersonRow(name=name, created_at=NOW))


@pytest.mark.parametrize("side", ["reader", "writer"])
def test_a_commit_that_returned_has_reached_the_disk(store: Store, side: str) -> None:
    with store.read() if side == "reader" else store.write() as session:
        asked = {
            pragma: session.connection().execute(text(f"PRAGMA {pragma}")).scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "query_only")
        }
    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "query_only": int(side == "reader"),
    }


def test_a_write_takes_its_turn_from_the_first_moment(store: Store) -> None:
    other = sqlite3.connect(path_of(store), timeout=0)
    with store.write() as session:
        assert list(session.exec(select(PersonRow))) == []  # reading is enough
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_second_writer_waits_for_the_first_and_loses_nothing(store: Store) -> None:
    other = open_store(store.url)
    began = threading.Event()

    def second() -> None:
        began.wait()
        add(other, "second")

    thread = threading.Thread(target=second)
    thread.start()
    with store.write() as session:
        # What a deferred transaction would do: read first, write later, and fail in between.
        assert list(session.exec(select(PersonRow))) == []
        began.set()
        time.sleep(0.2)
        session.add(PersonRow(name="first", created_at=NOW))
    thread.join()
    other.close()
    assert names(store) == ["first", "second"]


def test_a_block_that_raises_stores_nothing(store: Store) -> None:
    def fail(session: Session) -> None:
        session.add(PersonRow(name="half", created_at=NOW))
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError), store.write() as session:
        fail(session)
    assert names(store) == []


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Unavailable, match="readonly"), store.read() as session:
        session.connection().execute(text("DELETE FROM person"))


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    add(store, "before")
    with store.read() as session:
        assert len(list(session.exec(select(PersonRow.name)))) == 1
        add(store, "after")
        assert len(list(session.exec(select(PersonRow.name)))) == 1
    assert len(names(store)) == 2


def test_a_database_that_stays_locked_is_unavailable(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    impatient = open_store(store.url)
    with store.write() as session:
        session.connection()
        with pytest.raises(Unavailable, match="locked"):
            add(impatient, "never")
    impatient.close()
    assert names(store) == []


def test_a_writer_that_waits_too_long_for_its_own_process_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    impatient = open_store(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    upgrade(impatient)
    with impatient.write() as session:
        session.connection()
        with pytest.raises(Unavailable):
            add(impatient, "never")
    impatient.close()


def test_a_read_only_database_is_unavailable(store: Store) -> None:
    add(store, "there")
    store.close()
    frozen = open_store(f"sqlite:///file:{path_of(store)}?mode=ro&uri=true")
    with pytest.raises(Unavailable, match="readonly"):
        add(frozen, "never")
    frozen.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "letter.sqlite3").write_text("Dear database, " * 1_000)
    store = open_store(f"sqlite:///{tmp_path / 'letter.sqlite3'}")
    with pytest.raises(Unavailable, match="not a database"):
        names(store)
    store.close()


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "sqlite://", "sqlite:///:memory:", "unknown://host/name", "postgresql+nodriver://h/d"],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="database_url"):
        open_store(url)


def test_a_place_where_no_database_can_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="file"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'ledger.sqlite3'}")


def test_a_time_without_an_offset_is_never_stored(store: Store) -> None:
    naive = datetime(2026, 3, 15)  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="without an offset"):
        to_millis(naive)
    with pytest.raises((ValueError, StatementError), match="without an offset"), store.write() as session:
        session.add(PersonRow(name="Ada", created_at=naive))


def test_times_come_back_in_utc(store: Store) -> None:
    local = datetime(2026, 3, 15, 14, 0, 0, 123_456, timezone(timedelta(hours=2)))
    with store.write() as session:
        session.add(PersonRow(name="Ada", created_at=local))
    with store.read() as session:
        kept = session.exec(select(PersonRow.created_at)).one()
    assert kept == datetime(2026, 3, 15, 12, 0, 0, 123_000, UTC)
    assert kept.tzinfo is UTC


@pytest.mark.parametrize("millis", [0, 1, -1, 253_402_300_799_999, -62_135_596_800_000])
def test_milliseconds_and_moments_are_the_same(millis: int) -> None:
    assert to_millis(from_millis(millis)) == millis
