"""Summing: from a sheet to the rows of the answer."""

from collections.abc import Iterator, Sequence
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

    def _off(self, name: str) -> Floats:
        """The distances from the middle."""
        return np.asarray(self._columns[name] - self._middles[name])

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
        young = len(self._sheet.arm) - len(old)
        if young:
            yield ("metric", metric.key, None, 0, None, young)
        whole = young == 0
        values = [self._columns[name] if whole else self._columns[name][old] for name in names]
        numbers = [groups.total(each) for each in values]
        off = [each - self._middles[name] for each, name in zip(values, names, strict=True)]
        numbers += [groups.total(left * right) for left, right in combinations_with_replacement(off, 2)]
        if metric.kind == "mean":
            spread = self._spreads[names[0]]
            standard = off[0] / spread if spread > 0 else np.zeros(len(off[0]))
            size = np.abs(values[0])
            numbers += [groups.total(standard**3), groups.largest(size), groups.total(size)]
        yield from groups.rows("metric", metric.key, numbers)

    def _firsts(self, metric: MetricDraft, own: str, known: Sequence[str]) -> Iterator[Answer]:
        """As `experiments.observe.curves.first_rows`."""
        day = self._columns[f"t{own[1:]}"]
        hit = np.flatnonzero(day != NEVER)
        groups = Groups.of(self._sheet.arm[hit], day[hit])
        off, others = self._off(own)[hit], [self._off(name)[hit] for name in known]
        numbers = [groups.n.astype(np.float64), groups.total(off * off)]
        numbers += [groups.total(off * each) for each in others] + [groups.total(each) for each in others]
        yield from groups.rows("step", metric.key, numbers)

    def _steps(self, metric: MetricDraft, own: Sequence[str], known: Sequence[str]) -> Iterator[Answer]:
        """As `experiments.observe.curves.step_rows`."""
        cells = {name: np.concatenate(each) for name, each in self._sheet.cells[metric.key].items()}
        row, first = cells["row"], cells["first"]
        groups = Groups.of(self._sheet.arm[row], cells["day"])
        after, before = zip(*(self._around(name, cells[name], first) for name in own), strict=True)
        gains = [now - then for now, then in zip(after, before, strict=True)]
        now = [each - self._middles[name] for each, name in zip(after, own, strict=True)]
        then = [(each - self._middles[name]) * ~first for each, name in zip(before, own, strict=True)]
        others = [self._off(name)[row] for name in known]
        numbers = [groups.total(each) for each in gains]
        for left, right in combinations_with_replacement(range(len(own)), 2):
            numbers.append(groups.total(now[left] * now[right] - then[left] * then[right]))
        for place, _ in enumerate(own):
            numbers += [groups.total((now[place] - then[place]) * each) for each in others]
        numbers += [groups.total(each * first) for each in others]
        yield from groups.rows("step", metric.key, numbers, groups.total(first))

    def _around(self, name: str, reached: Floats, first: Array) -> tuple[Floats, Floats]:
        """Capped levels after each cell and before it."""
        after = np.minimum(reached, self._caps[name]) if name in self._caps else reached
        before = np.roll(after, 1)
        before[first] = 0.0
        return after, before

    def ages(self) -> Iterator[Answer]:
        """As `experiments.observe.curves.age_rows`."""
        if not aged(self._question):
            return
        cells = {name: np.concatenate(each) for name, each in self._sheet.cells[""].items()}
        groups = Groups.of(cells["arm"], cells["day"])
        for metric in aged(self._question):
            values = [cells[name] for name in columns_of(self._question, metric)[0]]
            middles = [float(each.mean()) if len(each) else 0.0 for each in values]
            off = [each - middle for each, middle in zip(values, middles, strict=True)]
            numbers = [groups.total(each) for each in values]
            numbers += [groups.total(left * right) for left, right in combinations_with_replacement(off, 2)]
            yield from groups.rows("age", metric.key, numbers)
            yield ("age_middle", metric.key, None, 0, None, 1, *middles)
