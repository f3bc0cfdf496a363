"""Dialects: the one statement, written as each engine wants it.

sqlglot writes it, since the statement keeps to what every engine can do: a quantile, for instance, is taken
by rank, for which they all have the same words. What is left are the settings that make an engine read SQL as
the others do, and taking the statement apart for an engine that does not keep what it has counted.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

from sqlglot import exp

from experiments.observe.layout import COLUMNS

SETTINGS: Mapping[str, str] = {
    # An outer join leaves gaps empty, not zero; a column goes before an alias of its name; and a piece is
    # written out wherever it is read, which makes many of few.
    "clickhouse": "\nSETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1, "
    "max_ast_elements = 10000000, max_expanded_ast_elements = 10000000"
}


def written(statement: exp.Expr, dialect: str) -> str:
    """A statement of DuckDB's dialect, as text in another."""
    if read := _PROPERTIES.get(dialect):
        statement = statement.transform(
            lambda node: read(node) if isinstance(node, exp.JSONExtractScalar) else node
        )
    return statement.sql(dialect=dialect, pretty=True) + SETTINGS.get(dialect, "")


def _of_json(node: exp.JSONExtractScalar) -> exp.Expr:
    """PostgreSQL looks into JSON, not into its text."""
    node.set("this", exp.cast(node.this, "JSON"))
    return node


def _or_nothing(node: exp.JSONExtractScalar) -> exp.Expr:
    """ClickHouse would give an empty text for what is not there."""
    names = [exp.Literal.string(key.this) for key in node.expression.find_all(exp.JSONPathKey)]
    kind = exp.Literal.string("Nullable(String)")
    return exp.Anonymous(this="JSONExtract", expressions=[node.this, *names, kind])


_PROPERTIES: Mapping[str, Callable[[exp.JSONExtractScalar], exp.Expr]] = {
    "postgres": _of_json,
    "clickhouse": _or_nothing,
}
"""How properties are read where sqlglot's way means something else."""


def apart(statement: exp.Expr) -> tuple[list[tuple[str, exp.Expr]], exp.Expr]:
    """Take a statement's named pieces out of it.

    Returns
    -------
    tuple
        The pieces in their order, under names that nothing else has, and the statement that reads them.
    """
    tag = blake2b(statement.sql(dialect="duckdb").encode(), digest_size=6).hexdigest()
    answer = statement.copy()
    before = answer.args.get("with_")
    answer.set("with_", None)
    names: dict[str, str] = {}
    pieces = []
    for piece in before.expressions if before else []:
        pieces.append((f"evenhand_{tag}_{piece.alias}", _reading(piece.this, names)))
        names[piece.alias] = pieces[-1][0]
    return pieces, _reading(answer, names)


def is_shared(name: str, readers: Iterable[exp.Expr]) -> bool:
    """Whether a piece that counts something is read in several places; one that only renames never is."""
    renames = name.endswith(tuple(f"_{each}" for each in COLUMNS))
    read = sum(table.name == name for each in readers for table in each.find_all(exp.Table))
    return read > 1 and not renames


def _reading(expression: exp.Expr, names: Mapping[str, str]) -> exp.Expr:
    """Read pieces under their new names, known by the old ones."""
    expression = expression.copy()
    for table in list(expression.find_all(exp.Table)):
        if not table.db and table.name in names:
            renamed = exp.to_table(names[table.name])
            table.replace(exp.alias_(renamed, table.alias_or_name, table=True))
    return expression
