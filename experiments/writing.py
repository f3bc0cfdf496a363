"""Writing: the one thread of a process that appends to the ledger, committing for many at once.

A disk can confirm a few hundred commits a second but tens of thousands of rows in one; so requests that wait
at the same time share a commit. What was acknowledged has reached the disk. What could not be stored says so
to everybody who waits, and nobody waits for ever.

Exposures behind an answer have nobody who waits. They are kept in memory, up to a limit, and tried again
until the database takes them.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from experiments.errors import EvenhandError, Unavailable
from experiments.store import Session, Store
from experiments.store.ledger import Receipt, Record, append, append_batches
from experiments.store.tallies import NOTHING, Remarks

MOST_ROWS = 5_000
"""Rows of one commit; more would make those who wait for it wait too long."""

MOST_WAITING = 2_000
"""Requests that may wait; more are told to come back instead of piling up."""

MOST_KEPT = 100_000
"""Records without anybody who waits; about 50 MB."""

PATIENCE = 10.0
"""Seconds after which a request is told that its outcome is unknown; sending it again settles it."""

LINGER = 0.05
"""Seconds that a record without anybody who waits may wait for others to share its commit."""

COMPANY = 0.001
"""Seconds that a commit waits for others to join it, if some had joined the one before."""

RETRY = 1.0
"""Seconds until such records are tried again when the database did not take them."""

_REFUSALS = (EvenhandError, SQLAlchemyError, ValueError, OverflowError)

_log = logging.getLogger(__name__)


Outcome = Receipt | EvenhandError


class Job:
    """Records that somebody waits for, and whom to tell what has become of them.

    Attributes
    ----------
    told
        Called once with the outcome, in the writing thread: it must be quick.
    """

    __slots__ = ("_told", "begun", "given_up", "outcome", "records", "remarks")

    def __init__(self, records: Sequence[Record], remarks: Remarks, told: Callable[["Job"], None]) -> None:
        self.records = records
        self.remarks = remarks
        self.begun = False
        self.given_up = False
        self.outcome: Outcome | None = None
        self._told = told

    def answer(self, outcome: Outcome) -> None:
        """Let the one who waits know; the first answer counts."""
        if self.outcome is None:
            self.outcome = outcome
            self._told(self)


class _Load(NamedTuple):
    """What one transaction stores: jobs, and records without anybody who waits."""

    jobs: Sequence[Job]
    kept: Sequence[Record]


def _append(session: Session, load: _Load) -> tuple[list[Receipt], Receipt]:
    """Append a load in the session's transaction."""
    batches, remarks = [job.records for job in load.jobs], [job.remarks for job in load.jobs]
    receipts = append_batches(session=session, batches=batches, remarks=remarks) if batches else []
    return receipts, append(session=session, records=load.kept) if load.kept else Receipt()


class LedgerWriter:
    """Appends to the ledger for all threads of a process.

    The thread starts with the first job, so a process may fork before.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self.begun = 0
        """Commits that were begun."""
        self.recorded = Receipt()
        """What became of the records that nobody waited for."""
        self._kept: deque[Record] = deque()
        self._due = 0.0
        self._shared = False
        self._away = False
        self._leaving = False
        self._thread: threading.Thread | None = None

    def append(self, records: Sequence[Record], remarks: Remarks = NOTHING) -> Receipt:
        """Append records, and what there is to say beside them, and wait until they are safe.

        Raises
        ------
        Unavailable
            If they are not known to be; the same records may be sent again.
        """
        if not records and not remarks:
            return Receipt()
        gate = threading.Lock()  # a bare lock: a future costs ten times that
        gate.acquire()
        job = self.hand_over(records, remarks, lambda _: gate.release())
        gate.acquire(timeout=PATIENCE)
        return self.settle(job)

    def hand_over(self, records: Sequence[Record], remarks: Remarks, told: Callable[[Job], None]) -> Job:
        """Let records be appended without waiting; the writing thread tells what has become of them.

        Whoever waits for the job settles it, at the latest after `PATIENCE` seconds.

        Raises
        ------
        Unavailable
            If too many wait already.
        """
        job = Job(records, remarks, told)
        with self._changed:
            if len(self._jobs) >= MOST_WAITING:
                raise Unavailable("too many requests are waiting for the ledger; send it again")
            self._jobs.append(job)
            self._wake()
        return job

    def settle(self, job: Job) -> Receipt:
        """What has become of a job, once it was told or the patience has ended.

        Raises
        ------
        Unavailable
            If its records are not known to be safe; the same ones may be sent again.
        """
        if isinstance(job.outcome, Receipt):
            return job.outcome
        if job.outcome is not None:
            raise Unavailable(str(job.outcome)) from job.outcome  # others may have been given the same one
        with self._changed:
            job.given_up = True
        if job.begun:
            raise Unavailable("the ledger did not confirm in time; send it again")
        raise Unavailable("the ledger had no time for it; send it again")

    def offer(self, records: Sequence[Record]) -> bool:
        """Hand records over without waiting; say whether there was room."""
        with self._changed:
            if len(self._kept) + len(records) > MOST_KEPT:
                return False
            if not self._kept or self._thread is None:
                self._due = time.monotonic() + LINGER
                self._wake()
            self._kept.extend(records)
        return True

    @property
    def waiting(self) -> int:
        """Requests that have not been begun, and records that are kept until they can be stored."""
        return len(self._jobs) + len(self._kept)

    def close(self) -> None:
        """Write what was handed over and end the thread."""
        with self._changed:
            thread, self._leaving = self._thread, True
            self._changed.notify()
        if thread is not None:
            thread.join(PATIENCE)
        if self._kept:
            _log.error("%s exposures could not be stored before the end", len(self._kept))

    def _wake(self) -> None:
        """Let the thread look, and start it if there is none. The caller holds the lock."""
        if self._thread is None:
            self._leaving = False
            self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _work(self) -> None:
        try:
            while self._write_next():
                pass
        finally:
            with self._changed:
                self._thread = None
                if self._jobs or (self._kept and not self._leaving):
                    # Something that nobody foresaw has ended this thread: what waits needs another.
                    self._wake()

    def _write_next(self) -> bool:
        """Commit what waits once there is something; say whether to go on."""
        with self._changed:
            while not self._leaving and not self._jobs:
                left = self._due - time.monotonic() if self._kept else None
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            self.begun += 1
            joined = self._shared and not self._leaving
        if joined:
            time.sleep(COMPANY)
        self._commit()
        return not self._leaving or bool(self._jobs) or (bool(self._kept) and not self._away)

    def _take(self) -> _Load:
        """Take jobs off the queue, and look at kept records, which stay until they are stored."""
        jobs: list[Job] = []
        rows = 0
        with self._changed:
            while self._jobs and rows < MOST_ROWS:
                job = self._jobs.popleft()
                if not job.given_up:
                    job.begun = True
                    jobs.append(job)
                    rows += len(job.records)
            self._shared = len(jobs) > 1
            ripe = self._leaving or self._due <= time.monotonic()
            return _Load(jobs, list(islice(self._kept, max(0, MOST_ROWS - rows))) if ripe else [])

    def _commit(self) -> None:
        """Store what waits, and answer everybody, even if something happens that nobody foresaw."""
        load: _Load | None = None
        try:
            with self._store.write() as session:
                session.connection()  # Waits for its turn: whoever comes until then shares the commit.
                load = self._take()
                receipts, recorded = _append(session, load)
            self._tell(load, receipts, recorded)
        except Unavailable as problem:
            load = load or self._take()
            for job in load.jobs:
                job.answer(problem)
            self._postpone()
        except _REFUSALS:
            self._store_each(load or self._take())
        finally:
            for job in (load or self._take()).jobs:
                if job.outcome is None:
                    job.answer(Unavailable("not stored; send it again"))

    def _store_load(self, load: _Load) -> None:
        """Store a load in one transaction."""
        with self._store.write() as session:
            receipts, recorded = _append(session, load)
        self._tell(load, receipts, recorded)

    def _tell(self, load: _Load, receipts: Sequence[Receipt], recorded: Receipt) -> None:
        """Let everybody know that a load is stored."""
        for job, receipt in zip(load.jobs, receipts, strict=True):
            job.answer(receipt)
        self.recorded += recorded
        self._forget(len(load.kept))

    def _store_each(self, load: _Load) -> None:
        """Store each job in a transaction of its own, since one of them spoilt the common one."""
        for job in load.jobs:
            try:
                self._store_load(_Load([job], []))
            except _REFUSALS as problem:
                told = (
                    problem if isinstance(problem, EvenhandError) else Unavailable(f"not stored: {problem}")
                )
                job.answer(told)
        for record in load.kept:
            try:
                self._store_load(_Load([], [record]))
            except Unavailable:
                self._postpone()
                return
            except _REFUSALS as problem:
                _log.error("an exposure cannot be stored and is left out: %s", problem)
                self._forget(1)

    def _forget(self, count: int) -> None:
        """Let go of kept records that are stored now."""
        self._away = False
        with self._changed:
            for _ in range(count):
                self._kept.popleft()
            if count:
                self._due = time.monotonic() + LINGER

    def _postpone(self) -> None:
        """Leave the kept records alone for a while: the database did not take them."""
        self._away = True
        self._due = time.monotonic() + RETRY
