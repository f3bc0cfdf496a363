"""An engine: what every one of them can do."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Protocol

from experiments.observe.scanning import Statement

Row = tuple[Any, ...]
Progress = Callable[[float], None]


def quiet(_: float) -> None:
    """Tell nobody."""


class Engine(Protocol):
    """What runs statements over the tables ``exposure`` and ``event``."""

    def fetch_all(self, statements: Sequence[Statement], progress: Progress = quiet) -> list[list[Row]]:
        """Run statements and hand over the rows of each.

        Parameters
        ----------
        progress
            Is told the share of what has to be done before.

        Raises
        ------
        Unavailable
            If the engine cannot be reached or used.
        """
        ...

    def text_of(self, statement: Statement) -> str:
        """The statement as this engine runs it, for readers."""
        ...

    def problems(self) -> list[str]:
        """What keeps it from answering, or makes it slow, one sentence each.

        Raises
        ------
        Unavailable
            If it cannot be reached.
        """
        ...


def plain(row: Row) -> Row:
    """The row in Python's own numbers: sums of integers are decimals for some engines."""
    return tuple(_plain(value) if isinstance(value, Decimal) else value for value in row)


def _plain(value: Decimal) -> int | float:
    whole = value == value.to_integral_value()
    return int(value) if whole and int(value.as_tuple().exponent) >= 0 else float(value)
