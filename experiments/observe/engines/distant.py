"""Warehouses that people run already, reached through Ibis, which is loaded when it is needed."""

from collections.abc import Mapping as Names
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sqlglot import exp

from experiments.errors import Unavailable
from experiments.observe.engines.dialects import apart, is_shared, written
from experiments.observe.engines.engine import Progress, Row, plain, quiet
from experiments.observe.engines.mapping import Mapping, mapped


@dataclass(frozen=True, slots=True)
class _Driver:
    """What Ibis calls a warehouse, and where its driver has the class of all its errors."""

    scheme: str
    module: str
    error: str


WAREHOUSES: Names[str, _Driver] = {
    "spark": _Driver("pyspark", "pyspark.errors", "PySparkException"),
    "clickhouse": _Driver("clickhouse", "clickhouse_connect.driver.exceptions", "Error"),
    "bigquery": _Driver("bigquery", "google.api_core.exceptions", "GoogleAPIError"),
    "snowflake": _Driver("snowflake", "snowflake.connector.errors", "Error"),
    "trino": _Driver("trino", "trino.exceptions", "Error"),
}
"""By what each is called in settings, which is its dialect, too."""


@dataclass(frozen=True, slots=True)
class Distant:
    """A warehouse.

    Attributes
    ----------
    name
        One of `WAREHOUSES`.
    url
        Ibis' address of it; empty for what its driver takes without one.
    mapping
        Where in it exposures and events are.
    """

    name: str
    url: str
    mapping: Mapping

    def fetch_all(self, statements: Sequence[exp.Expr], progress: Progress = quiet) -> list[list[Row]]:
        """Ask the warehouse."""
        driver = WAREHOUSES[self.name]
        try:
            import ibis

            errors = (ibis.IbisError, OSError, getattr(import_module(driver.module), driver.error))
        except ImportError as problem:
            raise Unavailable(
                f"{self.name} needs its driver: pip install 'ibis-framework[{driver.scheme}]' ({problem})"
            ) from problem
        ask = self._collected if self.name == "spark" else self._read
        answers = []
        try:
            connection: Any = ibis.connect(self.url or f"{driver.scheme}://")
            for done, each in enumerate(statements, start=1):
                answers.append([plain(row) for row in ask(connection, each)])
                progress(done / len(statements))
        except errors as problem:
            raise Unavailable(f"{self.name} did not answer: {_first_line(problem)}") from problem
        return answers

    def text_of(self, statement: exp.Expr) -> str:
        """The statement as the warehouse runs it."""
        return written(mapped(statement, self.mapping, self.name), self.name)

    def _read(self, connection: Any, statement: exp.Expr) -> list[Row]:
        table = connection.sql(self.text_of(statement), dialect=self.name).to_pyarrow()
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def _collected(self, connection: Any, statement: exp.Expr) -> list[Row]:
        """Ask Spark, piece by piece, and take its own rows.

        Left to itself Spark would count a piece again for each place that reads it; and on the way through
        Ibis a column of whole numbers with gaps would lose what it is.
        """
        pieces, answer = apart(mapped(statement, self.mapping, self.name))
        try:
            for name, piece in pieces:
                text = written(piece, self.name)
                connection.raw_sql(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {text}")
                if is_shared(name, [*(each for _, each in pieces), answer]):
                    connection.raw_sql(f"CACHE LAZY TABLE {name}")
            return [tuple(row) for row in connection.raw_sql(written(answer, self.name)).collect()]
        finally:
            for name, _ in reversed(pieces):
                connection.raw_sql(f"UNCACHE TABLE IF EXISTS {name}")
                connection.raw_sql(f"DROP VIEW IF EXISTS {name}")


def _first_line(problem: Exception) -> str:
    return (str(problem) or type(problem).__name__).strip().partition("\n")[0]
