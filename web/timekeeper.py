"""The timekeeper: starts and stops experiments at their times, while the analyses take theirs."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from experiments import timetable
from experiments.errors import EvenhandError
from experiments.store import Store
from web.deployment import clock

INTERVAL = 2.0
"""Seconds between two looks at the clock."""

_log = logging.getLogger(__name__)


@dataclass
class Timekeeper:
    """Looks at the clock beside the worker's analyses, which may take minutes."""

    store: Store
    now: Callable[[], datetime] = clock
    leaving: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Look at the clock in the background, until told to leave."""
        threading.Thread(target=self._watch, name="timekeeper", daemon=True).start()

    def look(self) -> int:
        """Start and stop what is due; say how many experiments that were."""
        try:
            with self.store.read() as session:
                keys = timetable.due(session=session, now=self.now())
            return sum(self._keep(key) for key in keys)
        except EvenhandError as problem:
            _log.warning("cannot start or stop what is due: %s", problem)
            return 0

    def _keep(self, key: str) -> bool:
        """Start or stop one; whoever moved it meanwhile was quicker."""
        with self.store.write() as session:
            if key not in timetable.due(session=session, now=self.now()):
                return False
            reached = timetable.keep_time(session=session, key=key, now=self.now())
        _log.warning("%s is %s by its timetable", key, reached)
        return True

    def _watch(self) -> None:
        while not self.leaving.wait(INTERVAL):
            self.look()
