"""Writing: the one thread of a process that appends to the ledger, committing for many at once.

A disk can confirm a few hundred commits a second but tens of thousands of rows in one; so requests that wait
at the same time share a commit. What was acknowledged has reached the disk. What could not be stored says so
to everybody who waits, and nobody waits for ever.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from experiments.errors import EvenhandError, Unavailable
from experiments.store import Store
from experiments.store.ledger import Receipt, Record, append

MOST_ROWS = 5_000
"""Rows of one commit; more would make those who wait for it wait too long."""

MOST_WAITING = 10_000
"""Jobs that may wait; more are told to come back instead of piling up."""

PATIENCE = 10.0
"""Seconds after which a request is told that its outcome is unknown; sending it again settles it."""


PAUSE = 0.02
"""Seconds between two commits that nobody waits for, so that many such jobs share one."""


class _Job(NamedTuple):
    """Records to append; who waits for them, or who wants to know if they were lost."""

    records: Sequence[Record]
    done: "Future[Receipt] | None" = None
    lost: Callable[[], None] | None = None


_LEAVE: Final = _Job(())


class LedgerWriter:
    """Appends to the ledger for all threads of a process.

    The thread starts with the first job, so a process may fork before.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # The bounded queue of the standard library costs ten times as much for each job.
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.recorded = Receipt()
        """What became of the records that nobody waited for."""

    def append(self, records: Sequence[Record]) -> Receipt:
        """Append records and wait until they are safe.

        Raises
        ------
        Unavailable
            If they are not known to be; the same records may be sent again.
        """
        if not records:
            return Receipt()
        done: Future[Receipt] = Future()
        self._put(_Job(records, done))
        try:
            return done.result(PATIENCE)
        except FutureTimeoutError as problem:
            raise Unavailable("the ledger did not confirm in time; send it again") from problem

    def offer(self, records: Sequence[Record], lost: Callable[[], None] | None = None) -> bool:
        """Hand records over without waiting; say whether there was room.

        Parameters
        ----------
        lost
            Is called, in another thread, if they could not be stored after all.
        """
        try:
            self._put(_Job(records, lost=lost))
        except Unavailable:
            return False
        return True

    @property
    def waiting(self) -> int:
        """Jobs that have not been begun."""
        return self._jobs.qsize()

    def close(self) -> None:
        """Write what was handed over and end the thread."""
        with self._starting:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(_LEAVE)
            thread.join(PATIENCE)

    def _put(self, job: _Job) -> None:
        if self._jobs.qsize() >= MOST_WAITING:
            raise Unavailable("too many requests are waiting for the ledger; send it again")
        self._jobs.put(job)
        if self._thread is None:
            with self._starting:
                self._start()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            self._write_until_told()
        finally:
            with self._starting:
                # Something that nobody foresaw has ended this thread: the jobs that wait need another.
                if self._thread is threading.current_thread():
                    self._thread = None
                    if not self._jobs.empty():
                        self._start()

    def _write_until_told(self) -> None:
        leaving = False
        while not leaving:
            jobs = [self._jobs.get()]
            rows = len(jobs[0].records)
            while rows < MOST_ROWS:
                try:
                    jobs.append(self._jobs.get_nowait())
                except queue.Empty:
                    break
                rows += len(jobs[-1].records)
            leaving = any(job is _LEAVE for job in jobs)
            self._commit([job for job in jobs if job is not _LEAVE])
            if not leaving and all(job.done is None for job in jobs):
                time.sleep(PAUSE)

    def _commit(self, jobs: Sequence[_Job]) -> None:
        """Answer everybody, even if something happens that nobody foresaw."""
        try:
            self._store_all(jobs)
        finally:
            for job in jobs:
                if job.done is not None and not job.done.done():
                    job.done.set_exception(Unavailable("not stored; send it again"))

    def _store_all(self, jobs: Sequence[_Job]) -> None:
        """Store all jobs in one transaction; if one of them spoils it, each in its own."""
        awaited = [job for job in jobs if job.done is not None]
        others = [record for job in jobs if job.done is None for record in job.records]
        try:
            with self._store.write() as session:
                recorded = append(session=session, records=others)
                receipts = [append(session=session, records=job.records) for job in awaited]
        except (EvenhandError, SQLAlchemyError, ValueError, OverflowError) as problem:
            if len(jobs) > 1 and not isinstance(problem, Unavailable):
                for job in jobs:
                    self._store_all([job])
                return
            refusal = problem if isinstance(problem, EvenhandError) else Unavailable(f"not stored: {problem}")
            for job in jobs:
                _refuse(job, refusal)
            return
        self.recorded += recorded
        for job, receipt in zip(awaited, receipts, strict=True):
            job.done.set_result(receipt)  # type: ignore[union-attr]  # that is what makes it awaited


def _refuse(job: _Job, refusal: EvenhandError) -> None:
    if job.done is not None:
        job.done.set_exception(refusal)
    if job.lost is not None:
        job.lost()
