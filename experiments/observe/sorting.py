"""Sorting: what becomes of each unit, from its exposures in memory.

This is what the pieces ``met`` and ``sorted_out`` of the statement do, over arrays: for units that lie
together it is cheaper than grouping rows.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from experiments.observe.cells import beginnings
from experiments.observe.question import Question
from experiments.observe.units import BOT, CROSSOVER, KEPT, LANES, OVERRIDE, UNEXPOSED, shown

NEVER = np.int64(2**62)
"""The moment of what has not happened."""

EMPTY = ("arm", "first_at", "last_at", "first_arm")
"""What a unit without an exposure in the phase does not have."""

COLUMNS: Mapping[str, type[np.integer[Any]]] = {
    "unit": np.int32,
    "arm": np.int8,
    "first_at": np.int64,
    "last_at": np.int64,
    "exposures": np.int32,
    "unlike": np.int32,
    "first_arm": np.int8,
    "recorded_arm": np.int8,
    "fate": np.int8,
}
"""What is known of each unit."""

Columns = Mapping[str, NDArray[Any]]


def can_sort(question: Question) -> bool:
    """Whether exposures alone decide what becomes of a unit."""
    return not question.past and (question.bots is None or question.bots.events_per_day is None)


def to_sort(question: Question) -> exp.Select:
    """The exposures that decide."""
    return shown(replace(question, segments=()))


def sort_out(exposures: Columns) -> Columns:
    """One row for each unit in the order of their numbers, as the piece ``sorted_out`` has them.

    Where a unit has not been exposed in the phase, the columns of `EMPTY` say nothing.
    """
    if not len(exposures["unit"]):
        return {name: np.zeros(0, kind) for name, kind in COLUMNS.items()}
    unit = exposures["unit"]
    if np.any(unit[1:] < unit[:-1]):
        order = np.argsort(unit, kind="stable")
        exposures = {name: values[order] for name, values in exposures.items()}
        unit = exposures["unit"]
    starts = beginnings(unit)
    arm, in_phase = exposures["arm"].astype(np.int64), exposures["in_phase"] == 1
    entry = exposures["occurred_at"] * LANES + arm
    entered = _least(np.where(in_phase, entry, NEVER), starts)
    least = _least(np.where(in_phase, arm, LANES), starts)
    most = _most(np.where(in_phase, arm, -1), starts)
    fate = np.full(len(starts), KEPT)
    fate[least < most] = CROSSOVER
    if "robot" in exposures:
        fate[_most(exposures["robot"], starts) == 1] = BOT
    fate[_most(exposures["by_hand"] * in_phase, starts) == 1] = OVERRIDE
    fate[entered == NEVER] = UNEXPOSED
    found = {
        "unit": unit[starts],
        "arm": least,
        "first_at": entered // LANES,
        "last_at": _most(np.where(in_phase, exposures["occurred_at"], -NEVER), starts),
        "exposures": np.diff(np.append(starts, len(unit))),
        "unlike": np.add.reduceat(exposures["unlike"] * in_phase, starts),
        "first_arm": entered % LANES,
        "recorded_arm": _least(entry, starts) % LANES,
        "fate": fate,
    }
    return {name: values.astype(COLUMNS[name], copy=False) for name, values in found.items()}


def _least(values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    return np.asarray(np.minimum.reduceat(values, starts))


def _most(values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    return np.asarray(np.maximum.reduceat(values, starts))
