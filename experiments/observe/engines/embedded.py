"""The embedded engine: DuckDB over the columnar copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.observe import columns
from experiments.observe.engines.dialects import written
from experiments.observe.engines.engine import Progress, Row, quiet
from experiments.observe.scanning import Statement
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

    def fetch_all(self, statements: Sequence[Statement], progress: Progress = quiet) -> list[list[Row]]:
        """Bring the copy up to date, and ask it."""
        texts = [self.text_of(each) for each in statements]
        return columns.fetch_all(store=self.store, path=self.path, statements=texts, progress=progress)

    def text_of(self, statement: Statement) -> str:
        """The statement as DuckDB runs it."""
        return written(statement.expression, "duckdb")

    def problems(self) -> list[str]:
        """None: the copy is made when it is needed."""
        return []
