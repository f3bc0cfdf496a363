"""Summing: from a sheet to the rows of the answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from experiments.metrics import MetricDraft
from experiments.observe.curves import aged, followed, running
from experiments.observe.groups import Answer, Floats, Piece, Segment, slices
from experiments.observe.question import DAY_MS
from experiments.observe.sheets import NEVER, Array, Sheet
from experiments.observe.values import columns_of


@dataclass(frozen=True, slots=True)
class Middles:
    """Around what products are taken.

    Attributes
    ----------
    values, spreads
        Of the columns of units, by their names.
    lived
        Of what units gain on the days of their lives on which anything happens to them.
    """

    values: Mapping[str, float]
    spreads: Mapping[str, float]
    lived: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Summed:
    """What was added up for a question, as rows of the answer, and around what."""

    middles: Middles
    rows: Sequence[Answer]


class Summing:
    """The values of a sheet after capping, and their middles.

    Parameters
    ----------
    around
        Middles to keep to; those of the sheet when there are none.
    """

    def __init__(self, sheet: Sheet, around: Middles | None = None) -> None:
        self._sheet = sheet
        self._question = sheet.question
        self._columns = dict(sheet.columns)
        self._caps: dict[str, float] = {}
        self._by_span: dict[int, tuple[Array | None, Array]] = {}
        for metric in self._question.metrics:
            self._matured(self._question.span(metric))
        for place, metric in enumerate(self._question.counted):
            if metric.cap is not None:
                self._cap(f"x{place}", metric.cap.quantile)
        self.middles = around or self._found()

    def summed(self, pool: Executor, segments: Iterable[Segment] = ()) -> Summed:
        """Everything that the answer says of metrics, over all units and by segments.

        Parameters
        ----------
        pool
            Adds up several metrics side by side.
        """
        return Summed(self.middles, list(self._rows(pool, segments)))

    def _rows(self, pool: Executor, segments: Iterable[Segment]) -> Iterator[Answer]:
        sheet = self._sheet
        yield ("event_through", "", None, 0, sheet.through, 1, float(sheet.events))
        for key, n in sheet.unreadable.items():
            yield ("unreadable", key, None, 0, None, int(n))
        yield from self._known()
        parts = [self._of_metric(metric) for metric in self._question.metrics]
        parts += [self._ages(), *(self._cuts(segment) for segment in segments)]
        for each in [pool.submit(list, part) for part in parts]:
            yield from each.result()

    def _found(self) -> Middles:
        """The middles of the sheet."""
        values, spreads = {}, {}
        for place, metric in enumerate(self._question.counted):
            old, name = self._matured(self._question.span(metric))[0], f"x{place}"
            values[name], spreads[name] = _middle_of(self._of(name, old))
        for name in self._known_before():
            values[name], _ = _middle_of(self._columns[name][self._columns["seen"]])
        if "seen" in self._columns:
            values["seen"], _ = _middle_of(self._columns["seen"])
        lived = (f"x{place}" for place in followed(self._question, aged(self._question)))
        return Middles(values, spreads, {name: self._lived_middle(name) for name in lived})

    def _known_before(self) -> list[str]:
        """The columns of what was known before the exposure, of the units that had been seen."""
        names = (f"b{place}" for place, _ in enumerate(self._question.counted))
        return [name for name in names if name in self._columns]

    def _known(self) -> Iterator[Answer]:
        """Of how many units something was known before the exposure, and how far it lay from the middle."""
        for name in self._known_before():
            key = self._question.counted[int(name[1:])].key
            values = self._columns[name][self._columns["seen"]]
            off = float((values - self.middles.values[name]).sum())
            yield ("known", key, None, 0, None, len(values), off)

    def _lived_middle(self, name: str) -> float:
        lived = [cells[name] for cells in self._sheet.lived]
        return sum(float(each.sum()) for each in lived) / max(1, sum(map(len, lived)))

    def _cap(self, name: str, quantile: float) -> None:
        """A cap cuts off what is large; below zero it would move units to which nothing happened."""
        values = self._columns[name].astype(np.float64)
        self._caps[name] = max(0.0, float(np.quantile(values, quantile))) if len(values) else 0.0
        self._columns[name] = np.minimum(values, self._caps[name])

    def _matured(self, span: int) -> tuple[Array | None, Array]:
        """The units whose window has passed, None for all, and their groups by the day on which it had."""
        if span not in self._by_span:
            sheet, latest = self._sheet, self._question.horizon - span
            all_old = not len(sheet.first_at) or sheet.first_at.max() <= latest
            old = None if all_old else np.flatnonzero(sheet.first_at <= latest)
            chosen = slice(None) if old is None else old
            day = (sheet.first_at[chosen] + span) // DAY_MS
            self._by_span[span] = old, sheet.calendar.group(sheet.arm[chosen], day)
        return self._by_span[span]

    def _of_metric(self, metric: MetricDraft) -> Iterator[Answer]:
        """A metric's middles, its sums, and how they grew."""
        own, known = columns_of(self._question, metric)
        middles = [self.middles.values[name] for name in (*own, *known)]
        yield ("middle", metric.key, None, 0, None, 1, *middles, self.middles.spreads[own[0]])
        yield from self._sums(metric, [*own, *known])
        if self._question.by_first(metric):
            yield from self._firsts(metric, own[0], known)
        elif metric in running(self._question):
            yield from self._steps(metric, own, known)
        if metric.cap is not None:
            yield from self._uncapped(metric, own[0])

    def _sums(self, metric: MetricDraft, names: Sequence[str]) -> Iterator[Answer]:
        old, group = self._matured(self._question.span(metric))
        calendar = self._sheet.calendar
        shape = self.middles.spreads[names[0]] if metric.kind == "mean" else None
        n, *found = calendar.totals(self._products(names, group, old, shape))
        if metric.kind == "mean":
            largest = np.zeros(len(n))
            np.maximum.at(largest, group, np.abs(self._of(names[0], old)))
            found.insert(-1, largest)
        yield from calendar.rows("metric", metric.key, n, np.array(found), n)
        if old is not None:
            yield ("metric", metric.key, None, 0, None, len(self._sheet.arm) - len(old))

    def _of(self, name: str, units: Array | None) -> Array:
        return self._columns[name] if units is None else self._columns[name][units]

    def _picked(self, names: Sequence[str], units: Array | slice) -> Iterator[Array]:
        """Some columns of some units. What was not known before the exposure stands in the middle."""
        for name in names:
            values = self._columns[name][units]
            if name.startswith("b"):
                values = np.where(self._columns["seen"][units], values, self.middles.values[name])
            yield values

    def _products(
        self, names: Sequence[str], group: Array, units: Array | None, spread: float | None = None
    ) -> Iterator[Piece]:
        """Values, and products of their distances pair by pair; with a spread the shape of the first, too."""
        for here in slices(len(group)):
            values = list(self._picked(names, here if units is None else units[here]))
            off = self._distances(names, values)
            numbers = [*values, *(left * right for left, right in combinations_with_replacement(off, 2))]
            if spread is not None:
                standard = off[0] / spread if spread > 0 else np.zeros(len(off[0]))
                numbers += [standard * standard * standard, np.abs(values[0])]
            yield group[here], numbers

    def _cuts(self, segment: Segment) -> Iterator[Answer]:
        """As `experiments.observe.answers.cut_rows`."""
        everybody = segment.group(self._sheet.arm)
        (n,) = segment.totals([(everybody, [])])
        yield from segment.rows("cut_units", "", n, np.zeros((0, len(n))))
        for metric in self._question.metrics:
            own, known = columns_of(self._question, metric)
            old, _ = self._matured(self._question.span(metric))
            group = everybody if old is None else everybody[old]
            n, *found = segment.totals(self._products([*own, *known], group, old))
            yield from segment.rows("cut", metric.key, n, np.array(found))

    def _uncapped(self, metric: MetricDraft, name: str) -> Iterator[Answer]:
        """As `experiments.observe.answers.uncapped`."""
        values, middle = self._sheet.columns[name], self.middles.values[name]
        old = self._sheet.first_at <= self._question.horizon - self._question.span(metric)
        for arm in np.unique(self._sheet.arm[old]).tolist():
            mine = values[old & (self._sheet.arm == arm)]
            squares = float(((mine - middle) ** 2).sum())
            yield ("uncapped", metric.key, None, int(arm), None, len(mine), float(mine.sum()), squares)

    def _distances(self, names: Sequence[str], values: Sequence[Floats]) -> list[Floats]:
        return [each - self.middles.values[name] for name, each in zip(names, values, strict=True)]

    def _off(self, names: Sequence[str], units: Array) -> list[Floats]:
        """The distances of some columns for some units."""
        return self._distances(names, list(self._picked(names, units)))

    def _firsts(self, metric: MetricDraft, own: str, known: Sequence[str]) -> Iterator[Answer]:
        """As `experiments.observe.curves.first_rows`."""
        day, calendar = self._columns[f"t{own[1:]}"], self._sheet.calendar

        def pieces() -> Iterator[Piece]:
            for here in slices(len(day)):
                hit = np.flatnonzero(day[here] != NEVER) + here.start
                (off,), others = self._off([own], hit), self._off(known, hit)
                group = calendar.group(self._sheet.arm[hit], day[hit])
                yield group, [np.ones(len(hit)), off * off, *(off * each for each in others), *others]

        n, *found = calendar.totals(pieces())
        yield from calendar.rows("step", metric.key, n, np.array([*found, n]), n)

    def _steps(self, metric: MetricDraft, own: Sequence[str], known: Sequence[str]) -> Iterator[Answer]:
        """As `experiments.observe.curves.step_rows`."""

        def pieces() -> Iterator[Piece]:
            for cells in self._sheet.steps[metric.key]:
                for here in slices(len(cells["group"])):
                    yield cells["group"][here], self._growth(cells, here, own, known)

        present, *found, n = self._sheet.calendar.totals(pieces())
        numbers = np.array([*found, present])
        yield from self._sheet.calendar.rows("step", metric.key, n, numbers, present)

    def _growth(
        self, cells: Mapping[str, Array], here: slice, own: Sequence[str], known: Sequence[str]
    ) -> list[Array]:
        """The numbers of some cells, and last whether each is the first of its unit."""
        first = cells["first"][here]
        after, before = zip(*(self._around(name, cells, here) for name in own), strict=True)
        now = self._distances(own, after)
        then = [each * ~first for each in self._distances(own, before)]
        others = self._off(known, cells["row"][here])
        found = [new - old for new, old in zip(after, before, strict=True)]
        for left, right in combinations_with_replacement(range(len(own)), 2):
            found.append(now[left] * now[right] - then[left] * then[right])
        for new, old in zip(now, then, strict=True):
            found += [(new - old) * each for each in others]
        return [*found, *(each * first for each in others), first]

    def _around(self, name: str, cells: Mapping[str, Array], here: slice) -> tuple[Floats, Floats]:
        """Capped levels after some cells and before them."""
        reached = cells[name][max(here.start - 1, 0) : here.stop]
        capped = np.minimum(reached, self._caps[name]) if name in self._caps else reached
        after = capped[1:] if here.start else capped
        before = capped[: len(after)] if here.start else np.append(0.0, capped)[: len(after)]
        return after, np.where(cells["first"][here], 0.0, before)

    def _ages(self) -> Iterator[Answer]:
        """As `experiments.observe.curves.age_rows`."""
        for metric in aged(self._question):
            names, lives = columns_of(self._question, metric)[0], self._sheet.lives
            lived = [[cells[name] for name in names] for cells in self._sheet.lived]
            middles = [self.middles.lived[name] for name in names]
            groups = [each["group"] for each in self._sheet.lived]
            n, *found = lives.totals(zip(groups, (_gains(each, middles) for each in lived), strict=True))
            yield from lives.rows("age", metric.key, n, np.array(found), n)
            yield ("age_middle", metric.key, None, 0, None, 1, *middles)


def _middle_of(values: Array) -> tuple[float, float]:
    """The mean of some values, and their spread."""
    return (float(values.mean()), float(values.std())) if len(values) else (0.0, 0.0)


def _gains(values: Sequence[Floats], middles: Sequence[float]) -> list[Floats]:
    off = [each - middle for each, middle in zip(values, middles, strict=True)]
    return [*values, *(left * right for left, right in combinations_with_replacement(off, 2))]
