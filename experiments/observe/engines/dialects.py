"""Dialects: the one statement, written as each engine wants it.

sqlglot writes nearly all of it. What it cannot know is written here: which function of an engine gives the
*exact* interpolated quantile (of type 7, as DuckDB's ``QUANTILE_CONT``), and which settings make an engine
read SQL as the others do.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

import sqlglot
from sqlglot import exp

from experiments.observe.layout import COLUMNS

SETTINGS: Mapping[str, str] = {
    # An outer join leaves gaps empty, not zero; a column goes before an alias of its name.
    "clickhouse": "\nSETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1"
}


def written(statement: exp.Expr, dialect: str) -> str:
    """A statement of DuckDB's dialect, as text in another."""
    if rewrite := _QUANTILES.get(dialect):
        statement = rewrite(statement.copy())
    return statement.sql(dialect=dialect, pretty=True) + SETTINGS.get(dialect, "")


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


def _spark(statement: exp.Expr) -> exp.Expr:
    for found in list(statement.find_all(exp.PercentileCont)):
        found.replace(exp.Anonymous(this="PERCENTILE", expressions=[found.this, found.expression]))
    return statement


def _clickhouse(statement: exp.Expr) -> exp.Expr:
    for found in list(statement.find_all(exp.PercentileCont)):
        found.replace(
            exp.ParameterizedAgg(
                this="quantileExactInclusive", expressions=[found.expression], params=[found.this]
            )
        )
    return statement


def _by_rank(statement: exp.Expr) -> exp.Expr:
    """Quantiles without a function for them: each value by its rank, as far as it lies beside the quantile.

    With n values in their order, the quantile of level q lies at the place h = q(n - 1), counted from zero;
    the value at place i weighs max(0, 1 - |i - h|) in it, which is linear interpolation.
    """
    for select in list(statement.find_all(exp.Select)):
        within = select.find_all(exp.PercentileCont)
        if own := [each for each in within if each.find_ancestor(exp.Select) is select]:
            _rank(select, own)
    return statement


def _rank(select: exp.Select, quantiles: list[exp.PercentileCont]) -> None:
    source = select.args["from_"].this
    if select.args.get("joins"):
        raise NotImplementedError("a quantile by rank is taken of one table")
    inner = exp.select("*").from_(source)
    if where := select.args.get("where"):
        inner = inner.where(where.this)
        select.set("where", None)
    groups = _groups(select)
    for place, found in enumerate(quantiles):
        value: exp.Expr = found.this
        whole: exp.Expr = found
        if isinstance(found.parent, exp.Filter):
            whole = found.parent
            value = exp.Case().when(found.parent.expression.this, value)
        rank = exp.Window(this=exp.RowNumber(), partition_by=_copies(groups), order=_rising(value))
        size = exp.Window(this=exp.Count(this=value.copy()), partition_by=_copies(groups))
        inner = inner.select(rank.as_(f"rank_{place}"), size.as_(f"size_{place}"), copy=False)
        weight = exp.paren(_weight(place, found.expression))
        whole.replace(exp.Sum(this=exp.Mul(this=exp.paren(value.copy()), expression=weight)))
    select.set("from_", exp.From(this=inner.subquery(source.alias_or_name)))


def _groups(select: exp.Select) -> list[exp.Expr]:
    """What a select is grouped by, without its own aliases."""
    aliases = {each.alias: each.this for each in select.selects if isinstance(each, exp.Alias)}
    group = select.args.get("group")
    return [
        aliases.get(each.name, each) if not each.args.get("table") else each
        for each in (group.expressions if group else [])
    ]


def _copies(expressions: list[exp.Expr]) -> list[exp.Expr]:
    return [each.copy() for each in expressions]


def _rising(value: exp.Expr) -> exp.Order:
    return exp.Order(expressions=[exp.Ordered(this=value.copy(), desc=False, nulls_first=False)])


def _weight(place: int, level: exp.Expr) -> exp.Expr:
    weight = sqlglot.parse_one(f"GREATEST(0.0, 1.0 - ABS(rank_{place} - 1 - :level * (size_{place} - 1)))")
    for hole in list(weight.find_all(exp.Placeholder)):
        hole.replace(level.copy())
    return weight


_QUANTILES: Mapping[str, Callable[[exp.Expr], exp.Expr]] = {
    "spark": _spark,
    "clickhouse": _clickhouse,
    "bigquery": _by_rank,
    "trino": _by_rank,
}
