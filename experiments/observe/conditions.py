"""Conditions in SQL: what the operators of targeting say about properties that are kept as JSON text.

A property's value is read as text by the engine's own JSON function, and as a number where its text is one.
That is all that every engine can do alike: none of them is asked for a value's type.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlglot import exp

from assignment.targeting import Condition, Either, Every, InSegment, Negation, Segments, Test, parts_of
from experiments.metrics import ORDERED
from experiments.storable import LARGEST_NUMBER

NUMBER = "^-?[0-9]{1,100}([.][0-9]{1,100})?([eE][+-]?[0-9]{1,2})?$"
"""Numbers that a double certainly holds; what is larger is refused where it comes in, too."""

_COMPARISONS: Mapping[str, type[exp.Binary]] = {"gt": exp.GT, "ge": exp.GTE, "lt": exp.LT, "le": exp.LTE}

Reader = Callable[[str], exp.Expr]
"""Gives the SQL of a property's text by its path."""


def text_at(column: exp.Expr, path: str) -> exp.Expr:
    """The text of what lies at a path of a JSON object; null where nothing does."""
    keys = [exp.JSONPathKey(this=name) for name in path.split(".")]
    where = exp.JSONPath(expressions=[exp.JSONPathRoot(), *keys])
    return exp.JSONExtractScalar(this=column, expression=where)


def is_number(text: exp.Expr) -> exp.Expr:
    """Whether a text is a number."""
    return exp.RegexpLike(this=text, expression=exp.Literal.string(NUMBER))


def number_of(text: exp.Expr) -> exp.Expr:
    """The number that a text is; null where it is none, or too large to be added up."""
    number = exp.cast(text.copy(), "DOUBLE")
    small = exp.LTE(
        this=exp.Abs(this=number.copy()), expression=exp.cast(exp.convert(LARGEST_NUMBER), "DOUBLE")
    )
    inner = exp.Case().when(small, number)
    return exp.Case().when(is_number(text.copy()), inner)


def holds(condition: Condition, read: Reader, segments: Segments | None = None) -> exp.Expr:
    """A condition as SQL that is true or false, never null.

    Parameters
    ----------
    read
        Gives the text of a property.
    segments
        The saved segments that the condition may name.
    """
    match condition:
        case Test():
            return _test(condition, read(condition.attribute))
        case InSegment(key):
            return holds((segments or {})[key], read, segments)
        case Every(conditions):
            return exp.and_(*(holds(each, read, segments) for each in conditions))
        case Either(conditions):
            return exp.or_(*(holds(each, read, segments) for each in conditions))
        case Negation(inner):
            return exp.not_(exp.paren(holds(inner, read, segments)))


def numeric_paths(condition: Condition) -> Iterator[str]:
    """The properties that a condition compares with numbers."""
    if isinstance(condition, Test) and _wants_number(condition):
        yield condition.attribute
    for part in parts_of(condition):
        yield from numeric_paths(part)


def paths(condition: Condition) -> Iterator[str]:
    """The properties that a condition reads."""
    if isinstance(condition, Test):
        yield condition.attribute
    for part in parts_of(condition):
        yield from paths(part)


def _test(test: Test, text: exp.Expr) -> exp.Expr:
    present = text.is_(exp.null()).not_()
    match test.operator:
        case "exists":
            return present
        case "not_exists":
            return text.is_(exp.null())
        case "eq":
            return _known(_equals(text, test.value))
        case "ne":
            return exp.not_(exp.paren(_known(_equals(text, test.value))))
        case "in" | "not_in":
            among = exp.paren(_known(exp.or_(*(_equals(text, value) for value in test.value))))
            return among if test.operator == "in" else exp.not_(among)
        case operator if operator in ORDERED:
            return _known(_COMPARISONS[operator](this=number_of(text), expression=_number(test.value)))
    return _known(_part(test.operator, text, exp.Literal.string(test.value)))


def _part(operator: str, text: exp.Expr, part: exp.Expr) -> exp.Expr:
    match operator:
        case "starts_with":
            return exp.StartsWith(this=text, expression=part)
        case "contains":
            place = exp.StrPosition(this=text, substr=part)
            return exp.GT(this=place, expression=exp.Literal.number(0))
    length, whole = exp.Length(this=part.copy()), exp.Length(this=text.copy())
    start = exp.Add(
        this=exp.Sub(this=whole.copy(), expression=length.copy()), expression=exp.Literal.number(1)
    )
    ending = exp.Substring(this=text.copy(), start=start)
    return exp.and_(exp.GTE(this=whole, expression=length), exp.EQ(this=ending, expression=part))


def _equals(text: exp.Expr, value: Any) -> exp.Expr:
    if isinstance(value, bool):
        return exp.EQ(this=text.copy(), expression=exp.Literal.string("true" if value else "false"))
    if isinstance(value, str):
        return exp.EQ(this=text.copy(), expression=exp.Literal.string(value))
    return exp.EQ(this=number_of(text), expression=_number(value))


def _wants_number(test: Test) -> bool:
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    return any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _number(value: float) -> exp.Expr:
    return exp.cast(exp.convert(value), "DOUBLE")


def _known(condition: exp.Expr) -> exp.Expr:
    """False instead of null."""
    return exp.func("COALESCE", condition, exp.false())
