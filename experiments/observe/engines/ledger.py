"""The ledger as engine: a PostgreSQL that holds the ledger answers the statement itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlglot import exp

from experiments.errors import InvalidInput, Unavailable
from experiments.observe.engines.dialects import written
from experiments.observe.engines.engine import Progress, Row, plain, quiet
from experiments.observe.engines.mapping import OURS, Mapping, mapped, missing
from experiments.observe.scanning import Statement
from experiments.store import Store

PATIENCE_MS = 600_000
"""How long an analysis may take: longer than anything else that the database is asked."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger's own PostgreSQL; nothing is copied.

    Attributes
    ----------
    mapping
        Where in the database exposures and events are, if not in the ledger's tables.
    """

    store: Store
    mapping: Mapping = field(default=OURS)

    def __post_init__(self) -> None:
        if make_url(self.store.url).get_backend_name() != "postgresql":
            raise InvalidInput.at(
                "EVENHAND_ENGINE", "postgresql answers from its own ledger; set EVENHAND_DATABASE_URL to it"
            )

    def fetch_all(self, statements: Sequence[Statement], progress: Progress = quiet) -> list[list[Row]]:
        """Ask the database, in a transaction that changes nothing and sees one state."""
        try:
            answers = self._run([self.text_of(each) for each in statements])
        except DBAPIError as problem:
            raise Unavailable(
                "; ".join(self.problems()) or f"postgresql did not answer: {_said(problem)}"
            ) from problem
        progress(1.0)
        return answers

    def problems(self) -> list[str]:
        """The tables and columns that cannot be read, as the mapping names them."""
        return missing(self.mapping, self._probe)

    def _probe(self, probe: exp.Expr) -> str | None:
        try:
            self._run([written(probe, "postgres")])
        except DBAPIError as problem:
            return _said(problem)
        return None

    def _run(self, texts: Sequence[str]) -> list[list[Row]]:
        with self.store.read() as session:
            connection = session.connection()
            connection.execute(text(f"SET LOCAL statement_timeout = {PATIENCE_MS}"))
            # Without parameters nothing in the text is taken for the place of one.
            asked = connection.execution_options(no_parameters=True)
            return [[plain(tuple(row)) for row in asked.exec_driver_sql(each)] for each in texts]

    def text_of(self, statement: Statement) -> str:
        """The statement as PostgreSQL runs it."""
        return written(mapped(statement, self.mapping, "postgres"), "postgres")


def _said(problem: DBAPIError) -> str:
    """The first line of what the driver says; SQLAlchemy's own words would add the statement."""
    return str(problem.orig).strip().partition("\n")[0]
