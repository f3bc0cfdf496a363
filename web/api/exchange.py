"""Exchanges: a request and its answer as the quick doors know them, whatever server stands before them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from web.api.bodies import BodyRefused
from web.api.clients import HEADERS


class Call(NamedTuple):
    """A request.

    Attributes
    ----------
    path
        As decoded text.
    header
        Gives a header by its name in lower case.
    body
        What was sent, or why it was not taken.
    """

    method: str
    path: str
    header: Callable[[str], str | None]
    body: bytes | BodyRefused

    def read(self) -> bytes:
        """The body.

        Raises
        ------
        BodyRefused
            If it was not taken.
        """
        if isinstance(self.body, BodyRefused):
            raise self.body
        return self.body


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    detail: str = ""
    """What the answer is counted under, besides its status."""

    @cached_property
    def lines(self) -> list[tuple[str, str]]:
        """All headers, made once: an answer is given many times."""
        if not self.body:
            return list({**HEADERS, **dict(self.headers)}.items())
        about = {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        return list({**HEADERS, **about, **dict(self.headers)}.items())
