"""The mirror: the ruleset and the keys in force, held in memory and kept fresh in the background.

The doors look only here, so no request for a decision ever waits for the database. When the database is away
the last good state stays in force; a process that starts in such an hour begins with the state that was last
written to disk.
"""

import json
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from assignment import Ruleset
from assignment.growthbook import features_payload
from experiments.catalog import known_keys
from experiments.errors import Unavailable
from experiments.intake import Intake
from experiments.people import KeySecret, open_keys
from experiments.pseudonyms import Pseudonyms
from experiments.publishing import latest_publication, latest_version
from experiments.store import Store
from experiments.tracking import TrackingDraft, TrackingPlan
from experiments.tracking_plans import find_plan, latest_plan_version
from experiments.workers import report

INTERVAL = 1.0
"""Seconds between two looks; a stop reaches every worker within one of them and a bit."""

HEARTBEAT = 15.0
"""Seconds between two reports of what this process serves, when nothing changes."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reflection:
    """What was in force at the last look."""

    ruleset: Ruleset = field(default_factory=Ruleset)
    keys: Mapping[str, KeySecret] = field(default_factory=dict)
    published_at: str = ""
    plan: TrackingPlan = field(default_factory=TrackingPlan)
    experiments: frozenset[str] | None = None

    def intake(self, pseudonyms: Pseudonyms | None) -> Intake:
        """What is in force for records that come in."""
        return Intake(self.plan, self.ruleset, self.experiments, pseudonyms)

    @cached_property
    def features(self) -> bytes:
        """What clients that decide by themselves download, made once for each ruleset."""
        payload = {"status": 200, **features_payload(self.ruleset), "dateUpdated": self.published_at}
        return json.dumps(payload, separators=(",", ":")).encode()

    def to_json(self) -> dict[str, Any]:
        """Write what `from_json` reads."""
        return {
            "ruleset": self.ruleset.to_json(),
            "keys": [key.to_json() for key in self.keys.values()],
            "published_at": self.published_at,
            "plan": {"version": self.plan.version, **self.plan.draft.model_dump(mode="json")},
            "experiments": None if self.experiments is None else sorted(self.experiments),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Reflection":
        """Read what `to_json` wrote."""
        keys = [KeySecret.from_json(each) for each in document["keys"]]
        ruleset = Ruleset.from_json(document["ruleset"])
        plan = dict(document.get("plan", {}))  # an older version kept none
        version = plan.pop("version", 0)
        known = document.get("experiments")
        return cls(
            ruleset,
            {each.key.prefix: each for each in keys},
            document["published_at"],
            TrackingPlan(version, TrackingDraft.model_validate(plan)),
            None if known is None else frozenset(known),
        )


class Mirror:
    """Keeps a `Reflection` of the database.

    Parameters
    ----------
    path
        Where the last good state is kept for a start without the database.
    now
        The clock.
    """

    def __init__(self, store: Store, path: Path, now: Callable[[], datetime]) -> None:
        self._store = store
        self._path = path
        self._now = now
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None
        self._reported: tuple[int, float] = (-1, 0.0)
        self._trouble = ""
        self.reflection = Reflection()
        self.fresh = False
        self.after_looks: list[Callable[[], None]] = []

    def refresh(self) -> None:
        """Look once; keep what we have when the database is away."""
        held = self.reflection
        try:
            with self._store.read() as session:
                keys = open_keys(session=session)
                ruleset, published_at = held.ruleset, held.published_at
                if latest_version(session=session) != ruleset.version:
                    ruleset, published_at = latest_publication(session=session)
                plan, known = held.plan, known_keys(session=session)
                if latest_plan_version(session=session) != plan.version:
                    plan = find_plan(session=session)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the last good state stays in force
            self._note(f"the last good state stays in force: {problem}")
            self.fresh = False
            return
        self._note("")
        self.fresh = True
        same = ruleset is held.ruleset and plan is held.plan
        if not same or (keys, known) != (held.keys, held.experiments):
            self._take(Reflection(ruleset, keys, published_at, plan, known))

    def start(self) -> None:
        """Look now, and from now on in the background."""
        self.refresh()
        if not self.fresh:
            self._restore()
        self._thread = threading.Thread(target=self._watch, name="mirror", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the background looks."""
        self._leaving.set()
        if self._thread is not None:
            self._thread.join()

    def _take(self, reflection: Reflection) -> None:
        for key, reason in reflection.ruleset.broken.items():
            _log.error("experiment %s is left out of ruleset %s: %s", key, reflection.ruleset.version, reason)
        self.reflection = reflection
        self._keep()

    def _note(self, trouble: str) -> None:
        """Say that there is trouble when it begins, not at every look."""
        if trouble and not self._trouble:
            _log.error(trouble)
        self._trouble = trouble

    def _watch(self) -> None:
        # A little jitter keeps many workers from asking in the same moment.
        while not self._leaving.wait(INTERVAL * random.uniform(0.8, 1.0)):  # noqa: S311 - not a secret
            self.refresh()
            self._report()
            for act in self.after_looks:
                act()

    def _report(self) -> None:
        """Tell the database what this process serves: at a change, and now and then."""
        version, at = self.reflection.ruleset.version, time.monotonic()
        if not self.fresh or (version == self._reported[0] and at - self._reported[1] < HEARTBEAT):
            return
        name = f"{socket.gethostname()}:{os.getpid()}"
        try:
            with self._store.write() as session:
                report(session=session, name=name, ruleset=version, now=self._now())
        except Unavailable:
            return
        self._reported = (version, at)

    def _keep(self) -> None:
        """Write the state to disk, whole or not at all."""
        draft = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self.reflection.to_json(), file)
            draft.replace(self._path)
        except OSError as problem:
            _log.warning("the state could not be kept in %s: %s", self._path, problem)

    def _restore(self) -> None:
        try:
            self.reflection = Reflection.from_json(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as problem:
            _log.error("the database is away and there is no kept state: %s", problem)
