"""Scanning: which rows of the tables a statement can want at all.

The statement says itself which rows it counts. But a warehouse that charges for what it reads, and that finds
nothing out about moments behind a conversion, has to be told beforehand from which day and of which name rows
are wanted; it leaves the other partitions alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

UNKNOWN = -(2**61)
"""A phase that began before this has no beginning that is known."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The rows of a table that can matter.

    Attributes
    ----------
    since
        From which moment, in milliseconds; None for the beginning.
    among
        For exposures the experiments, for events the names; None for all.
    """

    since: int | None = None
    among: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What an engine is asked.

    Attributes
    ----------
    expression
        In DuckDB's dialect, over the tables ``exposure`` and ``event``.
    scans
        What of each table can matter; of one that is not named, everything.
    opening
        A statement that finds the moment from which events matter, where it is not known before.
    """

    expression: exp.Expr
    scans: Mapping[str, Scan] = field(default_factory=dict)
    opening: exp.Expr | None = None
