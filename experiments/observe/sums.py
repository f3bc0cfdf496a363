"""Sums: the numbers of an answer's rows, put together as moments.

Products are sums around a fixed middle, the same for all variants and days, so rows can be added before
anything is subtracted, and nothing of a variance is lost on the way.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import Moments, Shape
from experiments.metrics import MetricDraft
from experiments.observe.answers import BETWEEN
from experiments.observe.question import Question
from experiments.observe.rows import Parts, Row

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sums:
    """The rows of one metric, and how to read them.

    Attributes
    ----------
    middle
        What products are taken around, shape (k,).
    spread
        Of the first variable.
    matured
        By variant's place: rows of units that count, by the day from which they do.
    immature
        Units that do not count yet.
    nested
        Whether each variable is 0 or 1 and implies the ones before, so that sums say everything.
    fills
        How far from the middle of each covariate is what stands for an unknown one; none for nowhere.
    """

    middle: Floats
    spread: float
    matured: Mapping[int, Sequence[Row]]
    immature: int
    nested: bool = False
    fills: Sequence[float] = ()

    @property
    def width(self) -> int:
        """How many variables there are."""
        return len(self.middle)

    def moments(self, rows: Sequence[Row]) -> Moments:
        """The moments of the units of some rows."""
        n = sum(row.n for row in rows)
        totals = self.totals(rows)
        if self.nested:
            together = np.minimum.outer(totals, totals)
            return Moments(n, totals / n, together - np.outer(totals, totals) / n)
        return self.refilled(moments_around(n, totals, self.products(rows), self.middle))

    def refilled(self, moments: Moments) -> Moments:
        """Let the fills stand for what is unknown; the last variable says of how many units it is known."""
        if not any(self.fills):
            return moments
        places = slice(self.width - 1 - len(self.fills), self.width - 1)
        shift, turn = np.zeros(self.width), np.eye(self.width)
        shift[places], turn[places, -1] = self.fills, np.negative(self.fills)
        return Moments(moments.n, turn @ moments.mean + shift, turn @ moments.cross @ turn.T)

    def totals(self, rows: Sequence[Row]) -> Floats:
        """The variables' sums, shape (k,)."""
        return np.array([math.fsum(row.numbers[place] for row in rows) for place in range(self.width)])

    def products(self, rows: Sequence[Row]) -> Floats:
        """The sums of products around the middles, shape (k, k)."""
        return unpacked(
            [
                math.fsum(row.numbers[self.width + place] for row in rows)
                for place in range(self.width * (self.width + 1) // 2)
            ],
            self.width,
        )


def moments_around(n: int, totals: Floats, products: Floats, middle: Floats) -> Moments:
    """Moments from sums, and from sums of products around a fixed middle."""
    away = totals / n - middle
    cross = products - n * np.outer(away, away)
    # Rounding may leave a variance of nothing a little below it.
    np.fill_diagonal(cross, np.maximum(np.diagonal(cross), 0.0))
    return Moments(n, totals / n, cross)


def unpacked(pairs: Sequence[float], width: int) -> Floats:
    """A symmetric matrix from its upper half, row by row."""
    square = np.zeros((width, width))
    square[np.triu_indices(width)] = pairs
    return np.asarray(square + np.triu(square, 1).T)


def unbundled(question: Question, rows: Sequence[Row]) -> Iterator[Row]:
    """Rows of several metrics as one row for each of them."""
    for row in rows:
        at = 0
        for key in row.name.split(BETWEEN):
            width = BUNDLED[row.part](question, question.by_key[key])
            yield row._replace(name=key, numbers=row.numbers[at : at + width])
            at += width


def _cut_width(question: Question, metric: MetricDraft) -> int:
    width = question.width(metric)
    return width if metric.kind == "funnel" else width + _pairs(width)


def _metric_width(question: Question, metric: MetricDraft) -> int:
    return _cut_width(question, metric) + (3 if metric.kind == "mean" else 0)


def _step_width(question: Question, metric: MetricDraft) -> int:
    own = len(question.parts(metric))
    known = question.width(metric) - own
    return own + _pairs(own) + own * known + known


def _pairs(width: int) -> int:
    return width * (width + 1) // 2


BUNDLED: Mapping[str, Callable[[Question, MetricDraft], int]] = {
    "metric": _metric_width,
    "cut": _cut_width,
    "step": _step_width,
}
"""The parts whose rows hold several metrics, and how many numbers each one has there."""


def read_sums(question: Question, parts: Parts) -> dict[str, Sums]:
    """The sums of every metric that gives units numbers."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in parts["metric"]:
        rows[row.name].append(row)
    middles = {row.name: row.numbers for row in parts["middle"]}
    fills = {row.name: row.numbers for row in parts["fill"]}
    found = {}
    for metric in question.metrics:
        if metric.key not in middles:
            continue
        matured: dict[int, list[Row]] = defaultdict(list)
        for row in rows[metric.key]:
            if row.day is not None:
                matured[row.arm].append(row)
        width = question.width(metric)
        nested = metric.kind == "funnel"
        numbers = [0.0] * (width + 1) if nested else middles[metric.key]
        found[metric.key] = Sums(
            np.array(numbers[:width], dtype=np.float64),
            float(numbers[width] or 0.0),
            matured,
            sum(row.n for row in rows[metric.key] if row.day is None),
            nested,
            fills.get(metric.key, ()),
        )
    return found


def shape_of(metric: MetricDraft, sums: Sums) -> Shape | None:
    """How a metric's values lie over all units together; None for more than one number each."""
    rows = [row for each in sums.matured.values() for row in each]
    n = sum(row.n for row in rows)
    if not n or metric.kind in ("ratio", "funnel"):
        return None
    totals = sums.totals(rows)
    if metric.kind != "mean":
        share = float(totals[0]) / n
        spread = math.sqrt(share * (1 - share))
        return Shape(n, (1 - 2 * share) / spread if spread else 0.0, 1 / totals[0] if totals[0] else 0.0)
    cubes, largest, absolute = (
        [row.numbers[place] for row in rows]
        for place in range(
            sums.width + sums.width * (sums.width + 1) // 2, sums.width * (sums.width + 3) // 2 + 3
        )
    )
    share = max(largest) / math.fsum(absolute) if any(absolute) else 0.0
    if not sums.spread:
        return Shape(n, 0.0, share)
    first = (float(totals[0]) / n - float(sums.middle[0])) / sums.spread
    second = float(sums.products(rows)[0, 0]) / n / sums.spread**2
    variance = second - first**2
    third = math.fsum(cubes) / n - 3 * first * second + 2 * first**3
    return Shape(n, third / variance**1.5 if variance > 0 else 0.0, share)
