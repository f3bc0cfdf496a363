"""Tallies: what the events of each unit come to, added up in memory.

This is what the pieces ``gathered``, ``so_far`` and ``gained`` of the statement do, over arrays: their rows,
as columns of tables, with NaN for what is null there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.metrics import MetricDraft
from experiments.observe.cells import Cells, beginnings
from experiments.observe.chunks import Chunk, Reading, Wanted, Whole
from experiments.observe.curves import LONGEST_LIFE, aged, followed, running
from experiments.observe.question import DAY_MS, Question, reach

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

NOBODY = 2**61
"""The first exposure of a unit that has none: later than any event."""

PAST = ("last_seen", "often", "spent")
"""What lifecycle and RFM segments need of the time before the exposure."""


def can_add(question: Question) -> bool:
    """Whether everything that the question gathers is a sum, a count or an extreme."""
    return not any(
        each.kind in ("mean", "quantile") and each.aggregation in ("count_distinct", "days")
        for each in question.counted
    )


@dataclass(frozen=True, slots=True)
class Members:
    """The units that count, by their numbers.

    Attributes
    ----------
    first_at
        A unit's first exposure in milliseconds, or `NOBODY`.
    arm
        The place of its variant.
    """

    first_at: Whole
    arm: NDArray[np.int8]

    @classmethod
    def spread(cls, newest: int, unit: NDArray[Any], arm: NDArray[Any], first_at: NDArray[Any]) -> "Members":
        """Spread what is known of some units over all numbers up to the newest."""
        moments, places = np.full(newest + 1, NOBODY), np.zeros(newest + 1, np.int8)
        moments[unit], places[unit] = first_at, arm
        return cls(moments, places)

    @property
    def counted(self) -> Flags:
        """Whether each number is that of a unit that counts."""
        return np.asarray(self.first_at < NOBODY)

    def within(self, chunk: Chunk) -> "Members":
        """The units of a chunk, counted from its first."""
        here = slice(chunk.low, chunk.low + chunk.size)
        return Members(self.first_at[here], self.arm[here])


@dataclass(frozen=True, slots=True)
class Tally:
    """The events of a chunk as a question sees them.

    Attributes
    ----------
    members
        The units of the chunk.
    age
        Of each event, in milliseconds since its unit's first exposure.
    taken
        Whether it is one of those that the question takes: of a unit that counts, with a name that matters.
    after, before
        Whether it is of a unit that counts, since the exposure, or in the time of the covariates.
    """

    wanted: Wanted
    chunk: Chunk
    members: Members
    age: Whole
    taken: Flags
    after: Flags
    before: Flags

    @classmethod
    def of(cls, wanted: Wanted, chunk: Chunk, everybody: Members) -> "Tally":
        """See a chunk with a question's eyes."""
        question, members = wanted.question, everybody.within(chunk)
        age = chunk.at - members.first_at[chunk.unit]
        lately = age >= -question.back
        taken = age > -(NOBODY // 2) if question.historic else lately
        known = taken & (chunk.at <= question.horizon)
        taken = known if wanted.named is None else known & chunk.columns[wanted.named]
        since = age >= 0
        return cls(wanted, chunk, members, age, taken, known & since, known & lately & ~since)

    @property
    def question(self) -> Question:
        """What is asked."""
        return self.wanted.question

    def tables(self) -> Iterator[tuple[str, Columns]]:
        """The rows of each piece that the question needs."""
        yield "gathered", self._gathered()
        if metrics := running(self.question):
            yield "so_far", self.so_far(metrics)
        if aged(self.question):
            yield "gained", self.gained()

    def _gathered(self) -> Columns:
        """One row for each unit with events."""
        events = self._count(self.taken)
        columns: dict[str, NDArray[Any]] = {
            "events": events,
            "last_at": self._extreme(np.maximum, np.flatnonzero(self.taken), self.chunk.at),
        }
        for reading in self.wanted.readings:
            columns |= self.of_metric(reading)
        if self.question.back:
            columns["seen"] = self.seen()
        columns |= self.past()
        rows = np.flatnonzero(events)
        found = {name: values[rows] for name, values in columns.items()}
        return {"unit": self._numbers(rows), **found}

    def seen(self) -> Flags:
        """Whether each unit had events before its exposure."""
        return np.asarray(self._count(self.before) > 0)

    def of_metric(self, reading: Reading) -> Iterator[tuple[str, NDArray[Any]]]:
        """What each unit's events come to, by the names of the columns."""
        place, metric = reading.place, reading.metric
        if reading.unlike is not None:
            yield f"u{place}", self._count(self._hit_by(metric, reading.unlike)).astype(np.float64)
        if reading.fits is None:
            return
        hits = np.flatnonzero(self._hit_by(metric, reading.fits))
        yield f"g{place}", self._added(reading, hits)
        if metric.kind == "time_to_event" or self.question.by_first(metric):
            yield f"t{place}", self._extreme(np.minimum, hits, self.age)
        if metric.key in self.question.before_keys:
            earlier = np.flatnonzero(self.before & self.chunk.columns[reading.fits])
            yield f"b{place}", self._added(reading, earlier)

    def past(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """The columns of `PAST`, where they are asked for."""
        if self.wanted.spent is None:
            return
        values = self.chunk.columns[self.wanted.spent]
        past = np.flatnonzero(self.taken & (self.age < 0))
        unit, size = self.chunk.unit[past], self.chunk.size
        last_seen, often = self._extreme(np.maximum, past, self.age), np.bincount(unit, minlength=size)
        spent = np.bincount(unit, np.nan_to_num(values[past]), minlength=size)
        yield from zip(PAST, (last_seen, often, spent), strict=True)

    def _hit_by(self, metric: MetricDraft, column: str) -> Flags:
        """Whether an event counts after the exposure, within the metric's window."""
        first, last = reach(metric)
        hits: Flags = self.after & self.chunk.columns[column]
        if first:
            hits &= self.age >= first
        if last is not None:
            hits &= self.age < last
        return hits

    def _count(self, chosen: Flags) -> Whole:
        return np.bincount(self.chunk.unit[chosen], minlength=self.chunk.size)

    def _added(self, reading: Reading, hits: Whole) -> Floats:
        """What some events come to for their units."""
        if reading.largest and reading.amount is not None:
            return self._extreme(np.maximum, hits, self.chunk.columns[reading.amount])
        amounts = None if reading.amount is None else self.chunk.columns[reading.amount][hits]
        return np.bincount(self.chunk.unit[hits], amounts, self.chunk.size).astype(np.float64)

    def _extreme(self, which: np.ufunc, hits: Whole, values: NDArray[Any]) -> Floats:
        """The least or the largest value of each unit, NaN for none."""
        found = np.full(self.chunk.size, np.nan)
        if len(hits):
            unit = self.chunk.unit[hits]
            starts = beginnings(unit)
            found[unit[starts]] = which.reduceat(values[hits], starts)
        return found

    def _numbers(self, places: Whole) -> NDArray[np.int32]:
        return (places + self.chunk.low).astype(np.int32)

    def so_far(self, metrics: Sequence[MetricDraft]) -> Columns:
        """One row for each unit and calendar day with events, and what the unit has come to by then."""
        readings = self._read_for(followed(self.question, list(metrics)))
        hits = [self._hit_by(each.metric, str(each.fits)) for each in readings]
        chosen = np.flatnonzero(np.logical_or.reduce(hits))
        cells = Cells.of(self.chunk.unit[chosen], self.chunk.at[chosen] // DAY_MS)
        columns: dict[str, NDArray[Any]] = {"place": cells.place + 1}
        for reading, hit in zip(readings, hits, strict=True):
            gains = self._by_cell(cells, reading, hit, chosen)
            after = cells.so_far(np.fmax if reading.largest else np.add, gains)
            columns[f"after{reading.place}"] = after
            columns[f"before{reading.place}"] = cells.one_before(after)
        return {**self._about(cells), **columns}

    def gained(self) -> Columns:
        """One row for each unit and whole day of its life with events, and what they come to."""
        lives = np.minimum((self.question.horizon - self.members.first_at) // DAY_MS, LONGEST_LIFE)
        since = np.flatnonzero(self.after)
        unit, day = self.chunk.unit[since], self.age[since] // DAY_MS
        lived = day < lives[unit]
        chosen = since[lived]
        cells = Cells.of(unit[lived], day[lived])
        readings = self._read_for(followed(self.question, aged(self.question)))
        gains = {
            f"g{each.place}": self._by_cell(cells, each, self._hit_by(each.metric, str(each.fits)), chosen)
            for each in readings
        }
        return {**self._about(cells), **gains}

    def _read_for(self, places: Sequence[int]) -> list[Reading]:
        return [each for each in self.wanted.readings if each.place in places]

    def _about(self, cells: Cells) -> Columns:
        return {"unit": self._numbers(cells.unit), "arm": self.members.arm[cells.unit], "day": cells.day}

    def _by_cell(self, cells: Cells, reading: Reading, hit: Flags, chosen: Whole) -> Floats:
        hits = hit[chosen]
        if reading.amount is None:
            return cells.added(np.add, hits.astype(np.float64))
        amounts = self.chunk.columns[reading.amount][chosen]
        if reading.largest:
            return cells.added(np.fmax, np.where(hits, amounts, np.nan))
        return cells.added(np.add, np.where(hits, amounts, 0.0))
