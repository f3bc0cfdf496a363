"""Assignment of whole arrays of units at once, with numpy: the same buckets as `decide`, found faster.

This is the one module of the room that needs more than the standard library, so the room's face does not
import it. It is for simulations, backfills and checks, where tens of millions of ids are placed.

How it is fast: ids are read as a matrix of characters and hashed column by column, so that each step of the
hash is one operation on a whole column; rows are taken in blocks that stay in the processor's cache. Rows
that do not fit this shape (astral characters, bytes beyond ASCII, very long ids) go through the scalar hash.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assignment.allocation import Range
from assignment.hashing import BUCKETS, bucket_after, fnv1a32
from assignment.rule import Rule, State
from assignment.ruleset import Ruleset

OUTSIDE = -1
"""The index of no variant: the unit is not in the experiment."""

_BLOCK = 16_384  # rows: states and scratch stay in a second-level cache, and numpy's cost per call is spread
_WIDEST = 512  # characters; a wider column of ids would be mostly padding
_PRIME = np.uint32(0x01000193)
_LOW = np.uint32(100_000)  # the second pass looks up the upper digits and walks the lower five
_ZERO = np.uint32(ord("0"))

_Words = NDArray[np.uint32]


def buckets(salt: str, units: NDArray[np.generic]) -> NDArray[np.uint16]:
    """Place every unit into its bucket, 0 to 9999, under a salt.

    Parameters
    ----------
    salt
        The salt of a rule, a layer or a holdout.
    units
        Ids, shape (n,): texts (dtype ``U`` or objects) or UTF-8 bytes (dtype ``S``). Fixed-width dtypes
        cannot hold an id that ends in NUL; objects can.

    Returns
    -------
    ndarray
        Shape (n,), equal to `assignment.bucket` of each unit.

    Raises
    ------
    TypeError
        If the units are no texts.
    ValueError
        If they are not one-dimensional, or bytes that are not UTF-8.

    Examples
    --------
    >>> buckets("exp-seed", np.array(["user-1", "user-2", "user-3"])).tolist()
    [2230, 2252, 407]
    """
    found: NDArray[np.uint16] = _buckets([salt], units)[0]
    return found


def assign_many(
    ruleset: Ruleset,
    key: str,
    units: NDArray[np.generic],
    *,
    targeted: NDArray[np.bool_] | None = None,
) -> NDArray[np.int16]:
    """Assign every unit in one experiment.

    Parameters
    ----------
    ruleset
        The published rules.
    key
        The experiment's key.
    units
        Ids, shape (n,): texts (dtype ``U`` or objects) or UTF-8 bytes (dtype ``S``).
    targeted
        Shape (n,), which units the rule's targeting means. An array of ids carries no attributes, so a rule
        with targeting needs it.

    Returns
    -------
    ndarray
        Shape (n,): the index of each unit's variant in ``rule.variants``, or -1 outside the experiment.
        Units that `decide` places by hand have the variant that it gives them.

    Raises
    ------
    KeyError
        If the ruleset has no such rule.
    ValueError
        If the rule has targeting and ``targeted`` is not given.

    Examples
    --------
    >>> from assignment import Rule, Variant
    >>> rule = Rule("checkout", "checkout", "old", (Variant("old", 1), Variant("new", 1)))
    >>> ruleset = Ruleset(rules={"checkout": rule})
    >>> assign_many(ruleset, "checkout", np.array(["42", "alice@example.com"])).tolist()
    [0, 1]
    """
    rule = ruleset.rules[key]
    if rule.state is State.STOPPED:
        return np.full(len(units), OUTSIDE, dtype=np.int16)
    if rule.shipped is not None and rule.state is State.SHIPPED:
        return np.full(len(units), _index_of(rule, rule.shipped), dtype=np.int16)
    if rule.targeting is not None and targeted is None:
        raise ValueError(f"{key} has targeting: say which units it means")

    gates = list(_gates(rule, ruleset))
    positions, *others = _buckets([rule.salt, *(salt for salt, _ in gates)], units)
    assigned: NDArray[np.int16] = _variant_of_bucket(rule)[positions]
    for (_, admitted), found in zip(gates, others, strict=True):
        assigned[~admitted[found]] = OUTSIDE
    if targeted is not None:
        assigned[~targeted] = OUTSIDE
    _place_by_hand(rule, units, positions, assigned)
    return assigned


def _index_of(rule: Rule, name: str) -> int:
    return next(index for index, variant in enumerate(rule.variants) if variant.key == name)


def _variant_of_bucket(rule: Rule) -> NDArray[np.int16]:
    table = np.full(BUCKETS, OUTSIDE, dtype=np.int16)
    for index, held in enumerate(rule.ranges):
        table[held.start : held.end] = index
    return table


def _gates(rule: Rule, ruleset: Ruleset) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Give the salt of each layer and holdout with the buckets that it lets through."""
    for name in rule.holdouts:
        holdout = ruleset.holdouts[name]
        yield holdout.salt, _admits((Range(holdout.share, BUCKETS),))
    if rule.layer is not None:
        yield ruleset.layers[rule.layer].salt, _admits(rule.slots)


def _admits(ranges: tuple[Range, ...]) -> NDArray[np.bool_]:
    table = np.zeros(BUCKETS, dtype=np.bool_)
    for each in ranges:
        table[each.start : each.end] = True
    return table


def _place_by_hand(
    rule: Rule, units: NDArray[np.generic], positions: NDArray[np.uint16], assigned: NDArray[np.int16]
) -> None:
    """Put overridden units where they belong and leave out empty ids, which name nobody."""
    placed = {unit: _index_of(rule, name) for unit, name in rule.overrides.items()} | {"": OUTSIDE}
    # Comparing texts is slow, so only units that share a bucket with one of these are looked at.
    suspected = np.zeros(BUCKETS, dtype=np.bool_)
    suspected[[bucket_after(rule.salted, unit) for unit in placed]] = True
    for row in np.flatnonzero(suspected[positions]):
        assigned[row] = placed.get(_text(units[row]), assigned[row])


def _text(unit: object) -> str:
    if isinstance(unit, bytes):
        return unit.decode()
    if not isinstance(unit, str):
        raise TypeError(f"expected texts, not {type(unit).__name__}")
    return str(unit)


def _buckets(salts: list[str], units: NDArray[np.generic]) -> NDArray[np.uint16]:
    """Place every unit under every salt; the ids are read once for all of them."""
    states = [fnv1a32(salt) for salt in salts]
    found = np.empty((len(salts), len(units)), dtype=np.uint16)
    for start, block in _blocks(units):
        characters, odd = _characters(block)
        unfinished = _unfinished(characters)
        for row, state in zip(found[:, start : start + len(block)], states, strict=True):
            row[:] = _remainder(_digits_hashed(_hashed(state, characters, unfinished)))
            row[odd] = [bucket_after(state, _text(block[each])) for each in odd]
    return found


def _blocks(units: NDArray[np.generic]) -> Iterator[tuple[int, NDArray[np.generic]]]:
    if units.ndim != 1:
        raise ValueError(f"expected one dimension, not {units.ndim}")
    if units.dtype.kind not in "SUOT":
        raise TypeError(f"expected an array of texts, not of {units.dtype}")
    for start in range(0, len(units), _BLOCK):
        yield start, units[start : start + _BLOCK]


def _characters(block: NDArray[np.generic]) -> tuple[_Words, NDArray[np.intp]]:
    """Give the code units, one column for each row of the block, and the rows that have no such column."""
    odd = np.empty(0, dtype=np.intp)
    if block.dtype.kind in "OT":
        block, odd = _fixed_width(block)
    element, simple = (np.uint32, 0xFFFF) if block.dtype.kind == "U" else (np.uint8, 0x7F)
    width = block.dtype.itemsize // np.dtype(element).itemsize
    if width > _WIDEST:
        return np.empty((0, len(block)), dtype=np.uint32), np.arange(len(block))
    native = np.ascontiguousarray(block, dtype=block.dtype.newbyteorder("="))
    matrix: NDArray[Any] = native.view(element).reshape(len(block), width)
    largest = int(matrix.max(initial=0))
    if largest > simple:
        odd = np.union1d(odd, np.flatnonzero((matrix > simple).any(axis=1)))
    elif largest <= 0xFF:
        matrix = matrix.astype(np.uint8, copy=False)  # a quarter of the bytes are turned in half the time
    used = width
    while used and not matrix[:, used - 1].any():
        used -= 1
    return np.ascontiguousarray(matrix.T[:used], dtype=np.uint32), odd


def _fixed_width(block: NDArray[np.generic]) -> tuple[NDArray[np.generic], NDArray[np.intp]]:
    """Turn objects into one width; texts that would lose something by it are replaced and named as odd."""
    texts = [_text(unit) for unit in block.tolist()]
    odd = [row for row, text in enumerate(texts) if len(text) > _WIDEST or text.endswith("\0")]
    for row in odd:
        texts[row] = ""
    return np.array(texts, dtype=np.str_), np.array(odd, dtype=np.intp)


def _hashed(state: int, characters: _Words, unfinished: dict[int, NDArray[np.bool_]]) -> _Words:
    """Hash column by column; a row stops where its id ends, which is where only padding is left."""
    hashed = np.full(characters.shape[1], state, dtype=np.uint32)
    for position, column in enumerate(characters):
        if position not in unfinished:
            hashed ^= column
            hashed *= _PRIME
        else:
            np.copyto(hashed, (hashed ^ column) * _PRIME, where=unfinished[position])
    return hashed


def _unfinished(characters: _Words) -> dict[int, NDArray[np.bool_]]:
    """Say for each position where some ids have ended which rows go on."""
    found: dict[int, NDArray[np.bool_]] = {}
    going_on = np.zeros(characters.shape[1], dtype=np.bool_)
    for position in range(len(characters) - 1, -1, -1):
        going_on = going_on | (characters[position] != 0)
        if going_on.all():
            break
        found[position] = going_on
    return found


def _digits_hashed(numbers: _Words) -> _Words:
    """Hash the decimal digits of 32-bit numbers, without ever writing them."""
    upper = numbers // _LOW
    lower = numbers - upper * _LOW
    hashed: _Words = _upper_digits_hashed()[upper]
    for power in (10_000, 1_000, 100, 10, 1):
        digit = lower // np.uint32(power)
        lower -= digit * np.uint32(power)
        digit += _ZERO
        hashed ^= digit
        hashed *= _PRIME
    for row in np.flatnonzero(upper == 0):  # fewer than six digits: one number in 43,000
        hashed[row] = fnv1a32(str(numbers[row]))
    return hashed


@cache
def _upper_digits_hashed() -> _Words:
    """The hash's state after the digits above the lower five, for each number that they can form."""
    highest = 0xFFFFFFFF // int(_LOW)
    return np.array([fnv1a32(str(upper)) for upper in range(highest + 1)], dtype=np.uint32)


def _remainder(hashed: _Words) -> NDArray[np.uint16]:
    # Division by a constant is vectorised in numpy, the remainder is not.
    hashed -= hashed // np.uint32(BUCKETS) * np.uint32(BUCKETS)
    return hashed.astype(np.uint16)
