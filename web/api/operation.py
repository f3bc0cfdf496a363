"""An operation: one method of one door, as the description tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Access(StrEnum):
    """Who may use a door."""

    EVERYBODY = "everybody"
    ANY_KEY = "a server or client key"
    SERVER_KEY = "a server key"
    CLIENT_KEY = "a client key in the path"
    SESSION = "a signed-in person"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one door.

    ``body`` and ``answer`` are examples; ``schema`` describes the body; ``statuses`` are the answers worth
    knowing, by status.
    """

    method: str
    path: str
    name: str
    summary: str
    detail: str
    access: Access
    statuses: Mapping[int, str]
    schema: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
