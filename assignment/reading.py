"""Reading members of a JSON document with their types: the gate before everything that computes.

Behind this gate nothing checks a type again. Every refusal is a `ValueError` that names the place.
"""

from collections.abc import Mapping
from typing import Any


def member_of(document: Any, name: str) -> Any:
    """Read a member that must be there.

    Examples
    --------
    >>> member_of({"salt": "s"}, "salt")
    's'
    """
    if not isinstance(document, Mapping):
        raise ValueError(f"expected an object, not {type(document).__name__}")
    if name not in document:
        raise ValueError(f"{name}: missing")
    return document[name]


def text(document: Any, name: str) -> str:
    """Read a text that is not empty."""
    found = member_of(document, name)
    if not isinstance(found, str) or not found:
        raise ValueError(f"{name}: expected a text")
    return found


def text_or_none(document: Any, name: str) -> str | None:
    """Read a text that may be null or left out."""
    return None if document.get(name) is None else text(document, name)


def whole(document: Any, name: str) -> int:
    """Read a whole number: 1 is one, 1.0 and true are not.

    Examples
    --------
    >>> whole({"traffic": 5_000}, "traffic")
    5000
    """
    found = member_of(document, name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise ValueError(f"{name}: expected a whole number")
    return found


def items(document: Any, name: str) -> list[Any]:
    """Read a list; null and a missing member are an empty one."""
    found = document.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise ValueError(f"{name}: expected a list")
    return found


def texts(document: Any, name: str) -> tuple[str, ...]:
    """Read a list of texts."""
    found = items(document, name)
    if not all(isinstance(each, str) for each in found):
        raise ValueError(f"{name}: expected a list of texts")
    return tuple(found)


def texts_by_name(document: Any, name: str) -> dict[str, str]:
    """Read an object whose members are all texts; null and a missing member are an empty one."""
    found = document.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in (*found, *found.values())):
        raise ValueError(f"{name}: expected an object of texts")
    return dict(found)
