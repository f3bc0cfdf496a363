"""PostgreSQL keeps what SQLite keeps. Everything here runs against a real server."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from experiments.erasure import erase
from experiments.errors import InvalidInput, Unavailable
from experiments.observe import columns
from experiments.store import Store, open_store, postgresql
from experiments.store.ledger import Record, append
from experiments.store.schema import HEAD, revision, upgrade
from experiments.store.tables import EventRow, PersonRow
from experiments.writing import LedgerWriter
from tests.postgres import Cluster
from tests.samples import DAY, NOW, event, exposure


@pytest.fixture
def url(postgres: Cluster, request: pytest.FixtureRequest) -> str:
    return postgres.create(f"t{abs(hash(request.node.name))}")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = open_store(url)
    upgrade(made)
    yield made
    made.close()


def stored(store: Store) -> list[str]:
    with store.read() as session:
        return sorted(session.exec(select(EventRow.message_id)))


def test_a_commit_that_returned_is_safe_whatever_the_server_says(url: str) -> None:
    lax = open_store(f"{url}?options=-c%20synchronous_commit%3Doff")
    with lax.write() as session:
        connection = session.connection()
        asked = {
            name: connection.execute(text(f"SHOW {name}")).scalar()
            for name in ("synchronous_commit", "statement_timeout", "lock_timeout")
        }
    lax.close()
    assert asked == {"synchronous_commit": "on", "statement_timeout": "1min", "lock_timeout": "5s"}


def test_a_stronger_promise_is_kept(url: str) -> None:
    strict = open_store(f"{url}?options=-c%20synchronous_commit%3Dremote_apply")
    with strict.read() as session:
        assert session.connection().execute(text("SHOW synchronous_commit")).scalar() == "remote_apply"
    strict.close()


def test_several_that_bring_the_schema_up_together_do_it_once(url: str) -> None:
    stores = [open_store(url) for _ in range(4)]
    done: list[bool] = []
    threads = [threading.Thread(target=lambda each=each: done.append(upgrade(each))) for each in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert revision(stores[0]) == HEAD
    for each in stores:
        each.close()


def test_the_same_batches_in_other_orders_neither_wait_for_ever_nor_count_twice(store: Store) -> None:
    writers = [LedgerWriter(open_store(store.url)) for _ in range(4)]
    batch: list[Record] = [event(n) for n in range(500)]
    receipts = []

    def send(place: int) -> None:
        mine = batch[place * 100 :] + batch[: place * 100]
        receipts.append(writers[place].append(mine if place % 2 else mine[::-1]))

    threads = [threading.Thread(target=send, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.close()
        writer._store.close()
    assert sum(receipt.accepted for receipt in receipts) == 500
    assert sum(receipt.duplicates for receipt in receipts) == 1_500


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Unavailable, match="read-only"), store.read() as session:
        session.connection().execute(text("DELETE FROM person"))


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    with store.read() as session:
        assert list(session.exec(select(PersonRow.name))) == []
        with store.write() as other:
            other.add(PersonRow(name="Ada", created_at=NOW))
        assert list(session.exec(select(PersonRow.name))) == []


def test_the_copy_never_misses_rows_whose_ids_were_given_out_first_and_committed_last(
    store: Store, tmp_path: Path
) -> None:
    """The second writer waits for its turn, so its ids cannot be seen before those of the first."""
    began, finished = threading.Event(), threading.Event()

    def slow() -> None:
        with store.write() as session:
            append(session=session, records=[event(1), exposure(1)])
            began.set()
            time.sleep(0.5)  # its ids are given out, its rows cannot be seen

    def quick() -> None:
        began.wait()
        with store.write() as session:
            append(session=session, records=[event(2), exposure(2)])
        finished.set()

    threads = [threading.Thread(target=each) for each in (slow, quick)]
    for thread in threads:
        thread.start()
    copied = 0
    with columns.opened(tmp_path / "columns.duckdb") as connection:
        while not finished.is_set():
            copied += columns.refresh(connection, store)
        copied += columns.refresh(connection, store)
        ids = connection.execute("SELECT user_id FROM named_event ORDER BY user_id").fetchall()
    for thread in threads:
        thread.join()
    assert copied == 4
    assert ids == [("u1",), ("u2",)]


def test_a_writer_that_waits_too_long_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "_SETTINGS", postgresql._SETTINGS.replace("'5000'", "'50'"))
    impatient = open_store(store.url)
    with store.write() as session:
        session.connection()
        with pytest.raises(Unavailable, match="lock timeout"), impatient.write() as other:
            other.add(PersonRow(name="never", created_at=NOW))
    impatient.close()


def test_a_server_that_crashed_is_used_again_without_a_restart(store: Store, postgres: Cluster) -> None:
    writer = LedgerWriter(store)
    writer.append([event(1)])
    postgres.control("stop", "-m", "immediate")
    with pytest.raises(Unavailable):
        writer.append([event(2)])
    assert writer.offer([event(3)])
    postgres.control("start")
    assert writer.append([event(2)]).accepted == 1
    deadline = time.monotonic() + 10
    while writer.waiting and time.monotonic() < deadline:
        time.sleep(0.05)
    assert stored(store) == ["e1", "e2", "e3"]
    writer.close()


def test_a_database_that_was_made_read_only_is_unavailable_until_it_is_not(
    store: Store, postgres: Cluster
) -> None:
    name = store.url.rpartition("/")[2]
    admin = open_store(postgres.url("postgres"))

    def say(value: str) -> None:
        with admin.writer.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}"))
            connection.commit()

    say("on")
    store.writer.dispose()
    writer = LedgerWriter(store)
    with pytest.raises(Unavailable, match="read-only"):
        writer.append([event(1)])
    say("off")
    assert writer.append([event(1)]).accepted == 1
    writer.close()
    admin.close()


def test_an_address_that_leads_nowhere_is_unavailable() -> None:
    store = open_store("postgresql+psycopg://postgres@127.0.0.1:1/nowhere")
    with pytest.raises(Unavailable, match="refused"):
        revision(store)
    store.close()


def test_an_unknown_driver_is_named() -> None:
    with pytest.raises(InvalidInput, match="database_url"):
        open_store("postgresql+nodriver://h/d")


def test_a_person_is_erased_and_kept_out_there_too(store: Store, tmp_path: Path) -> None:
    records: list[Record] = [
        exposure(1, user_id="ada"),
        event(1, user_id="ada"),
        event(2, user_id=None, anonymous_id="phone"),
        event(3, user_id="ada", anonymous_id="phone"),
    ]
    with store.write() as session:
        append(session=session, records=[*records, event(9)])
    path = tmp_path / "columns.duckdb"
    assert columns.fetch(store=store, path=path, statement="SELECT COUNT(*) FROM event") == [(4,)]
    removed = erase(store=store, columns=path, unit="ada", kind="user_id", actor="t", now=NOW + DAY)
    assert (removed.exposures, removed.events, removed.anonymous) == (1, 3, 1)
    with store.write() as session:
        assert append(session=session, records=records).outdated == 4
    assert stored(store) == ["e9"]
    assert columns.fetch(store=store, path=path, statement="SELECT COUNT(*) FROM event") == [(1,)]
