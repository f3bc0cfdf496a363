"""Plain values: how the values of this room are written for JSON, and how they come back.

Writing turns every frozen value into mappings, lists, texts and numbers; a number without meaning becomes
null. Reading is led by the annotations of the class, so a value that gains a field with a default still reads
what was stored before.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from analysis.interval import Interval

Reader = Callable[[Any], Any]


def written(value: Any) -> Any:
    """Write a value as JSON knows it.

    Examples
    --------
    >>> written(Interval(1.0, -math.inf, 2.0))
    {'estimate': 1.0, 'low': None, 'high': 2.0}
    """
    match value:
        case float():
            return value if math.isfinite(value) else None
        case StrEnum():
            return str(value)
        case date():
            return value.isoformat()
        case tuple():
            return [written(each) for each in value]
        case Mapping():
            return {name: written(each) for name, each in value.items()}
        case _ if is_dataclass(value):
            return {name: written(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def restored(kind: Any, document: Any) -> Any:
    """Read what `written` wrote of a value of this kind.

    Parameters
    ----------
    kind
        A class, or an annotation such as ``tuple[Interval, ...]``.

    Examples
    --------
    >>> restored(Interval, {"estimate": 1.0, "low": None, "high": 2.0})
    Interval(estimate=1.0, low=-inf, high=2.0)
    """
    return reader_of(kind)(document)


@cache
def reader_of(kind: Any) -> Reader:
    """The function that reads values of a kind; worked out once for each."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        read = reader_of(next(each for each in inside if each is not type(None)))
        return lambda document: None if document is None else read(document)
    if origin is tuple:
        read = reader_of(inside[0])
        return lambda document: tuple(read(each) for each in document)
    if kind is Interval:
        return _interval
    if isinstance(kind, type):
        if is_dataclass(kind):
            return _of_fields(kind)
        if issubclass(kind, StrEnum):
            return kind
        if issubclass(kind, date):
            return datetime.fromisoformat if issubclass(kind, datetime) else date.fromisoformat
    if origin is not None and issubclass(origin, Mapping):
        read = reader_of(inside[1])
        return lambda document: {name: read(each) for name, each in document.items()}
    return lambda document: document


def _of_fields(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {each.name: reader_of(hints[each.name]) for each in fields(kind)}
    return lambda document: kind(**{name: readers[name](each) for name, each in document.items()})


def _interval(document: Mapping[str, Any]) -> Interval:
    low, high = document["low"], document["high"]
    return Interval(
        document["estimate"], -math.inf if low is None else low, math.inf if high is None else high
    )
