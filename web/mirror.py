"""The mirror: the ruleset and the keys in force, held in memory and kept fresh in the background.

The doors look only here, so no request for a decision ever waits for the database; when the database is away
the last good state stays in force.
"""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from assignment import Ruleset
from experiments.errors import Unavailable
from experiments.people import KeySecret, open_keys
from experiments.publishing import latest_ruleset, latest_version
from experiments.store import Store

INTERVAL = 1.0
"""Seconds between two looks; a stop reaches every worker within one of them and a bit."""


@dataclass(frozen=True, slots=True)
class Reflection:
    """What was in force at the last look."""

    ruleset: Ruleset = field(default_factory=Ruleset)
    keys: Mapping[str, KeySecret] = field(default_factory=dict)


class Mirror:
    """Keeps a `Reflection` of the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None
        self.reflection = Reflection()
        self.fresh = False

    def refresh(self) -> None:
        """Look once; keep what we have when the database is away."""
        try:
            with self._store.read() as session:
                ruleset = self.reflection.ruleset
                if latest_version(session=session) != ruleset.version:
                    ruleset = latest_ruleset(session=session)
                self.reflection = Reflection(ruleset, open_keys(session=session))
        except Unavailable:
            self.fresh = False
        else:
            self.fresh = True

    def start(self) -> None:
        """Look now, and from now on in the background."""
        self.refresh()
        self._thread = threading.Thread(target=self._watch, name="mirror", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the background looks."""
        self._leaving.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        # A little jitter keeps many workers from asking in the same moment.
        while not self._leaving.wait(INTERVAL * random.uniform(0.8, 1.0)):  # noqa: S311 - not a secret
            self.refresh()
