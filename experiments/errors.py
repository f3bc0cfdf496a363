"""What can go wrong in a use case.

::

    Exception
    └── EvenhandError             everything below; the message is one clear sentence for a person
        ├── InvalidInput          the input is wrong; names every place
        ├── NotFound              there is no such thing
        ├── Conflict              it exists already, or something else holds it
        │   └── Outdated          somebody else changed it since the asker looked
        ├── NotAllowed            the rules forbid this move, whoever asks
        ├── NotPermitted          this asker may not do it; names the scope that is missing
        ├── NotSignedIn           it is not known who asks
        └── Unavailable           the database cannot be used right now; nothing was stored, try again
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


class EvenhandError(Exception):
    """Anything a use case refuses."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it is, and what is expected there.

    ``parts`` are the steps to the place, where it is a place in a document: names and positions.
    """

    place: str
    message: str
    parts: tuple[str | int, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class InvalidInput(EvenhandError):
    """The input is wrong in one or more places."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))

    @classmethod
    def at(cls, place: str, message: str, *parts: str | int) -> "InvalidInput":
        """Name a single place, and the steps to it where the place is a sentence of its own."""
        return cls([Problem(place, message, parts)])


class NotFound(EvenhandError):
    """There is no such thing."""


class Conflict(EvenhandError):
    """It exists already, or something else holds it."""


class Outdated(Conflict):
    """Somebody else changed it since the asker looked."""


class NotAllowed(EvenhandError):
    """The rules forbid this move."""


class NotPermitted(EvenhandError):
    """Not for this asker; ``scope`` is what is missing."""

    def __init__(self, message: str, scope: str = "") -> None:
        super().__init__(message)
        self.scope = scope


class NotSignedIn(EvenhandError):
    """It is not known who asks: there is no session, or the token is not in force."""


class Unavailable(EvenhandError):
    """The database cannot be used right now. Nothing was stored; the same request may be sent again."""
