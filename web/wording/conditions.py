"""Conditions in words: whom a segment or a targeting rule means."""

import json
from collections.abc import Callable
from typing import Any

from web.wording import numbers
from web.wording.language import gettext


def operator_words() -> list[tuple[str, str]]:
    """Every operator with what it is called, for a list to choose from."""
    return [(name, word()) for name, word in _OPERATORS.items()]


def condition_sentence(condition: Any) -> str:
    """Tell whom a condition means."""
    if "all" in condition:
        return _joined(gettext(" and "), condition["all"])
    if "any" in condition:
        return _joined(gettext(" or "), condition["any"])
    if "not" in condition:
        return gettext("not (%(condition)s)", condition=condition_sentence(condition["not"]))
    if "segment" in condition:
        return gettext("in the segment “%(name)s”", name=condition["segment"])
    return _test(condition)


def _joined(between: str, conditions: Any) -> str:
    """Brackets only around what itself joins several."""
    parts = [
        f"({condition_sentence(each)})" if _joins(each) and len(conditions) > 1 else condition_sentence(each)
        for each in conditions
    ]
    return between.join(parts)


def _joins(condition: Any) -> bool:
    return any(len(condition.get(name, ())) > 1 for name in ("all", "any"))


def _test(condition: Any) -> str:
    word = _OPERATORS[condition["operator"]]()
    value = condition.get("value")
    if value is None:
        return f"{condition['attribute']} {word}"
    many = value if isinstance(value, list) else [value]
    return f"{condition['attribute']} {word} {numbers.listed_or([_written(each) for each in many])}"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_OPERATORS: dict[str, Callable[[], str]] = {
    "eq": lambda: gettext("is"),
    "ne": lambda: gettext("is not"),
    "in": lambda: gettext("is one of"),
    "not_in": lambda: gettext("is none of"),
    "gt": lambda: gettext("is above"),
    "ge": lambda: gettext("is at least"),
    "lt": lambda: gettext("is below"),
    "le": lambda: gettext("is at most"),
    "exists": lambda: gettext("is known"),
    "not_exists": lambda: gettext("is not known"),
    "starts_with": lambda: gettext("begins with"),
    "ends_with": lambda: gettext("ends with"),
    "contains": lambda: gettext("contains"),
    "version_gt": lambda: gettext("is a version after"),
    "version_ge": lambda: gettext("is a version from"),
    "version_lt": lambda: gettext("is a version before"),
    "version_le": lambda: gettext("is a version up to"),
}
