"""Summing: from a sheet to the rows of the answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement

import numpy as np

from experiments.metrics import MetricDraft
from experiments.observe.curves import aged, running
from experiments.observe.groups import Answer, Floats, Groups
from experiments.observe.question import DAY_MS
from experiments.observe.sheets import NEVER, Array, Sheet
from experiments.observe.values import columns_of


def rows(sheet: Sheet) -> Iterator[Answer]:
    """Everything that the answer says of metrics."""
    yield ("event_through", "", None, 0, sheet.through, 1, float(sheet.events))
    for key, n in sheet.unreadable.items():
        yield ("unreadable", key, None, 0, None, int(n))
    summing = _Summing(sheet)
    for metric in sheet.question.metrics:
        yield from summing.of_metric(metric)
    yield from summing.ages()


class _Summing:
    """The values of a sheet after capping, and their middles."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._question = sheet.question
        self._columns = dict(sheet.columns)
        self._caps: dict[str, float] = {}
        self._middles: dict[str, float] = {}
        self._spreads: dict[str, float] = {}
        self._by_span: dict[int, tuple[Array, Groups]] = {}
        for place, metric in enumerate(self._question.counted):
            if metric.cap is not None:
                self._cap(f"x{place}", metric.cap.quantile)
        for place, metric in enumerate(self._question.counted):
            self._centre(f"x{place}", metric)
        for name in [*(f"b{place}" for place, _ in enumerate(self._question.counted)), "seen"]:
            if name in self._columns:
                self._centre_known(name)

    def _cap(self, name: str, quantile: float) -> None:
        """A cap cuts off what is large; below zero it would move units to which nothing happened."""
        values = self._columns[name]
        self._caps[name] = max(0.0, float(np.quantile(values, quantile))) if len(values) else 0.0
        self._columns[name] = np.minimum(values, self._caps[name])

    def _centre(self, name: str, metric: MetricDraft) -> None:
        span = self._question.span(metric)
        values = self._columns[name][self._matured(span)[0]] if span else self._columns[name]
        self._middles[name] = float(values.mean()) if len(values) else 0.0
        self._spreads[name] = float(values.std()) if len(values) else 0.0

    def _centre_known(self, name: str) -> None:
        """What is not known of a unit stands in the middle."""
        values = self._columns[name]
        known = ~np.isnan(values)
        self._middles[name] = float(values[known].mean()) if known.any() else 0.0
        self._columns[name] = np.where(known, values, self._middles[name])

    def _matured(self, span: int) -> tuple[Array, Groups]:
        """The units whose window has passed, by variant and the day on which it had."""
        if span not in self._by_span:
            old = np.flatnonzero(self._sheet.first_at <= self._question.horizon - span)
            day = (self._sheet.first_at[old] + span) // DAY_MS
            self._by_span[span] = old, Groups.of(self._sheet.arm[old], day)
        return self._by_span[span]

    def of_metric(self, metric: MetricDraft) -> Iterator[Answer]:
        """A metric's middles, its sums, and how they grew."""
        own, known = columns_of(self._question, metric)
        middles = [self._middles[name] for name in (*own, *known)]
        yield ("middle", metric.key, None, 0, None, 1, *middles, self._spreads[own[0]])
        yield from self._sums(metric, [*own, *known])
        if self._question.by_first(metric):
            yield from self._firsts(metric, own[0], known)
        elif metric in running(self._question):
            yield from self._steps(metric, own, known)

    def _sums(self, metric: MetricDraft, names: Sequence[str]) -> Iterator[Answer]:
        old, groups = self._matured(self._question.span(metric))
        if young := len(self._sheet.arm) - len(old):
            yield ("metric", metric.key, None, 0, None, young)
        columns = [self._columns[name] if not young else self._columns[name][old] for name in names]
        spread = self._spreads[names[0]] if metric.kind == "mean" else 0.0

        def numbers(here: slice) -> list[Floats]:
            values = [each[here] for each in columns]
            off = self._distances(names, values)
            found = [*values, *(left * right for left, right in combinations_with_replacement(off, 2))]
            if metric.kind != "mean":
                return found
            return [*found, (off[0] / spread) ** 3 if spread > 0 else off[0] * 0.0, np.abs(values[0])]

        found = groups.totals(numbers)
        if metric.kind == "mean":
            found = np.insert(found, len(found) - 1, groups.largest(np.abs(columns[0])), axis=0)
        yield from groups.rows("metric", metric.key, found)

    def _distances(self, names: Sequence[str], values: Sequence[Floats]) -> list[Floats]:
        return [each - self._middles[name] for name, each in zip(names, values, strict=True)]

    def _known(self, names: Sequence[str], rows: Array) -> list[Floats]:
        """The distances of covariates for some units."""
        return self._distances(names, [self._columns[name][rows] for name in names])

    def _firsts(self, metric: MetricDraft, own: str, known: Sequence[str]) -> Iterator[Answer]:
        """As `experiments.observe.curves.first_rows`."""
        day = self._columns[f"t{own[1:]}"]
        hit = np.flatnonzero(day != NEVER)
        groups = Groups.of(self._sheet.arm[hit], day[hit])

        def numbers(here: slice) -> list[Floats]:
            (off,), others = self._known([own], hit[here]), self._known(known, hit[here])
            return [np.ones(len(off)), off * off, *(off * each for each in others), *others]

        yield from groups.rows("step", metric.key, groups.totals(numbers))

    def _steps(self, metric: MetricDraft, own: Sequence[str], known: Sequence[str]) -> Iterator[Answer]:
        """As `experiments.observe.curves.step_rows`."""
        cells = self._sheet.cells_of(metric.key)
        groups = Groups.of(self._sheet.arm[cells["row"]], cells["day"])

        def numbers(here: slice) -> list[Floats]:
            first = cells["first"][here]
            after, before = zip(*(self._around(name, cells, here) for name in own), strict=True)
            now = self._distances(own, after)
            then = [each * ~first for each in self._distances(own, before)]
            others = self._known(known, cells["row"][here])
            found = [new - old for new, old in zip(after, before, strict=True)]
            for left, right in combinations_with_replacement(range(len(own)), 2):
                found.append(now[left] * now[right] - then[left] * then[right])
            for new, old in zip(now, then, strict=True):
                found += [(new - old) * each for each in others]
            return [*found, *(each * first for each in others), first.astype(np.float64)]

        *found, n = groups.totals(numbers)
        yield from groups.rows("step", metric.key, np.array(found), n)

    def _around(self, name: str, cells: Mapping[str, Array], here: slice) -> tuple[Floats, Floats]:
        """Capped levels after some cells and before them."""
        reached = cells[name][max(here.start - 1, 0) : here.stop]
        after = np.minimum(reached, self._caps[name]) if name in self._caps else reached
        before = after[:-1] if here.start else np.append(0.0, after[:-1])
        after = after[1:] if here.start else after
        return after, np.where(cells["first"][here], 0.0, before)

    def ages(self) -> Iterator[Answer]:
        """As `experiments.observe.curves.age_rows`."""
        if not aged(self._question):
            return
        cells = self._sheet.cells_of("")
        groups = Groups.of(cells["arm"], cells["day"])
        for metric in aged(self._question):
            columns = [cells[name] for name in columns_of(self._question, metric)[0]]
            middles = [float(each.mean()) if len(each) else 0.0 for each in columns]
            yield from groups.rows("age", metric.key, groups.totals(_lived(columns, middles)))
            yield ("age_middle", metric.key, None, 0, None, 1, *middles)


def _lived(columns: Sequence[Floats], middles: Sequence[float]) -> Callable[[slice], list[Floats]]:
    def numbers(here: slice) -> list[Floats]:
        values = [each[here] for each in columns]
        off = [each - middle for each, middle in zip(values, middles, strict=True)]
        return [*values, *(left * right for left, right in combinations_with_replacement(off, 2))]

    return numbers
