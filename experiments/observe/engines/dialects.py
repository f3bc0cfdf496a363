"""Dialects: the one statement, written as each engine wants it.

sqlglot writes it, since the statement keeps to what every engine can do: a quantile, for instance, is taken
by rank, for which they all have the same words. What is left are the settings that make an engine read SQL as
the others do.
"""

from collections.abc import Callable, Mapping

from sqlglot import exp

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
    if dialect == "clickhouse":
        statement = _named(statement)
    return statement.sql(dialect=dialect, pretty=True) + SETTINGS.get(dialect, "")


def _named(statement: exp.Expr) -> exp.Expr:
    """Name the columns that are taken from a table: of joined ones ClickHouse would keep the table's name."""
    statement = statement.copy()
    for select in statement.find_all(exp.Select):
        for column in select.expressions:
            if isinstance(column, exp.Column) and column.table and not column.is_star:
                column.replace(exp.alias_(column.copy(), column.name))
    return statement


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
