"""Sheets: the values of all units of a question in memory, and the rows of the statement's answer about them.

For plain questions, whose metrics are all sums over single events, this goes the rest of the way from tallies
to an answer: what the pieces from ``totals`` to ``lived_middles`` and the rows about metrics are in SQL. What
the numbers of a row are is said where the same row is made in SQL.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.metrics import MetricDraft
from experiments.observe.curves import aged, followed, running
from experiments.observe.gathering import has_own_piece
from experiments.observe.groups import Floats
from experiments.observe.question import DAY_MS, Question
from experiments.observe.tallies import NOBODY, Members, Tally, can_add

Array = NDArray[Any]

NEVER = np.iinfo(np.int32).min
"""The day of what has not happened."""


def is_plain(question: Question) -> bool:
    """Whether a question can go the whole way in memory."""
    plain = all(
        each.kind in ("proportion", "mean", "retention") and not has_own_piece(each)
        for each in question.counted
    )
    return plain and can_add(question) and not question.segments and question.channel is None


class Sheet:
    """The units of a plain question, one row for each, in the order of their numbers."""

    def __init__(self, question: Question, members: Members) -> None:
        self.question = question
        self._number = np.flatnonzero(members.first_at < NOBODY).astype(np.int32)
        self.arm = members.arm[self._number]
        self.first_at = members.first_at[self._number]
        self.columns: dict[str, Array] = {}
        self._cells: dict[str, dict[str, list[Array]]] = defaultdict(lambda: defaultdict(list))
        self.unreadable: dict[str, float] = defaultdict(float)
        self.events = 0
        self.through: int | None = None

    def add(self, tally: Tally) -> None:
        """Take in what a chunk's events come to."""
        chunk = tally.chunk
        low, high = np.searchsorted(self._number, (chunk.low, chunk.low + chunk.size))
        here = self._number[low:high] - chunk.low
        if self.question.back:
            self._keep("seen", low, tally.seen()[here].astype(np.float64))
        for reading in tally.wanted.readings:
            for name, values in tally.of_metric(reading):
                self._take(reading.metric, name, low, values[here])
        self._take_cells(tally, here, low)
        if tally.taken.any():
            self.events += int(np.count_nonzero(tally.taken))
            newest = int(chunk.at[tally.taken].max())
            self.through = newest if self.through is None else max(self.through, newest)

    def _take(self, metric: MetricDraft, name: str, low: int, values: Array) -> None:
        rows = slice(low, low + len(values))
        match name[0]:
            case "u":
                self.unreadable[metric.key] += float(values.sum())
            case "g":
                self._keep(f"x{name[1:]}", low, level(metric, np.nan_to_num(values)))
            case "b":
                known = level(metric, np.nan_to_num(values), lost=False)
                self._keep(name, low, np.where(self.columns["seen"][rows] > 0, known, np.nan))
            case "t":
                happened = np.full(len(values), NEVER, np.int32)
                hit = ~np.isnan(values)
                happened[hit] = (self.first_at[rows][hit] + values[hit].astype(np.int64)) // DAY_MS
                self._keep(name, low, happened)

    def _keep(self, name: str, low: int, values: Array) -> None:
        column = self.columns.setdefault(name, np.zeros(len(self._number), values.dtype))
        column[low : low + len(values)] = values

    def _take_cells(self, tally: Tally, here: Array, low: int) -> None:
        row_of = np.zeros(tally.chunk.size, np.int32)
        row_of[here] = np.arange(low, low + len(here))
        for metric in running(self.question):
            cells, kept = tally.so_far([metric]), self._cells[metric.key]
            kept["row"].append(row_of[cells["unit"] - tally.chunk.low])
            kept["day"].append(cells["day"].astype(np.int32))
            kept["first"].append(cells["place"] == 1)
            for place in followed(self.question, [metric]):
                so_far = np.nan_to_num(cells[f"after{place}"])
                kept[f"x{place}"].append(level(self.question.counted[place], so_far))
        if aged(self.question):
            cells, kept = tally.gained(), self._cells[""]
            kept["arm"].append(cells["arm"])
            kept["day"].append(cells["day"].astype(np.int32))
            for place in followed(self.question, aged(self.question)):
                gains = np.nan_to_num(cells[f"g{place}"])
                kept[f"x{place}"].append(level(self.question.counted[place], gains))

    def cells_of(self, key: str) -> Mapping[str, Array]:
        """The cells of a growing metric, or, by no key, the days of units' lives; they are handed over."""
        return {name: np.concatenate(each) for name, each in self._cells.pop(key).items()}


def level(metric: MetricDraft, reached: Floats, *, lost: bool | None = None) -> Floats:
    """A unit's number from what its events came to, as `experiments.observe.values.level` in SQL."""
    match metric.kind:
        case "mean":
            return reached if metric.scale == 1 else reached * metric.scale
        case "retention" if metric.lost if lost is None else lost:
            return (reached <= 0).astype(np.float64)
    return (reached >= metric.at_least).astype(np.float64)
