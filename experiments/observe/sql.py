"""SQL: fixed texts whose placeholders are filled with typed values, so nothing that a person typed is SQL."""

from collections.abc import Iterable

import sqlglot
from sqlglot import exp

from experiments.observe.question import DAY_MS

DIALECT = "duckdb"


def filled(sql: str, **values: object) -> exp.Select:
    """Read a fixed text and fill its placeholders; a list fills the place of an IN's values."""
    piece = sqlglot.parse_one(sql)
    _fill(piece, values)
    if not isinstance(piece, exp.Select):
        raise TypeError("a piece is a SELECT")
    return piece


def bound(sql: str, **values: object) -> exp.Expr:
    """Read a fixed expression and fill its placeholders."""
    # In a wrapper, so that an expression that is nothing but a placeholder can be replaced, too.
    wrapper = exp.Paren(this=sqlglot.parse_one(sql))
    _fill(wrapper, values)
    inner: exp.Expr = wrapper.this
    inner.pop()
    return inner


def _fill(piece: exp.Expr, values: dict[str, object]) -> None:
    for place in list(piece.find_all(exp.Placeholder)):
        value = values[place.name]
        if isinstance(value, list | tuple):
            owner = place.parent
            if not isinstance(owner, exp.In):
                raise TypeError(f"{place.name}: a list fills only an IN")
            owner.set("expressions", [exp.convert(each) for each in value] or [exp.null()])
        else:
            place.replace(value.copy() if isinstance(value, exp.Expr) else exp.convert(value))


def day_of(moment: str | exp.Expr) -> exp.Expr:
    """The day, counted from 1970, of milliseconds since then."""
    milliseconds = exp.maybe_parse(moment) if isinstance(moment, str) else moment
    day = exp.Literal.number(f"{DAY_MS}.0")
    return whole(exp.Floor(this=exp.Div(this=exp.Paren(this=milliseconds.copy()), expression=day)))


def when(condition: exp.Expr, value: exp.Expr, otherwise: exp.Expr | None = None) -> exp.Expr:
    """A CASE of one condition."""
    case = exp.Case().when(condition.copy(), value.copy())
    return case if otherwise is None else case.else_(otherwise.copy())


def real(value: float | str | exp.Expr) -> exp.Expr:
    """A number, or an expression, as a double."""
    return typed(value.copy() if isinstance(value, exp.Expr) else exp.convert(value), exp.DType.DOUBLE)


def typed(value: exp.Expr, kind: exp.DType) -> exp.Expr:
    """A cast. The builder's own would copy the value, which is ours already."""
    return exp.Cast(this=value, to=exp.DataType(this=kind))


def zero() -> exp.Expr:
    """Nought as a double."""
    return real(0)


def total(value: exp.Expr) -> exp.Expr:
    """The sum over no rows is nought, not null."""
    return exp.func("COALESCE", exp.Sum(this=value.copy()), zero())


def both(*conditions: exp.Expr) -> exp.Expr:
    """All conditions, of which there is at least one."""
    return exp.and_(*(each.copy() for each in conditions))


def product(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Two factors."""
    return exp.Mul(this=exp.Paren(this=left.copy()), expression=exp.Paren(this=right.copy()))


def minus(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """A difference."""
    return exp.Sub(this=left.copy(), expression=right.copy())


def selected(piece: exp.Select, columns: Iterable[tuple[exp.Expr, str]]) -> exp.Select:
    """Add named columns to a piece."""
    for value, name in columns:
        piece.append("expressions", alias(value.copy(), name))
    return piece


def alias(value: exp.Expr, name: str) -> exp.Expr:
    """A named column."""
    return exp.Alias(this=value, alias=exp.to_identifier(name))


def whole(value: exp.Expr) -> exp.Expr:
    """A whole number."""
    return typed(value, exp.DType.BIGINT)


DAY_MS_REAL = exp.Literal.number(f"{DAY_MS}.0")
"""The length of a day, as a number whose quotients have fractions in every engine."""
