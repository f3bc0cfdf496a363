"""What can be stored: values that every database keeps and every client reads back the same."""

import math
from typing import Any

LARGEST_INTEGER = 2**53
"""Beyond it JavaScript rounds whole numbers."""

LARGEST_NUMBER = 1e100
"""Largest value of an event: sums of squares over all units stay within the range of numbers."""


def unstorable(value: Any, depth: int = 0) -> str | None:
    """Say why a value cannot be kept by every database and read back the same; None when it can."""
    if depth > 32:
        return "nested more than 32 deep"
    if isinstance(value, str):  # every message passes here, and patterns would take twice as long
        return unstorable_text(value)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return "holds a whole number beyond ±2^53" if abs(value) > LARGEST_INTEGER else None
    if isinstance(value, float):
        return None if math.isfinite(value) else "holds a number that is not finite"
    if isinstance(value, dict):
        for name, part in value.items():
            if problem := unstorable(name) or unstorable(part, depth + 1):
                return problem
        return None
    if isinstance(value, list):
        for part in value:
            if problem := unstorable(part, depth + 1):
                return problem
        return None
    return f"holds a {type(value).__name__}"


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
