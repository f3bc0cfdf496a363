"""Chunks: the events of a range of units in memory, read in one scan for all questions asked together.

What decides whether an event counts, and what it is worth, is SQL of `experiments.observe.gathering`, read as
columns beside the event; here it is only known which columns stand for which metric. Units are numbers, as
the columnar copy has them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from experiments.metrics import MetricDraft
from experiments.observe.curves import aged
from experiments.observe.gathering import (
    adds,
    amount,
    bound_in,
    fits,
    has_own_piece,
    may_be_unreadable,
    needs_every_event,
    per_event,
    unlike_number,
)
from experiments.observe.question import Question
from experiments.observe.sql import DIALECT, both, filled, zero

ROWS = 500_000
"""Events of a chunk, about: enough that asking costs nothing, few enough to be held in a cache."""

FEW = 0.25
"""Share of all units below which it pays to look for them in the log."""

FITTING = 2**62
"""Numbers up to which a unit and a moment can be written as one."""

_COUNTED = "SELECT number FROM counted_unit WHERE number BETWEEN $low AND $high"

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a scan has what it read for a metric: names of columns.

    Attributes
    ----------
    place
        Of the metric among the counted ones.
    fits
        Whether an event counts, whatever its age; None for a metric that has a piece of its own.
    amount
        What an event carries; None where only its happening counts.
    unlike
        Whether it has something else where a number is needed; None where that cannot be.
    """

    place: int
    metric: MetricDraft
    fits: str | None
    amount: str | None
    unlike: str | None

    @property
    def largest(self) -> bool:
        """Whether a unit's largest amount counts, and not their sum."""
        return self.amount is not None and self.metric.aggregation == "max"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events of the units from ``low`` on, in the order of units and moments.

    Attributes
    ----------
    size
        How many numbers of units the range has.
    unit
        Each event's unit, counted from ``low``.
    at
        When it occurred, in milliseconds.
    columns
        What else was read of it.
    """

    low: int
    size: int
    unit: Whole
    at: Whole
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, low: int, size: int, columns: dict[str, NDArray[Any]]) -> "Chunk":
        """Put what was read in order: what has come lately does not lie sorted yet."""
        unit, at = columns.pop("unit").astype(np.int64) - low, columns.pop("occurred_at")
        order = _order(unit, at)
        if order is not None:
            unit, at = unit[order], at[order]
            columns = {name: values[order] for name, values in columns.items()}
        return cls(low, size, unit, at, columns)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question, and where a scan has what it read for it.

    Attributes
    ----------
    named
        Whether an event has a name that matters; None when all do.
    spent
        The value of every event, for segments that are counted from history; None without any.
    """

    question: Question
    readings: Sequence[Reading]
    named: str | None
    spent: str | None


class Scan:
    """What is read of each event for questions about one type of unit, every expression once."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._columns: dict[exp.Expr, str] = {}
        self._unit_type = questions[0].unit_type
        self._horizon = max(each.horizon for each in questions)
        self.wanted = [self._wanted(each) for each in questions]

    def _wanted(self, question: Question) -> Wanted:
        spent = self._name(exp.column("value")) if question.historic else None
        return Wanted(question, tuple(self._readings(question)), self._named(question), spent)

    def _named(self, question: Question) -> str | None:
        if needs_every_event(question):
            return None
        names = sorted({name for metric in question.counted for name in metric.events})
        return self._name(bound_in("event", names))

    def _readings(self, question: Question) -> Iterator[Reading]:
        for place, metric in enumerate(question.counted):
            unlike = self._name(unlike_number(metric)) if may_be_unreadable(metric) else None
            if has_own_piece(metric) or per_event(metric):
                yield Reading(place, metric, None, None, unlike)
                continue
            carries = self._name(_worth(metric)) if _carries(metric) else None
            yield Reading(place, metric, self._name(both(*fits(metric))), carries, unlike)

    def _name(self, expression: exp.Expr) -> str:
        return self._columns.setdefault(expression, f"c{len(self._columns)}")

    def chunks(self, connection: duckdb.DuckDBPyConnection, counted: NDArray[Any]) -> Iterator[Chunk]:
        """Read the events, range by range.

        Parameters
        ----------
        counted
            Numbers of the units that matter. Where they are few, the events of others are not even read.
        """
        ((events, newest),) = connection.execute(
            "SELECT (SELECT COUNT(*) FROM event), (SELECT COALESCE(MAX(number), 0) FROM unit)"
        ).fetchall()
        statement = self._statement()
        if few := len(counted) < newest * FEW:
            connection.register("given", {"number": counted})
            connection.execute("CREATE OR REPLACE TEMP TABLE counted_unit AS FROM given")
            connection.unregister("given")
            statement += f" AND {self._unit_type} IN ({_COUNTED})"
            events = events * len(counted) // newest
        step = max(1, -(-newest * ROWS // max(events, 1)))
        # One at least, so that there are tables when there is nothing in them.
        for low in range(1, max(newest, 1) + 1, step):
            size = min(step, max(newest, 1) + 1 - low)
            read = connection.execute(statement, {"low": low, "high": low + size - 1}).fetchnumpy()
            yield Chunk.of(low, size, {name: _without_gaps(values) for name, values in read.items()})
        if few:
            connection.execute("DROP TABLE counted_unit")

    def _statement(self) -> str:
        unit = exp.column(self._unit_type)
        piece = filled(
            "SELECT :unit AS unit, occurred_at FROM event WHERE occurred_at <= :horizon",
            unit=unit,
            horizon=self._horizon,
        )
        named = {None if aged(each.question) else each.named for each in self.wanted}
        if None not in named:
            any_of_them = [each.copy() for each, name in self._columns.items() if name in named]
            piece = piece.where(exp.or_(*any_of_them), copy=False)
        for expression, name in self._columns.items():
            piece = piece.select(expression.as_(name), copy=False)
        return f"{piece.sql(dialect=DIALECT)} AND {unit.sql()} BETWEEN $low AND $high"


def _order(unit: Whole, at: Whole) -> Whole | None:
    """The order of units and moments, None for things that lie in it."""
    begins, ends = (int(at.min()), int(at.max())) if len(at) else (0, 0)
    if (int(unit.max(initial=0)) + 1) * (ends + 1 - begins) > FITTING:
        return np.lexsort((at, unit))
    # One number for both: sorted batches that lie one after the other are quickly merged.
    key = unit * (ends + 1 - begins) + (at - begins)
    return None if (key[1:] >= key[:-1]).all() else np.argsort(key, kind="stable")


def _carries(metric: MetricDraft) -> bool:
    return metric.kind in ("mean", "quantile") and metric.aggregation in ("sum", "max")


def _worth(metric: MetricDraft) -> exp.Expr:
    return exp.func("COALESCE", amount(metric), zero()) if adds(metric) else amount(metric)


def _without_gaps(values: NDArray[Any]) -> NDArray[Any]:
    """Missing numbers as NaN; what is not known to be true is false."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    return np.asarray(values.filled(False if values.dtype == np.bool_ else np.nan))
