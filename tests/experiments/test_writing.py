import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from experiments import writing
from experiments.errors import Unavailable
from experiments.store import Store, database, open_store
from experiments.store.ledger import Receipt, Record, append_batches
from experiments.store.schema import upgrade
from experiments.store.tables import EventRow
from experiments.writing import LedgerWriter
from tests.samples import event, exposure


@pytest.fixture
def writer(store: Store) -> Iterator[LedgerWriter]:
    made = LedgerWriter(store)
    yield made
    made.close()


def stored(store: Store) -> list[str]:
    with store.read() as session:
        return sorted(session.exec(select(EventRow.message_id)))


class Lock:
    """Holds the database's write lock, as another process would."""

    def __init__(self, store: Store) -> None:
        self.connection = sqlite3.connect(store.url.removeprefix("sqlite:///"), isolation_level=None)

    def __enter__(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self.connection.execute("ROLLBACK")
        self.connection.close()


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run calls in threads of their own; an exception is a result, too."""
    results: list[Any] = [None] * len(calls)

    def run(place: int) -> None:
        try:
            results[place] = calls[place]()
        except Exception as problem:  # noqa: BLE001 - handed to the test
            results[place] = problem

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def occupy(writer: LedgerWriter) -> threading.Thread:
    """Let the writing thread wait for its turn, so that what comes next waits with it."""
    waiting = threading.Thread(target=lambda: at_once([lambda: writer.append([event(999)])]))
    waiting.start()
    wait_for(lambda: writer.begun == 1)
    return waiting


def test_what_is_acknowledged_is_stored(store: Store, writer: LedgerWriter) -> None:
    assert writer.append([event(1), event(2), exposure(1)]) == Receipt(3, 0)
    assert stored(store) == ["e1", "e2"]
    assert writer.append([event(2), event(3)]) == Receipt(1, 1)
    assert writer.append([]) == Receipt()


def test_each_of_many_waiting_gets_a_receipt_of_its_own(store: Store, writer: LedgerWriter) -> None:
    with Lock(store):
        first = occupy(writer)
        calls = [lambda n=n: writer.append([event(n), event(100)]) for n in range(20)]
        answers: list[Any] = []
        waiting = threading.Thread(target=lambda: answers.extend(at_once(calls)))
        waiting.start()
        wait_for(lambda: writer.waiting == 21)
    waiting.join()
    first.join()
    assert sum(answer.accepted for answer in answers) == 21
    assert sum(answer.duplicates for answer in answers) == 19
    assert all(answer in (Receipt(2, 0), Receipt(1, 1)) for answer in answers)


def test_one_bad_job_does_not_fail_its_neighbours(store: Store, writer: LedgerWriter) -> None:
    bad = [
        [event(50, occurred_at=2**63)],
        [event(51), event(52, event="\ud800")],
        [event(53, properties={"not": "text"})],
    ]
    good = [[event(n)] for n in range(5)]
    with Lock(store):
        first = occupy(writer)
        calls = [lambda records=records: writer.append(records) for records in (*bad, *good)]
        answers: list[Any] = []
        waiting = threading.Thread(target=lambda: answers.extend(at_once(calls)))
        waiting.start()
        wait_for(lambda: writer.waiting == 9)
    waiting.join()
    first.join()
    assert [type(answer) for answer in answers[:3]] == [Unavailable] * 3
    assert answers[3:] == [Receipt(1, 0)] * 5
    assert stored(store) == ["e0", "e1", "e2", "e3", "e4", "e999"]


def test_whoever_comes_alone_waits_for_nobody(writer: LedgerWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "COMPANY", 60)
    assert [writer.append([event(n)]) for n in range(3)] == [Receipt(1)] * 3


def test_after_a_shared_commit_the_next_waits_for_company(
    store: Store, writer: LedgerWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lock(store):
        first = occupy(writer)
        second = threading.Thread(target=writer.append, args=([event(1)],))
        second.start()
        wait_for(lambda: writer.waiting == 2)
    first.join()
    second.join()
    monkeypatch.setattr(writing, "COMPANY", 0.2)
    assert at_once([partial(writer.append, [event(n)]) for n in (2, 3)]) == [Receipt(1)] * 2
    assert writer.begun == 2


def test_closing_writes_what_was_handed_over(store: Store) -> None:
    writer = LedgerWriter(store)
    assert all(writer.offer([event(n)]) for n in range(200))
    writer.close()
    assert len(stored(store)) == 200
    writer.close()


def test_after_closing_a_new_job_is_still_written(store: Store) -> None:
    writer = LedgerWriter(store)
    writer.append([event(1)])
    writer.close()
    assert writer.append([event(2)]) == Receipt(1, 0)
    writer.close()
    assert stored(store) == ["e1", "e2"]


def test_a_full_queue_says_come_back_instead_of_piling_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_WAITING", 3)
    monkeypatch.setattr(writing, "MOST_KEPT", 3)
    writer = LedgerWriter(store)
    with Lock(store):
        first = occupy(writer)
        others = [
            threading.Thread(target=at_once, args=([partial(writer.append, [event(n)])],)) for n in (5, 6)
        ]
        for other in others:
            other.start()
        wait_for(lambda: writer.waiting == 3)
        with pytest.raises(Unavailable, match="too many"):
            writer.append([event(7)])
        assert [writer.offer([event(n)]) for n in (1, 2, 3, 4)] == [True, True, True, False]
    first.join()
    for other in others:
        other.join()
    writer.close()
    assert stored(store) == ["e1", "e2", "e3", "e5", "e6", "e999"]


def test_what_was_offered_is_kept_until_the_database_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 30)
    monkeypatch.setattr(writing, "RETRY", 0.05)
    store = open_store(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    upgrade(store)
    writer = LedgerWriter(store)
    with Lock(store):
        assert writer.offer([event(1), event(2)])
        with pytest.raises(Unavailable):
            writer.append([event(3)])
        assert writer.offer([event(4)])
        time.sleep(0.2)
        assert writer.waiting == 3
    wait_for(lambda: writer.waiting == 0)
    assert stored(store) == ["e1", "e2", "e4"]
    writer.close()
    store.close()


def test_at_the_end_what_cannot_be_stored_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 30)
    store = open_store(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    upgrade(store)
    writer = LedgerWriter(store)
    with Lock(store):
        writer.offer([event(1)])
        writer.close()
    assert "1 exposures could not be stored" in caplog.text
    store.close()


def test_one_bad_record_among_the_offered_leaves_the_others(
    store: Store, writer: LedgerWriter, caplog: pytest.LogCaptureFixture
) -> None:
    writer.offer([event(1), event(2, event="\ud800"), event(3)])
    wait_for(lambda: writer.waiting == 0)
    assert stored(store) == ["e1", "e3"]
    assert "cannot be stored and is left out" in caplog.text


def test_a_request_that_was_told_to_come_back_before_its_turn_is_not_stored_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LedgerWriter(store)
    with Lock(store):
        first = occupy(writer)
        monkeypatch.setattr(writing, "PATIENCE", 0.05)
        with pytest.raises(Unavailable, match="had no time"):
            writer.append([event(1)])
    first.join()
    monkeypatch.setattr(writing, "PATIENCE", 10)
    writer.append([event(2)])
    writer.close()
    assert stored(store) == ["e2", "e999"]


def test_an_outcome_that_is_unknown_is_settled_by_sending_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def slow(**given: Any) -> list[Receipt]:
        released.wait(10)
        return append_batches(**given)

    monkeypatch.setattr(writing, "append_batches", slow)
    monkeypatch.setattr(writing, "PATIENCE", 0.1)
    writer = LedgerWriter(store)
    with pytest.raises(Unavailable, match="did not confirm in time"):
        writer.append([event(1)])
    released.set()
    wait_for(lambda: stored(store) == ["e1"])
    monkeypatch.setattr(writing, "PATIENCE", 10)
    assert writer.append([event(1)]) == Receipt(0, 1)
    writer.close()


def test_a_ledger_that_cannot_store_says_so_to_everybody_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 30)
    store = open_store(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    upgrade(store)
    writer = LedgerWriter(store)
    with Lock(store):
        answers = at_once([lambda n=n: writer.append([event(n)]) for n in range(4)])  # type: ignore[misc]  # a default that binds the number
        assert [type(answer) for answer in answers] == [Unavailable] * 4
    assert writer.append([event(1)]) == Receipt(1, 0)
    writer.close()
    assert stored(store) == ["e1"]
    store.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # the surprise itself
def test_a_failure_that_nobody_foresaw_does_not_end_the_writing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LedgerWriter(store)

    def broken(**_: object) -> Receipt:
        raise KeyError("surprise")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "append_batches", broken)
        with pytest.raises(Unavailable):
            writer.append([event(1)])
    assert writer.append([event(1)]) == Receipt(1, 0)
    writer.close()


def test_threads_that_append_the_same_records_store_them_once(store: Store, writer: LedgerWriter) -> None:
    batch: list[Record] = [event(n) for n in range(50)]
    answers = at_once([lambda: writer.append(batch)] * 8)
    assert sum(answer.accepted for answer in answers) == 50
    assert sum(answer.duplicates for answer in answers) == 350
