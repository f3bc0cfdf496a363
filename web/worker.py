"""The worker: keeps readouts fresh in the background, away from every request."""

import logging
import os
import threading
import time
from dataclasses import dataclass, field
from datetime import date

from experiments import analyses, readouts
from experiments.catalog import Experiment, list_experiments
from experiments.errors import EvenhandError
from experiments.lifecycle import Status
from experiments.store import Store
from experiments.store.ledger import position
from web.deployment import VERSION, clock
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
    leaving: threading.Event = field(default_factory=threading.Event)
    _seen: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _tended: date | None = None

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
        """Empty the write-ahead log, once a day: what long readers let it grow to is given back."""
        if self._tended == (today := clock().date()):
            return
        try:
            if self.store.checkpoint():
                self._tended = today
        except EvenhandError as problem:
            _log.warning("cannot tend the database: %s", problem)

    def _stale(self) -> list[tuple[Experiment, tuple[object, ...]]]:
        with self.store.read() as session:
            reached = position(session=session)
            analysed = readouts.latest_of_all(session=session)
            running = list_experiments(session=session, status=Status.RUNNING)
        states = [(each, (*reached, each.revision)) for each in running]
        return [
            (each, state)
            for each, state in states
            if each.key not in analysed or self._seen.setdefault(each.key, state) != state
        ]

    def _analyse(self, experiment: Experiment, state: tuple[object, ...]) -> bool:
        try:
            analyses.analyse(
                store=self.store,
                columns=self.settings.columns_path,
                key=experiment.key,
                now=clock(),
                version=VERSION,
            )
        except EvenhandError as problem:
            _log.warning("%s could not be analysed: %s", experiment.key, problem)
            return False
        self._seen[experiment.key] = state
        return True
