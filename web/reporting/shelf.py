"""The shelf: what was laid out once is kept, because a snapshot never changes.

Drawing a page takes a hundred times as long as sending it. What lies here was made of one snapshot, in one
language, and holds nothing of a person or a session. The oldest make room when it is full.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

ROOM = 64 * 1024 * 1024
"""Characters that are kept; the pages of a few hundred experiments."""


class Shelf:
    """Made texts by what they were made of."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, str] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], str]) -> str:
        """What was made of this; made now when it is not there."""
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
        made = make()
        self._put(key, made)
        return made

    def _put(self, key: Hashable, made: str) -> None:
        with self._lock:
            self._size += len(made) - len(self._kept.pop(key, ""))
            self._kept[key] = made
            while self._size > self._room and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest)
