"""The tally: what a process has done, counted in plain numbers.

A counter of the exporter costs several microseconds, a decision costs ten; so the doors count here, and what
was counted is handed on once a second.
"""

from collections import defaultdict

Labels = tuple[str, ...]


class Tally:
    """Counts by name and labels. Callers use few different labels, so it stays small."""

    def __init__(self) -> None:
        self._counts: defaultdict[Labels, int] = defaultdict(int)
        self._taken: dict[Labels, int] = {}

    def add(self, name: str, *labels: str, amount: int = 1) -> None:
        """Count something."""
        self._counts[name, *labels] += amount

    def take(self) -> dict[Labels, int]:
        """What was counted since the last call, by name and labels."""
        counted = dict(self._counts)
        news = {labels: count - self._taken.get(labels, 0) for labels, count in counted.items()}
        self._taken = counted
        return {labels: count for labels, count in news.items() if count}
