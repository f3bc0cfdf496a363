"""Pseudonyms: unit ids as keyed hashes, so that the database alone names nobody.

The same id always has the same pseudonym, so exposures, events and identities still join. The key lives
outside the database; whoever loses it can no longer find a person's rows, and whoever changes it begins with
new units. Assignment hashes the id itself: turning pseudonyms on moves nobody to another variant.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from experiments.errors import InvalidInput

LEAST_KEY = 32
"""Characters of a key; a short one can be guessed, and then the ids can."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Names units by HMAC-SHA256."""

    key: bytes

    def name(self, unit: str) -> str:
        """The pseudonym of a unit.

        Examples
        --------
        >>> Pseudonyms(b"a key that is long and random in earnest").name("alice@example.com")[:10]
        'p_8fddcdd3'
        """
        return f"p_{hmac.digest(self.key, unit.encode('utf-8', 'surrogatepass'), 'sha256').hex()}"

    def hide(self, value: Any, units: Collection[str]) -> Any:
        """Put pseudonyms in place of these ids wherever they stand in a value."""
        if isinstance(value, str):
            return self.name(value) if value in units else value
        if isinstance(value, dict):
            return {name: self.hide(part, units) for name, part in value.items()}
        if isinstance(value, list):
            return [self.hide(part, units) for part in value]
        return self.name(str(value)) if _is_number(value) and str(value) in units else value


def read_key(secret: str) -> Pseudonyms | None:
    """Make pseudonyms from the key that was set; None when none was.

    Raises
    ------
    InvalidInput
        If it is too short.
    """
    if not secret:
        return None
    if len(secret) < LEAST_KEY:
        raise InvalidInput.at(
            "EVENHAND_PSEUDONYM_KEY", f"is shorter than {LEAST_KEY} characters: make it long and random"
        )
    return Pseudonyms(secret.encode())


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
