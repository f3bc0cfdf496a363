"""Layers and holdouts: which experiments a unit may be in at all.

Both are a salt and a part of its buckets. A layer is shared out in slots, so that two experiments that must
not meet never share a unit; a holdout keeps its units out of every experiment that honours it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from assignment.allocation import FULL_TRAFFIC, Range, overlaps
from assignment.hashing import bucket_after, fnv1a32
from assignment.reading import text, whole
from assignment.rule import Rule, State


@dataclass(frozen=True)
class Layer:
    """A namespace in which experiments exclude each other."""

    key: str
    salt: str

    @cached_property
    def salted(self) -> int:
        """The hash's state after the salt."""
        return fnv1a32(self.salt)

    def position(self, unit: str) -> int:
        """Give the unit's bucket in this layer.

        Examples
        --------
        >>> Layer("pricing", salt="layer-1").position("user-7")
        4897
        """
        return bucket_after(self.salted, unit)

    def to_json(self) -> dict[str, Any]:
        """Write the document that `from_json` reads."""
        return {"key": self.key, "salt": self.salt}

    @classmethod
    def from_json(cls, document: Any) -> "Layer":
        """Read a layer, or raise `ValueError` naming what is wrong."""
        return cls(text(document, "key"), text(document, "salt"))


@dataclass(frozen=True)
class Holdout:
    """Units kept out of every experiment that honours it; ``share`` in basis points of all units."""

    key: str
    salt: str
    share: int

    def __post_init__(self) -> None:
        if not 0 <= self.share <= FULL_TRAFFIC:
            raise ValueError(f"share: expected 0 to {FULL_TRAFFIC} basis points, not {self.share}")

    @cached_property
    def salted(self) -> int:
        """The hash's state after the salt."""
        return fnv1a32(self.salt)

    def keeps_out(self, unit: str) -> bool:
        """Say whether the unit is held out.

        Examples
        --------
        >>> Holdout("2026", salt="exp-seed", share=500).keeps_out("user-3")
        True
        """
        return bucket_after(self.salted, unit) < self.share

    def to_json(self) -> dict[str, Any]:
        """Write the document that `from_json` reads."""
        return {"key": self.key, "salt": self.salt, "share": self.share}

    @classmethod
    def from_json(cls, document: Any) -> "Holdout":
        """Read a holdout, or raise `ValueError` naming what is wrong."""
        return cls(text(document, "key"), text(document, "salt"), whole(document, "share"))


@dataclass(frozen=True, slots=True)
class SlotConflict:
    """Two running experiments that hold the same buckets of a layer."""

    layer: str
    one: str
    other: str
    buckets: Range


def slot_conflicts(rules: Iterable[Rule]) -> tuple[SlotConflict, ...]:
    """Find running experiments whose slots overlap: publishing refuses a ruleset that has any.

    Examples
    --------
    >>> from assignment.rule import Variant
    >>> arms = (Variant("old", 1), Variant("new", 1))
    >>> a = Rule("a", "s1", "old", arms, layer="pricing", slots=(Range(0, 6_000),))
    >>> b = Rule("b", "s2", "old", arms, layer="pricing", slots=(Range(5_000, 10_000),))
    >>> slot_conflicts([a, b])[0].buckets
    Range(start=5000, end=6000)
    """
    held = [
        (rule, slot)
        for rule in rules
        if rule.state is State.RUNNING and rule.layer is not None
        for slot in rule.slots
    ]
    return tuple(
        SlotConflict(
            str(one.layer), one.key, other.key, Range(max(mine.start, its.start), min(mine.end, its.end))
        )
        for (one, mine), (other, its) in combinations(held, 2)
        if one.key != other.key and one.layer == other.layer and overlaps(mine, its)
    )
