"""Batches of a thousand events with bad ones in chosen places."""

import json
from collections.abc import Collection
from typing import Any

from experiments.messages import parse_body
from tests.faults.killing import message
from tests.samples import NOW

MOST = 1_000

BAD: list[Any] = [
    None,
    [],
    "text",
    {"type": "track"},
    {"type": "track", "event": "e", "userId": "u\0"},
    {"type": "track", "event": "e", "userId": "u", "messageId": 5},
    {"type": "track", "event": "e", "userId": "u", "timestamp": "yesterday"},
    {"type": "track", "event": "e", "userId": "u", "properties": {"n": 2**60}},
    {"type": "track", "event": "e", "userId": "\ud800"},
]

_GOOD = [json.dumps(message(f"m{number}")) for number in range(MOST)]
_BAD = [json.dumps(each) for each in BAD]


def left_of(bad: Collection[int]) -> tuple[int, list[int]]:
    """Parse a full batch with bad events in these places.

    Returns
    -------
    tuple[int, list[int]]
        How many good events came through, and the places of those that were rejected.
    """
    wrong = set(bad)
    written = [_BAD[place % len(_BAD)] if place in wrong else _GOOD[place] for place in range(MOST)]
    body = f'{{"batch": [{",".join(written)}]}}'.encode()
    parsed = parse_body(body, implied_type=None, received_at=NOW)
    expected = {f"m{place}" for place in range(MOST) if place not in wrong}
    through = {each.message_id for each in parsed.records}
    return len(through & expected), [each.index for each in parsed.rejected]


def every_place() -> int:
    """Try one bad event in every place; how many batches lost a neighbour or took the bad one."""
    return sum(left_of([place]) != (MOST - 1, [place]) for place in range(MOST))
