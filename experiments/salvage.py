"""Salvage: reading a body of JSON in which one message is poison, so that its neighbours are not lost.

Strict parsers give up on the whole text for one lone surrogate, one endless number or one bottomless nest.
Here each becomes a value that is refused where it stands.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

DEEPEST = 64
"""Levels that are read; anything below is cut out. No message that is nested half as deep can be stored."""

LONGEST_NUMBER = 400
"""Digits of a whole number that are read; a longer one is infinite."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def rescue(body: bytes) -> Any:
    """Decode what can be decoded.

    Raises
    ------
    ValueError
        If it is not JSON at all.
    """
    # Bytes that are no UTF-8 become lone surrogates.
    text = body.decode("utf-8-sig", "surrogateescape")
    return json.loads("".join(_shallow(text)), parse_int=_whole)


def _shallow(text: str) -> Iterator[str]:
    """The text without what lies too deep."""
    depth, kept = 0, 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in ("[", "{"):
            depth += 1
            if depth == DEEPEST + 1:
                yield text[kept : token.start()]
        elif mark in ("]", "}"):
            depth -= 1
            if depth == DEEPEST:
                yield "null"
                kept = token.end()
    if depth <= DEEPEST:
        yield text[kept:]


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else math.inf
