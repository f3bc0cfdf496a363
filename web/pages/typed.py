"""Typed text: what people write into fields, read the same way on every page."""

import json
import math
from typing import Any

LARGEST = 1e12
"""Beyond this nobody means what was typed."""


def read_number(text: str) -> float | None:
    """Read a number with a point or a comma, a per cent sign allowed; None where it is none.

    Examples
    --------
    >>> read_number(" 7,5% "), read_number("NaN"), read_number("")
    (7.5, None, None)
    """
    try:
        number = float(text.strip().removesuffix("%").replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) < LARGEST else None


def read_count(text: str) -> int | None:
    """Read a count such as a revision, as our own pages send it; None where it is none.

    Examples
    --------
    >>> read_count("12"), read_count("-1"), read_count("")
    (12, None, None)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def listed(text: str) -> list[str]:
    """Read names separated by commas, as either language writes them.

    Examples
    --------
    >>> listed("ios, android，web、 ")
    ['ios', 'android', 'web']
    """
    return [part.strip() for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()]


def scalar(text: str) -> Any:
    """Read a number, true or false, or a text in quotes; anything else is the text itself.

    Examples
    --------
    >>> scalar("18"), scalar('"18"'), scalar("NO")
    (18, '18', 'NO')
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str | int | float | bool) else text
