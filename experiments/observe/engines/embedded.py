"""The embedded engine: DuckDB over the columnar copy."""

from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from experiments.observe import columns
from experiments.observe.engines.dialects import written
from experiments.observe.engines.engine import Progress, Row, quiet
from experiments.store import Store


@dataclass(frozen=True, slots=True)
class Embedded:
    """DuckDB, over a copy of the ledger.

    Attributes
    ----------
    store
        The ledger.
    path
        The copy; it is made when it is not there, and brought up to date with every question.
    """

    store: Store
    path: Path

    def fetch(self, statement: exp.Expr, progress: Progress = quiet) -> list[Row]:
        """Bring the copy up to date and ask it."""
        return columns.fetch(
            store=self.store, path=self.path, statement=self.text_of(statement), progress=progress
        )

    def text_of(self, statement: exp.Expr) -> str:
        """The statement as DuckDB runs it."""
        return written(statement, "duckdb")
