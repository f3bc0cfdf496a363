"""Patience: how long to wait before something that went wrong is tried again."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SHORTEST, LONGEST = timedelta(seconds=20), timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _Wait:
    about: Hashable
    pause: timedelta
    until: datetime


@dataclass
class Patience:
    """Twice as long after each failure in a row: who is away is not asked three times a minute."""

    _waits: dict[str, _Wait] = field(default_factory=dict)

    def has_come(self, name: str, about: Hashable, now: datetime) -> bool:
        """Whether something may be tried; what has become another thing since may be tried at once."""
        wait = self._waits.get(name)
        return wait is None or wait.about != about or now >= wait.until

    def failed(self, name: str, about: Hashable, now: datetime) -> None:
        """Wait, and longer than last time."""
        last = self._waits.get(name)
        again = last is not None and last.about == about
        pause = min(2 * last.pause, LONGEST) if last is not None and again else SHORTEST
        self._waits[name] = _Wait(about, pause, now + pause)

    def worked(self, name: str) -> None:
        """Wait no more."""
        self._waits.pop(name, None)
