"""The worker: keeps readouts fresh in the background, away from every request."""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from experiments import analyses, readouts
from experiments.catalog import Experiment, list_experiments
from experiments.errors import EvenhandError
from experiments.lifecycle import Status
from experiments.readouts import Snapshot
from experiments.retention import forget_old, planned_limits
from experiments.store import Store
from experiments.store.ledger import newest_arrival, position
from web.deployment import VERSION, clock
from web.engine import engine_of
from web.settings import Settings

INTERVAL = 20.0
"""Seconds between two looks for new data."""

_log = logging.getLogger(__name__)


@dataclass
class Worker:
    """Analyses running experiments again when the ledger or their definitions have changed."""

    settings: Settings
    store: Store
    parent: int | None = None
    now: Callable[[], datetime] = clock
    leaving: threading.Event = field(default_factory=threading.Event)
    _seen: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _tended: date | None = None
    _forgot: date | None = None

    def run(self) -> None:
        """Look, and look again, until told to leave."""
        while not self.leaving.is_set():
            self.look()
            self.tend()
            self._rest()

    def _rest(self) -> None:
        """Wait for the next look, or for the end: our own, or that of the process that started us."""
        until = time.monotonic() + INTERVAL
        while time.monotonic() < until and not self.leaving.wait(1.0):
            if self.parent is not None and os.getppid() != self.parent:
                self.leaving.set()

    def look(self) -> int:
        """Analyse what has changed; say how many experiments that were."""
        try:
            stale = self._stale()
        except EvenhandError as problem:
            _log.warning("cannot look for new data: %s", problem)
            return 0
        return sum(self._analyse(experiment, state) for experiment, state in stale)

    def tend(self) -> None:
        """Once a day, forget what the tracking plan lets go, then empty the write-ahead log.

        Long readers let the log grow; while one is at work, it cannot be emptied and is tried again.
        """
        today = self.now().date()
        try:
            if self._forgot != today:
                self._forget()
                self._forgot = today
            if self._tended != today and self.store.checkpoint():
                self._tended = today
        except EvenhandError as problem:
            _log.warning("cannot tend the database: %s", problem)

    def _forget(self) -> None:
        with self.store.read() as session:
            limits = planned_limits(session=session)
        if limits:
            forget_old(
                store=self.store,
                columns=self.settings.columns_path,
                limits=limits,
                default=None,
                now=self.now(),
            )

    def _stale(self) -> list[tuple[Experiment, tuple[object, ...]]]:
        with self.store.read() as session:
            reached, newest = position(session=session), newest_arrival(session=session)
            analysed = readouts.latest_of_all(session=session)
            running = list_experiments(session=session, status=Status.RUNNING)
        stale: list[tuple[Experiment, tuple[object, ...]]] = []
        for each in running:
            # A plan may end and a window may pass without a new row: each day brings one analysis at least.
            state = (*reached, each.revision, self.now().date())
            if each.key not in self._seen and _covers(analysed.get(each.key), each, newest):
                self._seen[each.key] = state
            if self._seen.get(each.key) != state:
                stale.append((each, state))
        return stale

    def _analyse(self, experiment: Experiment, state: tuple[object, ...]) -> bool:
        try:
            analyses.analyse(
                store=self.store,
                engine=engine_of(self.settings, self.store),
                key=experiment.key,
                now=self.now(),
                version=VERSION,
            )
        except EvenhandError as problem:
            _log.warning("%s could not be analysed: %s", experiment.key, problem)
            return False
        except Exception:  # noqa: BLE001 - one broken experiment must not keep the others from being read
            _log.exception("%s could not be analysed", experiment.key)
            return False
        self._seen[experiment.key] = state
        return True


def _covers(snapshot: Snapshot | None, experiment: Experiment, newest: datetime | None) -> bool:
    """Whether a readout from before this process began already holds all that is known."""
    if snapshot is None:
        return False
    as_of = snapshot.readout.as_of
    return experiment.updated_at <= as_of and (newest is None or newest <= as_of)
