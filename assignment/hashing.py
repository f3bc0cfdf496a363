"""The hash: which of ten thousand buckets a unit falls into under a salt.

Version 2 is FNV-1a over UTF-16 code units, applied twice. It is, bit for bit, the hash that GrowthBook
clients call ``hashVersion: 2``, so any of those clients places a unit exactly where this server does.
A published version never changes: its vectors are frozen tests.
"""

from collections.abc import Sequence

HASH_VERSION = 2
BUCKETS = 10_000

_OFFSET_BASIS = 0x811C9DC5
_PRIME = 0x01000193
_WORD = 0xFFFFFFFF


def fnv1a32(text: str, state: int = _OFFSET_BASIS) -> int:
    """Hash the UTF-16 code units of a text to 32 bits with FNV-1a.

    Parameters
    ----------
    text
        Any string, lone surrogates included.
    state
        Where to go on from: ``fnv1a32(b, fnv1a32(a)) == fnv1a32(a + b)``, so the state after a salt
        can be kept and only the unit's id is hashed on each decision.

    References
    ----------
    Fowler, Noll, Vo, Eastlake: *The FNV Non-Cryptographic Hash Algorithm*, RFC 9923.

    Examples
    --------
    >>> fnv1a32("")
    2166136261
    >>> fnv1a32("user-1", fnv1a32("exp-")) == fnv1a32("exp-user-1")
    True
    """
    for unit in _code_units(text):
        state = (state ^ unit) * _PRIME & _WORD
    return state


def bucket(salt: str, unit: str) -> int:
    """Place a unit into a bucket, 0 to 9999, under a salt.

    Examples
    --------
    >>> bucket("checkout", "42")
    4063
    """
    return bucket_after(fnv1a32(salt), unit)


def bucket_after(state: int, unit: str) -> int:
    """Place a unit into a bucket when the state after its salt is already known.

    The second pass over the decimal digits spreads what one FNV pass leaves correlated between ids that
    differ in their last characters only.
    """
    return fnv1a32(str(fnv1a32(unit, state))) % BUCKETS


def _code_units(text: str) -> Sequence[int]:
    if text.isascii():
        return text.encode()
    pairs = text.encode("utf-16-le", "surrogatepass")
    return [low | high << 8 for low, high in zip(pairs[::2], pairs[1::2], strict=True)]
