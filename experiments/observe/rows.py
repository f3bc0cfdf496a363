"""Rows: the statement's answer as it comes back."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One row of the answer; see `experiments.observe.answers`."""

    part: str
    name: str
    label: str | None
    arm: int
    day: int | None
    n: int
    numbers: Sequence[float]


Parts = Mapping[str, Sequence[Row]]
"""The rows by the part that they belong to."""
