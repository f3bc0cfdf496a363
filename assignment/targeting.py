"""Targeting: conditions on the attributes of a unit.

The language is closed and total: a fixed set of operators, and no attribute value, of whatever type, makes
an evaluation raise. Where types do not fit, the answer is ``False``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 8
"""How deeply conditions may nest: deeper ones are refused when they are written."""


@dataclass(frozen=True, slots=True)
class Test:
    """One attribute against one value."""

    __test__ = False  # a domain word, not a test class

    attribute: str
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Every:
    """All of the conditions hold."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the conditions holds."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The condition does not hold."""

    condition: "Condition"


Condition = Test | Every | Either | Negation
Attributes = Mapping[str, Any]


def matches(condition: Condition, attributes: Attributes) -> bool:
    """Say whether a unit with these attributes is meant.

    Examples
    --------
    >>> matches(Test("country", "in", ("NO", "SE")), {"country": "NO"})
    True
    >>> matches(Test("age", "gt", 18), {"age": "unknown"})
    False
    """
    match condition:
        case Every(conditions):
            return all(matches(each, attributes) for each in conditions)
        case Either(conditions):
            return any(matches(each, attributes) for each in conditions)
        case Negation(inner):
            return not matches(inner, attributes)
        case Test(attribute, operator, value):
            return _OPERATORS[operator](attributes.get(attribute), value)


def condition_from_json(document: Any, place: str = "targeting", depth: int = 0) -> Condition:
    """Read a condition, or say where it is wrong.

    Raises
    ------
    ValueError
        Naming the place in the document and what is expected there.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"{place}: nested more than {MAX_DEPTH} deep")
    if not isinstance(document, dict):
        raise ValueError(f"{place}: expected an object such as {{'attribute': …, 'operator': …, 'value': …}}")
    match list(document):
        case ["all" | "any" as word]:
            parts = document[word]
            if not isinstance(parts, list) or not parts:
                raise ValueError(f"{place}.{word}: expected a list with at least one condition")
            read = tuple(
                condition_from_json(part, f"{place}.{word}.{i}", depth + 1) for i, part in enumerate(parts)
            )
            return Every(read) if word == "all" else Either(read)
        case ["not"]:
            return Negation(condition_from_json(document["not"], f"{place}.not", depth + 1))
    return _test_from_json(document, place)


def condition_to_json(condition: Condition) -> dict[str, Any]:
    """Write a condition in the form that `condition_from_json` reads."""
    match condition:
        case Every(conditions):
            return {"all": [condition_to_json(each) for each in conditions]}
        case Either(conditions):
            return {"any": [condition_to_json(each) for each in conditions]}
        case Negation(inner):
            return {"not": condition_to_json(inner)}
        case Test(attribute, operator, value):
            written = {"attribute": attribute, "operator": operator}
            if operator in _WITHOUT_VALUE:
                return written
            return {**written, "value": list(value) if operator in _LISTS else value}


def _test_from_json(document: dict[str, Any], place: str) -> Test:
    attribute, operator = document.get("attribute"), document.get("operator")
    if set(document) - {"attribute", "operator", "value"}:
        surplus = sorted(set(document) - {"attribute", "operator", "value"})[0]
        raise ValueError(f"{place}.{surplus}: unknown; expected all, any, not, or attribute, operator, value")
    if not isinstance(attribute, str) or not attribute:
        raise ValueError(f"{place}.attribute: expected the name of an attribute")
    if operator not in _OPERATORS:
        raise ValueError(f"{place}.operator: expected one of {' '.join(_OPERATORS)}")
    if operator in _WITHOUT_VALUE:
        return Test(attribute, operator)
    value = document.get("value")
    if operator in _LISTS:
        if not isinstance(value, list) or not all(_scalar(each) for each in value):
            raise ValueError(f"{place}.value: expected a list of texts, numbers or booleans")
        return Test(attribute, operator, tuple(value))
    if operator in _TEXTS and not isinstance(value, str):
        raise ValueError(f"{place}.value: expected a text for {operator}")
    if operator in _ORDERED and not (_number(value) or isinstance(value, str)):
        raise ValueError(f"{place}.value: expected a number or a text for {operator}")
    if not _scalar(value):
        raise ValueError(f"{place}.value: expected a text, a number or a boolean")
    return Test(attribute, operator, value)


def _scalar(value: Any) -> bool:
    return isinstance(value, str | bool | int | float)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(given: Any, value: Any) -> bool:
    if isinstance(given, bool) or isinstance(value, bool):
        return given is value
    if _number(given) and _number(value):
        return bool(given == value)
    return isinstance(given, str) and isinstance(value, str) and given == value


def _one_of(given: Any, values: Any) -> bool:
    return any(_same(given, value) for value in values)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(given: Any, value: Any) -> bool:
        if _number(given) and _number(value):
            return test(given, value)
        return isinstance(given, str) and isinstance(value, str) and test(given, value)

    return compare


def _text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda given, value: isinstance(given, str) and test(given, value)


def _version(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda given, value: isinstance(given, str) and test(_padded(given), _padded(value))


def _padded(version: str) -> str:
    """Make versions comparable as texts: numbers padded, a release after its pre-releases."""
    parts = re.split(r"[-.]", re.sub(r"(^v|\+.*$)", "", version))
    if len(parts) == 3:
        parts.append("~")
    return "-".join(part.rjust(5) if part.isascii() and part.isdigit() else part for part in parts)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _same,
    "ne": lambda given, value: not _same(given, value),
    "in": _one_of,
    "not_in": lambda given, values: not _one_of(given, values),
    "gt": _ordered(lambda a, b: a > b),
    "ge": _ordered(lambda a, b: a >= b),
    "lt": _ordered(lambda a, b: a < b),
    "le": _ordered(lambda a, b: a <= b),
    "exists": lambda given, _: given is not None,
    "not_exists": lambda given, _: given is None,
    "starts_with": _text(str.startswith),
    "ends_with": _text(str.endswith),
    "contains": _text(str.__contains__),
    "version_gt": _version(lambda a, b: a > b),
    "version_ge": _version(lambda a, b: a >= b),
    "version_lt": _version(lambda a, b: a < b),
    "version_le": _version(lambda a, b: a <= b),
}
_WITHOUT_VALUE = frozenset({"exists", "not_exists"})
_LISTS = frozenset({"in", "not_in"})
_ORDERED = frozenset({"gt", "ge", "lt", "le"})
_TEXTS = frozenset(
    {"starts_with", "ends_with", "contains", "version_gt", "version_ge", "version_lt", "version_le"}
)
