"""Warehouses that people run already, reached through Ibis, which is loaded when it is needed.

The one statement is run in pieces: what is read more than once is kept for the length of the analysis, under
names that no other analysis has, and given up afterwards, whatever happens. Where the user may keep nothing,
the answer is asked for in parts that are each whole: slower, and reading more, with the same numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from secrets import token_hex

from sqlglot import exp

from experiments.errors import InvalidInput, Unavailable
from experiments.observe.engines.dialects import written
from experiments.observe.engines.drivers import WAREHOUSES, Link, linked, said
from experiments.observe.engines.engine import Progress, Row, plain, quiet
from experiments.observe.engines.mapping import OWN_NAMES, Mapping, mapped, missing
from experiments.observe.engines.pieces import Pieces, taken_apart, whole
from experiments.observe.scanning import Scan, Statement


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

    def __post_init__(self) -> None:
        scheme = f"{WAREHOUSES[self.name].scheme}://"
        if self.url and not self.url.startswith(scheme):
            raise InvalidInput.at("EVENHAND_ENGINE_URL", f"expected {scheme}… for {self.name}")

    def fetch_all(self, statements: Sequence[Statement], progress: Progress = quiet) -> list[list[Row]]:
        """Ask the warehouse."""
        answers = []
        with self._link() as link:
            keeps = self._keeps(link)
            for done, each in enumerate(statements, start=1):
                with self._explained(link):
                    answers.append(self._run(link, self._opened(link, each), keeps=keeps))
                progress(done / len(statements))
        return answers

    def text_of(self, statement: Statement) -> str:
        """The statement as the warehouse runs it, before it is taken apart."""
        return self._text(mapped(statement, self._sources, self.name))

    def problems(self) -> list[str]:
        """What stands between the warehouse and an answer, one sentence each.

        Raises
        ------
        Unavailable
            If it cannot be reached.
        """
        with self._link() as link:
            try:
                found = self._missing(link)
            except link.errors as problem:
                raise Unavailable(f"{self.name} did not answer: {said(problem, self.url)}") from problem
            if not found and not self._keeps(link):
                found.append(
                    f"{self.name} lets this user make no temporary tables, so each analysis reads its tables "
                    "many times: allow it to, or name a schema for them as scratch under [warehouse]"
                )
        return found

    @property
    def _sources(self) -> Mapping:
        return replace(self.mapping, sources={**OWN_NAMES, **self.mapping.sources})

    def _link(self) -> AbstractContextManager[Link]:
        return linked(self.name, self.url, self.mapping.scratch)

    def _text(self, expression: exp.Expr) -> str:
        return written(expression, self.name)

    def _keeps(self, link: Link) -> bool:
        """Whether the user may keep anything."""
        if not link.keeper.at_once:
            return False
        name = link.keeper.place(f"evenhand_{token_hex(6)}_may")
        try:
            with _kept(link, [(name, "SELECT 1 AS one")]):
                return True
        except link.errors as problem:
            if self.mapping.scratch:
                raise Unavailable(
                    f"warehouse.scratch: {self.name} makes no table there: {said(problem, self.url)}"
                ) from problem
            return False

    @contextmanager
    def _explained(self, link: Link) -> Iterator[None]:
        """Find out why a statement failed: mostly a table or a column is not what the mapping says."""
        try:
            yield
        except link.errors as problem:
            with suppress(*link.errors):
                if found := self._missing(link):
                    raise Unavailable("; ".join(found)) from problem
            raise Unavailable(f"{self.name} did not answer: {said(problem, self.url)}") from problem

    def _missing(self, link: Link) -> list[str]:
        """The tables and columns that cannot be read, as the mapping names them."""
        link.keeper.read("SELECT 1 AS one")  # a warehouse that is gone has no tables either

        def probe(expression: exp.Expr) -> str | None:
            try:
                link.keeper.read(self._text(expression))
            except link.errors as problem:
                return said(problem, self.url)
            return None

        return missing(self._sources, probe)

    def _opened(self, link: Link, statement: Statement) -> Statement:
        """Find out from when events matter, where that is not known."""
        if statement.opening is None:
            return statement
        asked = replace(statement, expression=statement.opening, opening=None)
        ((since,),) = link.keeper.read(self.text_of(asked))
        scan = replace(statement.scans.get("event", Scan()), since=since)
        return replace(statement, scans={**statement.scans, "event": scan}, opening=None)

    def _run(self, link: Link, statement: Statement, *, keeps: bool) -> list[Row]:
        pieces = self._pieces(link, mapped(statement, self._sources, self.name), keeps=keeps)
        with _kept(link, [(name, self._text(piece)) for name, piece in pieces.kept]):
            return [plain(row) for answer in pieces.answers for row in link.keeper.read(self._text(answer))]

    def _pieces(self, link: Link, expression: exp.Expr, *, keeps: bool) -> Pieces:
        prefix = f"evenhand_{token_hex(6)}"
        if not keeps:
            return whole(expression, prefix=prefix)
        return taken_apart(expression, prefix=prefix, place=link.keeper.place, at_once=link.keeper.at_once)


@contextmanager
def _kept(link: Link, pieces: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Keep pieces, and give them up again."""
    begun = []
    try:
        for name, text in pieces:
            begun.append(name)
            link.keeper.keep(name, text)
        yield
    finally:
        for name in reversed(begun):
            with suppress(*link.errors):  # a warehouse that has gone away has given it up, too
                link.keeper.drop(name)
