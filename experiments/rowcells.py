"""Row cells: what stands in one row of a file, read carefully, with a reason for whatever is wrong.

Every function raises ``ValueError``, naming the column and what it expects there.
"""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from experiments.message_times import parse_time
from experiments.messages import MAX_ID
from experiments.storable import LARGEST_NUMBER, unstorable

SHORT = 500
"""Characters of a JSON text that is remembered: the same few attributes come again and again."""

Row = Mapping[str, Any]


def identity_in(row: Row, column: str) -> str | None:
    """An id; a whole number is one, too."""
    value = row.get(column)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_in(row, column, MAX_ID)


def text_in(row: Row, column: str, longest: int) -> str | None:
    """A text that every database can keep; None for an empty one."""
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{column}: expected a text of at most {longest} characters")
    if problem := unstorable(value):
        raise ValueError(f"{column}: {problem}")
    return value


def moment_in(row: Row) -> datetime:
    """When it happened."""
    moment = parse_time(row.get("timestamp"))
    if moment is None:
        raise ValueError(
            f"timestamp: {shown(row.get('timestamp'))} is not ISO 8601, such as 2026-03-15T09:30:00Z"
        )
    return moment


def number_in(row: Row) -> float | None:
    """A value; None for an empty one."""
    value = row.get("value")
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise ValueError(f"value: {value} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise ValueError(f"value: {shown(value)} is not a number") from None
    if not abs(number) <= LARGEST_NUMBER:
        raise ValueError(f"value: {shown(value)} is beyond the range of numbers")
    return number


def document_in(row: Row, column: str) -> str | None:
    """An object, written as JSON without blanks; None for an empty one."""
    try:
        return written(row.get(column))
    except ValueError as problem:
        raise ValueError(f"{column}: {problem}") from None


def written(value: Any) -> str | None:
    """Write an object, or the JSON text of one, as the ledger keeps it."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _remembered(value) if len(value) <= SHORT else _rewritten(value)
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    if problem := unstorable(value):
        raise ValueError(problem)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None


def _rewritten(text: str) -> str | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as unreadable:
        raise ValueError(f"not JSON: {unreadable}") from None
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return written(value)


_remembered = lru_cache(maxsize=4_096)(_rewritten)


def shown(value: Any) -> str:
    """A wrong value as a message shows it: quoted, and no longer than a line."""
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        text = "a number of very many digits"
    return text if len(text) <= 80 else f"{text[:80]}…"
