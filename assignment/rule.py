"""The rule: one experiment as an evaluator sees it.

A rule checks itself when it is made, so every rule that exists can be decided by.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from assignment.allocation import FULL_TRAFFIC, Range, allocate
from assignment.hashing import BUCKETS, fnv1a32
from assignment.reading import items, text, text_or_none, texts, texts_by_name, whole
from assignment.targeting import Condition, condition_from_json, condition_to_json

EXCLUDED = "excluded"
"""What a unit outside the experiment is told in place of a variant; no variant may be called so."""

UNIT_TYPES = ("user_id", "anonymous_id")
"""Whom a rule can assign: people who signed in, or browsers and devices."""


class State(StrEnum):
    """What a rule does for the units it meets."""

    RUNNING = "running"
    SHIPPED = "shipped"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm: its key, its weight and the value that the client receives, which is any JSON."""

    key: str
    weight: int
    value: Any = None

    def __post_init__(self) -> None:
        try:
            json.dumps(self.value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as problem:
            # One NaN would make the whole payload unreadable to every browser.
            raise ValueError(f"variant {self.key!r}: the value is not JSON: {problem}") from problem


@dataclass(frozen=True)
class Rule:
    """One experiment as an evaluator sees it.

    ``slots`` are the buckets of its layer's hash that it holds; ``overrides`` name units for checking by
    hand and the variant each of them gets.

    Raises
    ------
    ValueError
        If a decision by this rule could fail, naming the part that is wrong.
    """

    key: str
    salt: str
    control: str
    variants: tuple[Variant, ...]
    phase: int = 1
    unit_type: str = "user_id"
    state: State = State.RUNNING
    shipped: str | None = None
    traffic: int = FULL_TRAFFIC
    targeting: Condition | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    layer: str | None = None
    slots: tuple[Range, ...] = ()
    holdouts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(problem)

    @cached_property
    def salted(self) -> int:
        """The hash's state after the salt, so that a decision hashes the unit alone."""
        return fnv1a32(self.salt)

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """The buckets of each variant, in the order of ``variants``."""
        return allocate([variant.weight for variant in self.variants], self.traffic)

    @cached_property
    def homes(self) -> tuple[tuple[str, Range], ...]:
        """Each variant's key with its buckets."""
        return tuple(zip((variant.key for variant in self.variants), self.ranges, strict=True))

    @cached_property
    def by_key(self) -> Mapping[str, Variant]:
        """The variants by their keys."""
        return {variant.key: variant for variant in self.variants}

    def to_json(self) -> dict[str, Any]:
        """Write the document that `from_json` reads."""
        return {
            "key": self.key,
            "phase": self.phase,
            "salt": self.salt,
            "unit": self.unit_type,
            "state": str(self.state),
            "shipped": self.shipped,
            "control": self.control,
            "traffic": self.traffic,
            "variants": [
                {"key": each.key, "weight": each.weight, "value": each.value} for each in self.variants
            ],
            "targeting": None if self.targeting is None else condition_to_json(self.targeting),
            "overrides": dict(self.overrides),
            "layer": self.layer,
            "slots": [[slot.start, slot.end] for slot in self.slots],
            "holdouts": list(self.holdouts),
        }

    @classmethod
    def from_json(cls, document: Any) -> "Rule":
        """Read a rule, or say what is wrong with it.

        Raises
        ------
        ValueError
            Naming the member and what is expected there.
        """
        key = text(document, "key")
        targeting = document.get("targeting")
        return cls(
            key=key,
            salt=text(document, "salt"),
            control=text(document, "control"),
            variants=tuple(_variant_from_json(each) for each in items(document, "variants")),
            phase=whole(document, "phase"),
            unit_type=text(document, "unit"),
            state=_state_from_json(document),
            shipped=text_or_none(document, "shipped"),
            traffic=whole(document, "traffic"),
            targeting=None if targeting is None else condition_from_json(targeting),
            overrides=texts_by_name(document, "overrides"),
            layer=text_or_none(document, "layer"),
            slots=tuple(_slot_from_json(each) for each in items(document, "slots")),
            holdouts=texts(document, "holdouts"),
        )


def _variant_from_json(document: Any) -> Variant:
    return Variant(text(document, "key"), whole(document, "weight"), document.get("value"))


def _state_from_json(document: Any) -> State:
    written = text(document, "state")
    if written not in tuple(State):
        raise ValueError(f"state: expected one of {' '.join(State)}")
    return State(written)


def _slot_from_json(document: Any) -> Range:
    match document:
        case [int(start), int(end)] if not isinstance(start, bool) and not isinstance(end, bool):
            return Range(start, end)
    raise ValueError("slots: expected pairs of whole numbers, [start, end]")


def _problems(rule: Rule) -> Iterator[str]:
    """Name everything that would let a decision by this rule fail or mislead."""
    if not rule.salt:
        yield "salt: expected a text"
    if rule.unit_type not in UNIT_TYPES:
        yield f"unit: expected one of {' '.join(UNIT_TYPES)}"
    yield from _problems_of_variants(rule)
    if rule.state is State.SHIPPED and rule.shipped is None:
        yield "shipped: expected the key of the variant that everybody gets"
    if rule.slots and rule.layer is None:
        yield "slots: are held in a layer, and none is named"
    if any(not 0 <= slot.start <= slot.end <= BUCKETS for slot in rule.slots):
        yield f"slots: expected ranges within 0 … {BUCKETS}"


def _problems_of_variants(rule: Rule) -> Iterator[str]:
    keys = [variant.key for variant in rule.variants]
    if len(keys) < 2:
        yield "variants: expected at least two"
    if len(set(keys)) < len(keys):
        yield "variants: two have the same key"
    if EXCLUDED in keys:
        yield f"variants: none may be called {EXCLUDED!r}"
    for name in (rule.control, *rule.overrides.values(), *([rule.shipped] if rule.shipped else [])):
        if name not in keys:
            yield f"no variant is called {name!r}"
    try:
        allocate([variant.weight for variant in rule.variants], rule.traffic)
    except ValueError as problem:
        yield str(problem)
