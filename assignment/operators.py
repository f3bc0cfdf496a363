"""The operators of targeting: what each says about the value of one attribute.

The set is closed and every operator is total: it answers for any value of any type, and where types do not
fit the answer is ``False`` (``ne`` and ``not_in``, the opposites of ``eq`` and ``in``, then say ``True``).

A value to compare with is checked once, when the condition is written. What is refused there is what clients
in different languages read differently: a number that a double cannot hold exactly, half of a surrogate
pair, a text that is no version.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LARGEST_NUMBER = 2**53 - 1
"""Beyond it a double, which is all that JavaScript has, no longer holds every whole number."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_VERSION = re.compile("v?[0-9][!-~]*")


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Attributes
    ----------
    check
        Raises `ValueError` for a value that the operator cannot be written with.
    prepare
        Turns that value into what ``holds`` compares with, once for each condition.
    holds
        Says whether an attribute's value, of whatever type, fits the prepared value.
    """

    check: Callable[[Any], None]
    prepare: Callable[[Any], Any]
    holds: Callable[[Any, Any], bool]


def _check_nothing(value: Any) -> None:
    if value is not None:
        raise ValueError("value: this operator takes none")


def _check_scalar(value: Any) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif not isinstance(value, int | float):
        raise ValueError("value: expected a text, a number or a boolean")
    elif not abs(value) <= LARGEST_NUMBER:  # this way round, so that NaN is refused too
        raise ValueError(f"value: expected a number within ±{LARGEST_NUMBER}, where every client is exact")


def _check_scalars(value: Any) -> None:
    if not isinstance(value, tuple) or not value:
        raise ValueError("value: expected a list with at least one text, number or boolean")
    for each in value:
        _check_scalar(each)


def _check_orderable(value: Any) -> None:
    if isinstance(value, bool):
        raise ValueError("value: expected a number or a text; true and false have no order")
    _check_scalar(value)


def _check_text(value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError("value: expected a text")
    if _LONE_SURROGATE.search(value):
        raise ValueError("value: expected whole characters, not half of a surrogate pair")


def _check_part(value: Any) -> None:
    _check_text(value)
    if not value:
        raise ValueError("value: expected a text that is not empty")


def _check_ending(value: Any) -> None:
    _check_part(value)
    if value.endswith("\n"):
        raise ValueError("value: expected a text that does not end in a line break")


def _check_version(value: Any) -> None:
    if not _is_version(value):
        raise ValueError("value: expected a version such as 1.4.0")


def _as_it_is(value: Any) -> Any:
    return value


def _identity(value: Any) -> tuple[bool, Any] | None:
    """What makes two values equal: JSON tells true from 1, Python's ``==`` does not."""
    return (isinstance(value, bool), value) if isinstance(value, str | int | float) else None


def _identities(values: tuple[Any, ...]) -> frozenset[tuple[bool, Any] | None]:
    return frozenset(_identity(value) for value in values)


def _is(given: Any, wanted: Any) -> bool:
    return bool(_identity(given) == wanted)


def _among(given: Any, wanted: Any) -> bool:
    if isinstance(given, list):
        return any(_identity(each) in wanted for each in given)
    return _identity(given) in wanted


def _code_units(text: str) -> bytes:
    """Order texts by UTF-16 code units: astral characters sort below U+E000, as they do in browsers."""
    return text.encode("utf-16-be", "surrogatepass")


def _orderable(value: Any) -> Any:
    return _code_units(value) if isinstance(value, str) else value


def _ordered(test: Callable[[Any, Any], bool]) -> Operator:
    def holds(given: Any, wanted: Any) -> bool:
        if isinstance(given, str):
            return isinstance(wanted, bytes) and test(_code_units(given), wanted)
        if not isinstance(given, int | float) or isinstance(given, bool):
            return False
        return not isinstance(wanted, bytes) and test(given, wanted)

    return Operator(_check_orderable, _orderable, holds)


def _text(test: Callable[[str, str], bool], check: Callable[[Any], None] = _check_part) -> Operator:
    return Operator(check, _as_it_is, lambda given, wanted: isinstance(given, str) and test(given, wanted))


def _is_version(value: Any) -> bool:
    return isinstance(value, str) and _VERSION.fullmatch(value) is not None


def _version_order(version: str) -> str:
    """Make versions comparable as texts: numbers aligned to the right, a release after its pre-releases."""
    core = version.removeprefix("v").partition("+")[0]
    parts = re.split("[-.]", core)
    if len(parts) == 3:
        parts.append("~")
    return "-".join(part.rjust(5) if part.isdigit() else part for part in parts)


def _version(test: Callable[[str, str], bool]) -> Operator:
    return Operator(
        _check_version,
        _version_order,
        lambda given, wanted: _is_version(given) and test(_version_order(given), wanted),
    )


OPERATORS: Mapping[str, Operator] = {
    "eq": Operator(_check_scalar, _identity, _is),
    "ne": Operator(_check_scalar, _identity, lambda given, wanted: not _is(given, wanted)),
    "in": Operator(_check_scalars, _identities, _among),
    "not_in": Operator(_check_scalars, _identities, lambda given, wanted: not _among(given, wanted)),
    "gt": _ordered(operator.gt),
    "ge": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "le": _ordered(operator.le),
    "exists": Operator(_check_nothing, _as_it_is, lambda given, _: given is not None),
    "not_exists": Operator(_check_nothing, _as_it_is, lambda given, _: given is None),
    "starts_with": _text(str.startswith),
    "ends_with": _text(str.endswith, _check_ending),
    "contains": _text(str.__contains__),
    "version_gt": _version(operator.gt),
    "version_ge": _version(operator.ge),
    "version_lt": _version(operator.lt),
    "version_le": _version(operator.le),
}
"""Every operator by its name."""

LISTS = frozenset({"in", "not_in"})
"""The operators that are written with a list of values."""
WITHOUT_VALUE = frozenset({"exists", "not_exists"})
"""The operators that are written without a value."""
