"""Sheets: the values of all units of a question in memory, and the rows of the statement's answer about them.

For plain questions, whose metrics are all sums over single events, this goes the rest of the way from tallies
to an answer: what the pieces from ``totals`` to ``lived_middles`` and the rows about metrics are in SQL. What
the numbers of a row are is said where the same row is made in SQL.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.metrics import MetricDraft
from experiments.observe.curves import LONGEST_LIFE, aged, followed, running
from experiments.observe.gathering import has_own_piece
from experiments.observe.groups import Calendar, Floats
from experiments.observe.question import DAY_MS, Question
from experiments.observe.tallies import Columns, Members, Tally, can_add

Array = NDArray[Any]

NEVER = np.iinfo(np.int32).min
"""The day of what has not happened."""


def is_plain(question: Question) -> bool:
    """Whether a question can go the whole way in memory."""
    plain = all(
        each.kind in ("proportion", "mean", "retention") and not has_own_piece(each)
        for each in question.counted
    )
    return plain and can_add(question) and question.channel is None


@dataclass(slots=True)
class Part:
    """What the events of a chunk come to for a sheet.

    Attributes
    ----------
    low
        The row of the chunk's first unit.
    events, through
        How many were taken, and the newest of them.
    columns, steps, lived, unreadable
        As a sheet has them, for the units of the chunk.
    """

    low: int
    events: int
    through: int | None = None
    columns: dict[str, Array] = field(default_factory=dict)
    steps: dict[str, dict[str, Array]] = field(default_factory=dict)
    lived: list[dict[str, Array]] = field(default_factory=list)
    unreadable: dict[str, float] = field(default_factory=dict)


class Sheet:
    """The units of a plain question, one row for each, in the order of their numbers.

    Attributes
    ----------
    number, arm, first_at, columns
        Of each unit: its number, its variant, its first exposure, and its values by the names of columns.
    calendar, lives
        The days of the question, and the days since the exposure.
    steps
        By growing metric, chunk by chunk: ``group`` and ``row`` of each cell's unit, whether it is its
        ``first``, and the levels that it has reached.
    lived
        Chunk by chunk: ``group`` of each day of a unit's life, and what was gained on it.
    """

    def __init__(self, question: Question, members: Members) -> None:
        self.question = question
        self.number = np.flatnonzero(members.counted).astype(np.int32)
        self.arm = members.arm[self.number]
        self.first_at = members.first_at[self.number]
        self.columns: dict[str, Array] = {}
        arms, days = len(question.variants), self.first_at // DAY_MS
        begins, ends = (int(days.min()), int(days.max())) if len(days) else (0, 0)
        ends = max(ends, question.horizon // DAY_MS)
        self.calendar = Calendar(begins, ends + 1 - begins, arms)
        self.lives = Calendar(0, LONGEST_LIFE, arms)
        self.steps: dict[str, list[dict[str, Array]]] = defaultdict(list)
        self.lived: list[dict[str, Array]] = []
        self.unreadable: dict[str, float] = defaultdict(float)
        self.events = 0
        self.through: int | None = None

    def part(self, tally: Tally) -> Part:
        """What a chunk's events come to. It changes nothing, so chunks can be looked at side by side."""
        chunk = tally.chunk
        # As numbers of the same kind: otherwise all units are converted first.
        ends = np.array([chunk.low, chunk.low + chunk.size], self.number.dtype)
        low, high = np.searchsorted(self.number, ends)
        here = self.number[low:high] - chunk.low
        part = Part(int(low), int(np.count_nonzero(tally.taken)))
        if part.events:
            part.through = int(chunk.at[tally.taken].max())
        if self.question.back:
            part.columns["seen"] = tally.seen()[here]
        if self.question.historic:
            part.columns |= {name: values[here] for name, values in tally.past()}
        for reading in tally.wanted.readings:
            for name, values in tally.of_metric(reading):
                self._take(part, reading.metric, name, values[here])
        self._take_cells(part, tally, here)
        return part

    def add(self, part: Part) -> None:
        """Take in a chunk."""
        for name, values in part.columns.items():
            if name not in self.columns:
                self.columns[name] = np.zeros(len(self.number), values.dtype)
            self.columns[name][part.low : part.low + len(values)] = values
        for key, cells in part.steps.items():
            self.steps[key].append(cells)
        self.lived += part.lived
        for key, n in part.unreadable.items():
            self.unreadable[key] += n
        self.events += part.events
        if part.through is not None:
            self.through = max(self.through or part.through, part.through)

    def _take(self, part: Part, metric: MetricDraft, name: str, values: Array) -> None:
        match name[0]:
            case "u":
                part.unreadable[metric.key] = float(values.sum())
            case "g":
                part.columns[f"x{name[1:]}"] = level(metric, or_nought(values))
            case "b":
                part.columns[name] = level(metric, or_nought(values), lost=False)
            case "t":
                happened = np.full(len(values), NEVER, np.int32)
                hit = ~np.isnan(values)
                first_at = self.first_at[part.low : part.low + len(values)]
                happened[hit] = (first_at[hit] + values[hit].astype(np.int64)) // DAY_MS
                part.columns[name] = happened

    def _take_cells(self, part: Part, tally: Tally, here: Array) -> None:
        row_of = np.zeros(tally.chunk.size, np.int32)
        row_of[here] = np.arange(part.low, part.low + len(here))
        for metric in running(self.question):
            cells = tally.so_far([metric])
            group = self.calendar.group(cells["arm"], cells["day"])
            row, first = row_of[cells["unit"] - tally.chunk.low], cells["place"] == 1
            levels = self._levels(cells, "after", followed(self.question, [metric]))
            part.steps[metric.key] = {"group": group, "row": row, "first": first, **levels}
        if aged(self.question):
            cells = tally.gained()
            group = self.lives.group(cells["arm"], cells["day"])
            levels = self._levels(cells, "g", followed(self.question, aged(self.question)))
            part.lived.append({"group": group, **levels})

    def _levels(self, cells: Columns, prefix: str, places: Sequence[int]) -> dict[str, Array]:
        """What cells come to, as levels of the counted metrics at some places."""
        counted = self.question.counted
        return {f"x{place}": level(counted[place], or_nought(cells[f"{prefix}{place}"])) for place in places}


def or_nought(values: Array) -> Array:
    """Nought for what is not known."""
    return np.where(np.isnan(values), 0.0, values)


def level(metric: MetricDraft, reached: Floats, *, lost: bool | None = None) -> Array:
    """A unit's number from what its events came to, as `experiments.observe.values.level` in SQL.

    For a share that is whether it has one: a byte, where a number would take eight.
    """
    match metric.kind:
        case "mean":
            return reached if metric.scale == 1 else reached * metric.scale
        case "retention" if metric.lost if lost is None else lost:
            return reached <= 0
    return reached >= metric.at_least
