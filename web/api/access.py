"""Access: which key a request carries, wherever its client puts it."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping

from experiments.people import ApiKey, KeySecret

MOST_REMEMBERED = 1_000
"""Headers that a keyring remembers."""


def resolve(keys: Mapping[str, KeySecret], candidates: Iterable[str | None]) -> ApiKey | None:
    """Find the key that one of the texts opens.

    Parameters
    ----------
    keys
        The keys in force, by prefix.
    candidates
        Texts that may be keys, from headers, the path or the body.
    """
    for text in candidates:
        if not text:
            continue
        held = keys.get(_prefix(text))
        if held is not None and held.opens_with(text):
            return held.key
    return None


class Keyring:
    """The keys in force, and which headers opened which of them lately: a client sends the same ones again.

    Only headers that opened a key are remembered, and no more than a bounded number of them.
    """

    def __init__(self, keys: Mapping[str, KeySecret]) -> None:
        self._keys = keys
        self._opened: dict[tuple[str | None, str | None], ApiKey] = {}

    def opened_by(self, authorization: str | None, api_key: str | None) -> ApiKey | None:
        """Find the key that one of the two headers opens."""
        headers = (authorization, api_key)
        known = self._opened.get(headers)
        if known is None:
            known = resolve(self._keys, presented(*headers))
            if known is not None and len(self._opened) < MOST_REMEMBERED:
                self._opened[headers] = known
        return known


def presented(authorization: str | None, api_key: str | None) -> Iterator[str | None]:
    """The texts in a request's headers that may be keys: bearer, Basic user name, X-API-Key."""
    if authorization:
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() == "bearer":
            yield rest.strip()
        elif scheme.lower() == "basic":
            yield _basic_user(rest)
    yield api_key


def _basic_user(encoded: str) -> str | None:
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return decoded.partition(":")[0]


def _prefix(text: str) -> str:
    """The visible part of a key: ``eh_<kind>_<id>``. The secret after it may hold underscores itself."""
    return "_".join(text.split("_")[:3])
