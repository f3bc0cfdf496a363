"""Warehouses that people run already, reached through Ibis, which is loaded when it is needed."""

from collections.abc import Mapping as Names
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sqlglot import exp

from experiments.errors import Unavailable
from experiments.observe.engines.dialects import written
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

    def fetch(self, statement: exp.Expr, progress: Progress = quiet) -> list[Row]:
        """Ask the warehouse."""
        driver, sql = WAREHOUSES[self.name], self.text_of(statement)
        try:
            import ibis

            errors = (ibis.IbisError, OSError, getattr(import_module(driver.module), driver.error))
        except ImportError as problem:
            raise Unavailable(
                f"{self.name} needs its driver: pip install 'ibis-framework[{driver.scheme}]' ({problem})"
            ) from problem
        try:
            connection: Any = ibis.connect(self.url or f"{driver.scheme}://")
            rows = _collected(connection, sql) if self.name == "spark" else _read(connection, sql, self.name)
        except errors as problem:
            raise Unavailable(f"{self.name} did not answer: {_first_line(problem)}") from problem
        progress(1.0)
        return [plain(row) for row in rows]

    def text_of(self, statement: exp.Expr) -> str:
        """The statement as the warehouse runs it."""
        return written(mapped(statement, self.mapping, self.name), self.name)


def _read(connection: Any, sql: str, dialect: str) -> list[Row]:
    table = connection.sql(sql, dialect=dialect).to_pyarrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _collected(connection: Any, sql: str) -> list[Row]:
    """Spark's own rows: on the way through Ibis a column of whole numbers with gaps loses what it is."""
    return [tuple(row) for row in connection.raw_sql(sql).collect()]


def _first_line(problem: Exception) -> str:
    return (str(problem) or type(problem).__name__).strip().partition("\n")[0]
