"""Targeting: conditions on the attributes of a unit.

The language is closed and total: a fixed set of operators, and no attribute value, of whatever type, makes
an evaluation raise. A condition is checked when it is made, so one that exists can be evaluated.

An attribute is named by its path: ``company.size`` is the member ``size`` of the object ``company``. A member
of something that is not an object is missing, and a missing attribute is the same as null.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from assignment.operators import LISTS, OPERATORS, WITHOUT_VALUE

MAX_DEPTH = 8
"""How deeply a condition may nest: deeper ones are refused when they are written."""

UNIT_NAMES = frozenset({"id", "anonymous_id", "targetingKey"})
"""Where clients keep the unit itself. It is no attribute: an override names a unit."""

_JAVASCRIPT_NAMES = frozenset(
    {
        *("__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__"),
        *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
        *("toLocaleString", "toString", "valueOf"),
    }
)
"""Members that every JavaScript object seems to have: ``exists`` would be true of them in browsers alone."""


@dataclass(frozen=True)
class Test:
    """One attribute against one value; the value of ``in`` and ``not_in`` is a tuple."""

    __test__ = False  # a domain word, not a test class

    attribute: str
    operator: str
    value: Any = None

    def __post_init__(self) -> None:
        _check_attribute(self.attribute)
        if self.operator not in OPERATORS:
            raise ValueError(f"operator: expected one of {' '.join(OPERATORS)}")
        OPERATORS[self.operator].check(self.value)

    @cached_property
    def path(self) -> tuple[str, ...]:
        """The names that lead to the attribute."""
        return tuple(self.attribute.split("."))

    @cached_property
    def wanted(self) -> Any:
        """The value as the operator compares with it."""
        return OPERATORS[self.operator].prepare(self.value)


@dataclass(frozen=True, slots=True)
class InSegment:
    """The unit belongs to a saved segment of the ruleset."""

    segment: str


@dataclass(frozen=True, slots=True)
class Every:
    """All of the conditions hold."""

    conditions: tuple["Condition", ...]

    def __post_init__(self) -> None:
        _check_parts(self.conditions)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the conditions holds."""

    conditions: tuple["Condition", ...]

    def __post_init__(self) -> None:
        _check_parts(self.conditions)


@dataclass(frozen=True, slots=True)
class Negation:
    """The condition does not hold."""

    condition: "Condition"


Condition = Test | InSegment | Every | Either | Negation
Attributes = Mapping[str, Any]
Segments = Mapping[str, Condition]

_NO_SEGMENTS: Segments = {}


def matches(condition: Condition, attributes: Attributes | None, segments: Segments = _NO_SEGMENTS) -> bool:
    """Say whether a unit with these attributes is meant.

    Parameters
    ----------
    condition
        Whom to mean.
    attributes
        What is known of the unit. Any value of any type is allowed; none makes this raise.
    segments
        The saved segments that the condition may name. `Ruleset` makes sure that they are there.

    Examples
    --------
    >>> matches(Test("country", "in", ("NO", "SE")), {"country": "NO"})
    True
    >>> matches(Test("age", "gt", 18), {"age": "unknown"})
    False
    """
    match condition:
        case Test():
            given = _reach(attributes, condition.path)
            return OPERATORS[condition.operator].holds(given, condition.wanted)
        case InSegment():
            return matches(segments[condition.segment], attributes, segments)
        case Every():
            return all(matches(each, attributes, segments) for each in condition.conditions)
        case Either():
            return any(matches(each, attributes, segments) for each in condition.conditions)
        case Negation():
            return not matches(condition.condition, attributes, segments)


def condition_from_json(document: Any, place: str = "targeting", depth: int = 0) -> Condition:
    """Read a condition, or say where it is wrong.

    Raises
    ------
    ValueError
        Naming the place in the document and what is expected there.

    Examples
    --------
    >>> condition_from_json({"not": {"segment": "staff"}})
    Negation(condition=InSegment(segment='staff'))
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
        case ["segment"]:
            if not isinstance(document["segment"], str):
                raise ValueError(f"{place}.segment: expected the key of a segment")
            return InSegment(document["segment"])
    return _test_from_json(document, place)


def condition_to_json(condition: Condition) -> dict[str, Any]:
    """Write a condition in the form that `condition_from_json` reads."""
    match condition:
        case Test(attribute, operator, value):
            written = {"attribute": attribute, "operator": operator}
            if operator in WITHOUT_VALUE:
                return written
            return {**written, "value": list(value) if operator in LISTS else value}
        case InSegment(segment):
            return {"segment": segment}
        case Every(conditions):
            return {"all": [condition_to_json(each) for each in conditions]}
        case Either(conditions):
            return {"any": [condition_to_json(each) for each in conditions]}
        case Negation(inner):
            return {"not": condition_to_json(inner)}


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """Give the conditions that a condition is directly made of."""
    match condition:
        case Every(conditions) | Either(conditions):
            return conditions
        case Negation(inner):
            return (inner,)
        case _:
            return ()


def segments_in(condition: Condition) -> Iterator[str]:
    """Name the saved segments that a condition refers to."""
    if isinstance(condition, InSegment):
        yield condition.segment
    for part in parts_of(condition):
        yield from segments_in(part)


def _test_from_json(document: dict[str, Any], place: str) -> Test:
    surplus = [name for name in document if name not in ("attribute", "operator", "value")]
    if surplus:
        raise ValueError(
            f"{place}.{surplus[0]}: unknown; expected all, any, not, segment, or attribute, operator, value"
        )
    attribute, operator, value = (document.get(name) for name in ("attribute", "operator", "value"))
    if not isinstance(attribute, str):
        raise ValueError(f"{place}.attribute: expected the name of an attribute")
    if not isinstance(operator, str):
        raise ValueError(f"{place}.operator: expected one of {' '.join(OPERATORS)}")
    try:
        return Test(attribute, operator, tuple(value) if isinstance(value, list) else value)
    except ValueError as problem:
        raise ValueError(f"{place}.{problem}") from problem


def _check_attribute(attribute: str) -> None:
    names = attribute.split(".")
    if not all(names) or attribute.startswith("$"):
        raise ValueError("attribute: expected the name of an attribute, such as country or company.size")
    if attribute in UNIT_NAMES:
        raise ValueError(f"attribute: {attribute!r} is the unit itself; name single units as overrides")
    if not _JAVASCRIPT_NAMES.isdisjoint(names):
        raise ValueError(f"attribute: {attribute!r} has another meaning in browsers")


def _check_parts(conditions: tuple[Condition, ...]) -> None:
    if not conditions:
        raise ValueError("expected at least one condition")


def _reach(attributes: Any, path: tuple[str, ...]) -> Any:
    """Follow a path of names through objects; where it leads nowhere, the attribute is missing."""
    for name in path:
        # `dict` first: it is what JSON gives, and asking for any other mapping takes ten times as long
        if not isinstance(attributes, dict) and not isinstance(attributes, Mapping):
            return None
        attributes = attributes.get(name)
    return attributes
