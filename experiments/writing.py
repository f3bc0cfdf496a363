"""Writing: the one thread of a process that appends to the ledger, committing for many at once.

A disk can confirm a few hundred commits a second but tens of thousands of rows in one; so requests that wait
at the same time share a commit. What was acknowledged has reached the disk. What could not be stored says so
to everybody who waits, and nobody waits for ever.
"""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from experiments.errors import EvenhandError, Unavailable
from experiments.store import Store
from experiments.store.ledger import Receipt, Record, append

MOST_ROWS = 5_000
"""Rows of one commit; more would make those who wait for it wait too long."""

MOST_WAITING = 2_000
"""Requests that may wait; more are told to come back instead of piling up."""

PATIENCE = 10.0
"""Seconds after which a request is told that its outcome is unknown; sending it again settles it."""


@dataclass(frozen=True)
class _Job:
    records: Sequence[Record]
    done: "Future[Receipt]" = field(default_factory=Future)


_LEAVE: Final = _Job(())


class LedgerWriter:
    """Appends to the ledger for all threads of a process.

    The thread starts with the first job, so a process may fork before.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.Queue[_Job] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def append(self, records: Sequence[Record]) -> Receipt:
        """Append records and wait until they are safe.

        Raises
        ------
        Unavailable
            If they are not known to be; the same records may be sent again.
        """
        if not records:
            return Receipt()
        job = self._put(records)
        try:
            return job.done.result(PATIENCE)
        except FutureTimeoutError as problem:
            raise Unavailable("the ledger did not confirm in time; send it again") from problem

    def offer(self, records: Sequence[Record]) -> bool:
        """Hand records over without waiting; say whether there was room."""
        try:
            self._put(records)
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

    def _put(self, records: Sequence[Record]) -> _Job:
        job = _Job(records)
        try:
            self._jobs.put_nowait(job)
        except queue.Full as problem:
            raise Unavailable("too many requests are waiting for the ledger; send it again") from problem
        with self._starting:
            self._start()
        return job

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
            leaving = _LEAVE in jobs
            self._commit([job for job in jobs if job is not _LEAVE])

    def _commit(self, jobs: Sequence[_Job]) -> None:
        """Answer everybody, even if something happens that nobody foresaw."""
        try:
            self._store_all(jobs)
        finally:
            for job in jobs:
                if not job.done.done():
                    job.done.set_exception(Unavailable("not stored; send it again"))

    def _store_all(self, jobs: Sequence[_Job]) -> None:
        """Store all jobs in one transaction; if one of them spoils it, each in its own."""
        try:
            with self._store.write() as session:
                receipts = [append(session=session, records=job.records) for job in jobs]
        except (EvenhandError, SQLAlchemyError, ValueError, OverflowError) as problem:
            if len(jobs) > 1 and not isinstance(problem, Unavailable):
                for job in jobs:
                    self._store_all([job])
                return
            for job in jobs:
                job.done.set_exception(
                    problem if isinstance(problem, EvenhandError) else Unavailable(f"not stored: {problem}")
                )
            return
        for job, receipt in zip(jobs, receipts, strict=True):
            job.done.set_result(receipt)
