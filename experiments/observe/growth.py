"""Growth: moments day by day, from what each day added."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from analysis import Day, Moments
from analysis.observation import Age
from experiments.metrics import MetricDraft
from experiments.observe.curves import LONGEST_LIFE
from experiments.observe.question import DAY_MS, Question
from experiments.observe.rows import Parts, Row
from experiments.observe.sums import Sums, moments_around, unpacked

Floats = NDArray[np.float64]

LONGEST_PICTURE = 400
"""Days beyond which the quiet ones are left out."""


def date_of(day: int) -> date:
    """A day counted from 1970 as a date."""
    return datetime.fromtimestamp(day * DAY_MS / 1_000, tz=UTC).date()


def daily(
    question: Question,
    metric: MetricDraft,
    sums: Mapping[str, Sums],
    parts: Parts,
    arrivals: Mapping[int, Mapping[str, int]],
) -> dict[str, tuple[Day, ...]]:
    """A metric's cumulative moments by variant; none for a growing one whose level cannot be followed."""
    own = sums.get(metric.key)
    if own is None or (question.grows(metric) and not question.runs(metric)):
        return {}
    steps = [row for row in parts["step"] if row.name == metric.key]
    seen = {row.day for rows in own.matured.values() for row in rows if row.day is not None}
    seen |= {row.day for row in steps if row.day is not None} | (
        set(arrivals) if question.runs(metric) else set()
    )
    days = _days({day for day in seen if day <= question.horizon // DAY_MS})
    found = {}
    for arm, rows in sorted(own.matured.items()):
        if question.runs(metric):
            mine = [row for row in steps if row.arm == arm]
            each = tuple(_grown(own, rows, mine, days, len(question.parts(metric))))
        else:
            each = tuple(_matured(own, rows, days))
        found[question.variants[arm]] = each
    return found


def _days(seen: set[int]) -> list[int]:
    """Every day from the first to the last, the quiet ones included, as long as that stays a picture."""
    if not seen:
        return []
    span = range(min(seen), max(seen) + 1)
    return list(span) if len(span) <= LONGEST_PICTURE else sorted(seen)


def _matured(sums: Sums, rows: Sequence[Row], days: Sequence[int]) -> Iterable[Day]:
    """Units count from the day on which their window has passed, with all that they came to."""
    by_day = {row.day: row for row in rows}
    so_far: list[Row] = []
    for day in days:
        so_far += [by_day[day]] if day in by_day else []
        if so_far:
            yield Day(date_of(day), sums.moments(so_far))


@dataclass(frozen=True, slots=True)
class _Step:
    """What one day added: units, units with a level of their own, and sums over both.

    ``levels`` and ``products`` are of the k own variables, ``known`` and ``known_products`` of the c
    covariates over all units, ``reached`` the covariates' sums over the units with a level, and ``mixed``,
    shape (k, c), the products of levels and covariates.
    """

    n: int
    with_level: int
    levels: Floats
    products: Floats
    mixed: Floats
    reached: Floats
    known: Floats
    known_products: Floats

    def __add__(self, other: "_Step") -> "_Step":
        return _Step(
            self.n + other.n,
            self.with_level + other.with_level,
            self.levels + other.levels,
            self.products + other.products,
            self.mixed + other.mixed,
            self.reached + other.reached,
            self.known + other.known,
            self.known_products + other.known_products,
        )

    def moments(self, middle: Floats) -> Moments:
        """The moments of everybody so far; units without a level are at nought."""
        own = len(self.levels)
        at, rest = middle[:own], self.n - self.with_level
        products = np.zeros((len(middle), len(middle)))
        # Taken here as squares of the middle, not one by one in the sums: that keeps a variance's digits
        # when values are large.
        products[:own, :own] = self.products + rest * np.outer(at, at)
        products[:own, own:] = self.mixed - np.outer(at, self.known - self.reached)
        products[own:, :own] = products[:own, own:].T
        products[own:, own:] = self.known_products
        totals = np.concatenate([self.levels, self.known + self.n * middle[own:]])
        return moments_around(self.n, totals, products, middle)


def _grown(
    sums: Sums, arrived: Sequence[Row], stepped: Sequence[Row], days: Sequence[int], own: int
) -> Iterable[Day]:
    nothing = _empty(own, sums.width - own)
    steps: dict[int, _Step] = defaultdict(lambda: nothing)
    for row in arrived:
        steps[row.day or 0] += _arrival(sums, row, own)
    for row in stepped:
        steps[row.day or 0] += _growth(row, own, sums.width - own)
    for day, step in zip(days, accumulate(steps[day] for day in days), strict=True):
        if step.n:
            yield Day(date_of(day), sums.refilled(step.moments(sums.middle)))


def _empty(own: int, known: int) -> _Step:
    return _Step(
        0,
        0,
        np.zeros(own),
        np.zeros((own, own)),
        np.zeros((own, known)),
        np.zeros(known),
        np.zeros(known),
        np.zeros((known, known)),
    )


def _arrival(sums: Sums, row: Row, own: int) -> _Step:
    """Units that arrive, with what was known of them."""
    empty = _empty(own, sums.width - own)
    totals, products = sums.totals([row]), sums.products([row])
    return _Step(
        row.n,
        0,
        empty.levels,
        empty.products,
        empty.mixed,
        empty.reached,
        totals[own:] - row.n * sums.middle[own:],
        products[own:, own:],
    )


def _growth(row: Row, own: int, known: int) -> _Step:
    """What the cells of a day added, as `experiments.observe.curves.step_rows` writes it."""
    numbers = np.array(row.numbers[: own + own * (own + 1) // 2 + own * known + known], dtype=np.float64)
    levels, pairs, mixed, reached = np.split(numbers, np.cumsum([own, own * (own + 1) // 2, own * known]))
    empty = _empty(own, known)
    return _Step(
        0,
        row.n,
        levels,
        unpacked(list(pairs), own),
        mixed.reshape(own, known),
        reached,
        empty.known,
        empty.known_products,
    )


def ages(question: Question, metric: MetricDraft, parts: Parts) -> dict[str, tuple[Age, ...]]:
    """What units gained on each day of their lives, of those that lived to its end."""
    middles = {row.name: row.numbers for row in parts["age_middle"]}
    if metric.key not in middles:
        return {}
    width = len(question.parts(metric))
    middle = np.array(middles[metric.key][:width], dtype=np.float64)
    found = {}
    for arm, variant in enumerate(question.variants):
        lives = {row.day or 0: row.n for row in parts["life"] if row.arm == arm}
        rows = {row.day or 0: row for row in parts["age"] if row.name == metric.key and row.arm == arm}
        found[variant] = tuple(_aged(lives, rows, middle))
    return {variant: each for variant, each in found.items() if each}


def _aged(lives: Mapping[int, int], rows: Mapping[int, Row], middle: Floats) -> Iterable[Age]:
    for day in range(min(max(lives, default=0), LONGEST_LIFE)):
        n = sum(count for lived, count in lives.items() if lived > day)
        row, width = rows.get(day), len(middle)
        active = row.n if row is not None else 0
        totals, products = np.zeros(width), np.zeros((width, width))
        if row is not None:
            totals = np.array(row.numbers[:width], dtype=np.float64)
            products = unpacked(list(row.numbers[width : width + width * (width + 1) // 2]), width)
        products = products + (n - active) * np.outer(middle, middle)
        yield Age(day, moments_around(n, totals, products, middle), active)
