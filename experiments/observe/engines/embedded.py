"""The embedded engine: DuckDB over the columnar copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from experiments.observe import columns, readied
from experiments.observe.engines.dialects import written
from experiments.observe.engines.engine import Progress, Row, quiet
from experiments.observe.question import Question
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

    def answer_all(self, questions: Sequence[Question], progress: Progress = quiet) -> list[list[Row]]:
        """Bring the copy up to date, and let it answer what is gathered in memory as far as it can be."""

        def work(connection: duckdb.DuckDBPyConnection) -> list[list[Row]]:
            return readied.answer_all(connection, questions)

        return columns.use(store=self.store, path=self.path, work=work, progress=progress)

    def text_of(self, statement: Statement) -> str:
        """The statement as DuckDB runs it."""
        return written(statement.expression, "duckdb")

    def problems(self) -> list[str]:
        """None: the copy is made when it is needed."""
        return []
