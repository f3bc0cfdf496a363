"""Summary rows: what another system counted of an experiment, one metric of one variant at one moment a row.

A row gives ``n`` units and either their ``successes`` or the ``mean`` and ``variance`` (with n − 1) of their
values. Its moment is a ``checkpoint`` (everything up to then), a ``day`` (that day alone; days are added up)
or, without either, the moment of the import. A row without a metric counts the units themselves.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from analysis import Moments
from experiments.message_times import parse_time
from experiments.rowcells import Row, shown, text_in
from experiments.rowfiles import BadRow, blocks
from experiments.storable import LARGEST_NUMBER

REQUIRED = frozenset({"experiment", "variant", "n"})
OPTIONAL = frozenset({"metric", "successes", "mean", "variance", "checkpoint", "day"})
MOST_UNITS = 2**53
"""Beyond it a count is no longer exact."""

_LONGEST = 128

Known = Mapping[str, tuple[frozenset[str], frozenset[str]]]
"""Variants and metrics that rows may name, by experiment."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A good row.

    Attributes
    ----------
    metric
        None where units are counted.
    at
        What it says was so at this moment.
    alone
        It speaks of its day only.
    """

    experiment: str
    variant: str
    metric: str | None
    at: datetime
    alone: bool
    moments: Moments


def read_summaries(
    *,
    path: Path,
    known: Known,
    now: datetime,
    reject: Callable[[BadRow], None],
    progress: Callable[[float], None],
) -> Iterator[Summary]:
    """Read the rows of a file; bad ones are handed to ``reject``.

    Raises
    ------
    InvalidInput
        If the file as a whole cannot be read.
    """
    said: set[tuple[Any, ...]] = set()
    for block in blocks(path, required=REQUIRED, optional=OPTIONAL, progress=progress):
        for bad in block.bad:
            reject(bad)
        names = list(block.columns)
        for line, cells in zip(block.lines, zip(*block.columns.values(), strict=True), strict=True):
            try:
                summary = _summary(dict(zip(names, cells, strict=True)), known, now)
            except ValueError as problem:
                reject(BadRow(line, str(problem)))
                continue
            key = (summary.experiment, summary.variant, summary.metric, summary.at)
            if key in said:
                reject(BadRow(line, "the same metric of this variant was given for this moment before"))
                continue
            said.add(key)
            yield summary


def _summary(row: Row, known: Known, now: datetime) -> Summary:
    experiment = _named(row, "experiment", known)
    variants, metrics = known[experiment]
    variant = _named(row, "variant", variants)
    metric = _named(row, "metric", metrics) if row.get("metric") not in (None, "") else None
    at, alone = _moment(row, now)
    return Summary(experiment, variant, metric, at, alone, _moments(row, metric))


def _named(row: Row, column: str, known: Iterable[str]) -> str:
    name = text_in(row, column, _LONGEST)
    if name is None:
        raise ValueError(f"{column}: is missing")
    if name not in known:
        raise ValueError(f"{column}: {shown(name)} is not known here")
    return name


def _moment(row: Row, now: datetime) -> tuple[datetime, bool]:
    checkpoint, day = (row.get(column) or None for column in ("checkpoint", "day"))
    if checkpoint is not None and day is not None:
        raise ValueError("day: a row has a checkpoint or a day, not both")
    if day is not None:
        try:
            return datetime.combine(date.fromisoformat(str(day)), time.max, UTC), True
        except ValueError:
            raise ValueError(f"day: {shown(day)} is no day, such as 2026-03-15") from None
    if checkpoint is None:
        return now, False
    moment = parse_time(checkpoint)
    if moment is None:
        raise ValueError(f"checkpoint: {shown(checkpoint)} is not ISO 8601, such as 2026-03-15T09:30:00Z")
    return moment, False


def _moments(row: Row, metric: str | None) -> Moments:
    n = _count(row, "n")
    given = [column for column in ("successes", "mean", "variance") if row.get(column) not in (None, "")]
    if metric is None:
        if given:
            raise ValueError(f"{given[0]}: a row without a metric only counts units")
        return Moments.from_counts(successes=0, n=n)
    if given == ["successes"]:
        successes = _count(row, "successes")
        if successes > n:
            raise ValueError(f"successes: {successes} of {n} is more than all")
        return Moments.from_counts(successes=successes, n=n)
    if given != ["mean", "variance"]:
        raise ValueError("successes: expected successes, or mean and variance")
    mean, variance = (_number(row, column) for column in given)
    if variance < 0:
        raise ValueError("variance: it cannot be negative")
    return Moments.from_summary(n=n, mean=mean, var=variance)


def _count(row: Row, column: str) -> int:
    number = _number(row, column)
    if number != int(number) or not 0 <= number <= MOST_UNITS:
        raise ValueError(f"{column}: {shown(row.get(column))} is not a count")
    return int(number)


def _number(row: Row, column: str) -> float:
    value = row.get(column)
    try:
        number = math.nan if isinstance(value, bool) or value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= LARGEST_NUMBER:
        raise ValueError(f"{column}: {shown(value)} is not a number")
    return number
