"""What can go wrong in a use case.

::

    Exception
    └── EvenhandError             everything below; the message is one clear sentence for a person
        ├── InvalidInput          the input is wrong; names every place
        ├── NotFound              there is no such thing
        ├── Conflict              it exists already, or somebody else changed it meanwhile
        ├── NotAllowed            the rules forbid this move, whoever asks
        └── Unavailable           the database cannot be used right now; nothing was stored, try again
"""

from collections.abc import Sequence
from dataclasses import dataclass


class EvenhandError(Exception):
    """Anything a use case refuses."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it is, and what is expected there."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class InvalidInput(EvenhandError):
    """The input is wrong in one or more places."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    @classmethod
    def at(cls, place: str, message: str) -> "InvalidInput":
        """Name a single place."""
        return cls([Problem(place, message)])


class NotFound(EvenhandError):
    """There is no such thing."""


class Conflict(EvenhandError):
    """It exists already, or somebody else changed it meanwhile."""


class NotAllowed(EvenhandError):
    """The rules forbid this move."""


class Unavailable(EvenhandError):
    """The database cannot be used right now. Nothing was stored; the same request may be sent again."""
