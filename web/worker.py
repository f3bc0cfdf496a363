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
from experiments.interruptions import note
from experiments.lifecycle import Status
from experiments.pasts import refresh_pasts
from experiments.readouts import Snapshot
from experiments.retention import forget_old, planned_limits
from experiments.store import Store
from experiments.store.ledger import newest_arrival, position
from web.alarm import deliver_alerts, look_again, raise_alarms
from web.deployment import VERSION, clock
from web.engine import engine_of
from web.patience import Patience
from web.settings import Settings
from web.timekeeper import Timekeeper

INTERVAL = 20.0
"""Seconds between two looks for new data."""

_PASTS = "pasts of metrics"
"""What is waited for beside experiments; no key has spaces."""

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
    _patience: Patience = field(default_factory=Patience)
    _tended: date | None = None
    _forgot: date | None = None

    def run(self) -> None:
        """Look, and look again, until told to leave."""
        Timekeeper(self.store, self.now, self.leaving).start()
        while not self.leaving.is_set():
            self.look()
            self.alarm()
            self.look_back()
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

    def alarm(self) -> None:
        """Tell what has waited long enough, and deliver what has not arrived yet."""
        try:
            look_again(store=self.store, now=self.now())
            deliver_alerts(store=self.store, settings=self.settings, now=self.now())
        except EvenhandError as problem:
            _log.warning("cannot deliver alerts: %s", problem)

    def look_back(self) -> int:
        """Count the past of metrics where it is old or unknown; say how many that were."""
        if not self._patience.has_come(_PASTS, None, self.now()):
            return 0
        try:
            engine = engine_of(self.settings, self.store)
            done = refresh_pasts(store=self.store, engine=engine, now=self.now())
        except EvenhandError as problem:
            _log.warning("cannot look back: %s", problem)
            self._patience.failed(_PASTS, None, self.now())
            return 0
        self._patience.worked(_PASTS)
        return done

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
            wanted = [each for each in list_experiments(session=session) if _is_wanted(each)]
        stale: list[tuple[Experiment, tuple[object, ...]]] = []
        beginning = self._beginning()
        for each in wanted:
            # A plan may end and a window may pass without a new row: each day brings one analysis at least.
            news = (beginning,) if self.settings.warehoused else (*reached, beginning)
            state = (*news, each.revision, each.analysis_asked_at)
            if each.key not in self._seen and _covers(
                analysed.get(each.key), each, beginning if self.settings.warehoused else newest
            ):
                self._seen[each.key] = state
            if self._seen.get(each.key) != state and self._patience.has_come(
                each.key, _asked(each), self.now()
            ):
                stale.append((each, state))
        return stale

    def _beginning(self) -> datetime:
        """The moment after which a readout is fresh: a warehouse tells nobody that there is news."""
        hours = self.settings.engine_hours if self.settings.warehoused else 24
        today = self.now().replace(minute=0, second=0, microsecond=0)
        return today.replace(hour=today.hour - today.hour % hours)

    def _analyse(self, experiment: Experiment, state: tuple[object, ...]) -> bool:
        try:
            snapshot = analyses.analyse(
                store=self.store,
                engine=engine_of(self.settings, self.store),
                key=experiment.key,
                now=self.now(),
                version=VERSION,
            )
            raise_alarms(store=self.store, snapshot=snapshot, now=self.now())
        except EvenhandError as problem:
            _log.warning("%s could not be analysed: %s", experiment.key, problem)
            self._patience.failed(experiment.key, _asked(experiment), self.now())
            return self._missed(experiment, str(problem))
        except Exception:  # noqa: BLE001 - one broken experiment must not keep the others from being read
            _log.exception("%s could not be analysed", experiment.key)
            return self._missed(experiment, "something unexpected went wrong; the log of the worker has it")
        self._patience.worked(experiment.key)
        self._seen[experiment.key] = state
        return True

    def _missed(self, experiment: Experiment, reason: str) -> bool:
        """Let those who look at the last readout know that it is not fresh."""
        try:
            with self.store.write() as session:
                note(session=session, key=experiment.key, reason=reason, now=self.now())
        except EvenhandError as problem:
            _log.warning("cannot note that: %s", problem)
        return False


def _asked(experiment: Experiment) -> tuple[object, ...]:
    """What a failed analysis was about: after a change, or when somebody asks, it is tried at once."""
    return (experiment.revision, experiment.analysis_asked_at)


def _is_wanted(experiment: Experiment) -> bool:
    """Whether readouts are kept fresh: while it runs, and afterwards for as long as somebody asks."""
    asked, stopped = experiment.analysis_asked_at, experiment.stopped_at
    after_the_end = asked is not None and stopped is not None and asked > stopped
    return experiment.status is Status.RUNNING or after_the_end


def _covers(snapshot: Snapshot | None, experiment: Experiment, newest: datetime | None) -> bool:
    """Whether a readout from before this process began already holds all that is known."""
    if snapshot is None:
        return False
    as_of = snapshot.readout.as_of
    known = (experiment.updated_at, experiment.analysis_asked_at, newest)
    return all(moment is None or moment <= as_of for moment in known)
