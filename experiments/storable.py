"""What can be stored: values that every database keeps and every client reads back the same."""

import math
from typing import Any

LARGEST_INTEGER = 2**53
"""Beyond it JavaScript rounds whole numbers."""

LARGEST_NUMBER = 1e100
"""Largest value of an event: sums of squares over all units stay within the range of numbers."""


DEEPEST = 32
"""Levels of lists and objects."""


def unstorable(value: Any, depth: int = 0) -> str | None:
    """Say why a value of JSON cannot be kept by every database and read back the same; None when it can."""
    if depth > DEEPEST:
        return f"nested more than {DEEPEST} deep"
    kind = type(value)  # every fact of every message passes here: no subclasses, and the commonest first
    if kind is str:
        return unstorable_text(value)
    if kind is float:
        return None if math.isfinite(value) else "holds a number that is not finite"
    if kind is int:
        return "holds a whole number beyond ±2^53" if abs(value) > LARGEST_INTEGER else None
    if kind is dict:
        for name, part in value.items():
            if problem := unstorable_text(name) or unstorable(part, depth + 1):
                return problem
        return None
    if kind is list:
        for part in value:
            if problem := unstorable(part, depth + 1):
                return problem
        return None
    return None if value is None or kind is bool else f"holds a {kind.__name__}"


def unstorable_text(text: str) -> str | None:
    """Say the same of a text."""
    if "\0" in text:
        return "holds a NUL character"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds a lone surrogate"
    return None
