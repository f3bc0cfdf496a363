"""The ruleset: everything an evaluator needs to know, published as one immutable document.

A document is validated when it is written and once more when it is read, rule by rule, so that one broken
experiment is left out and reported and never stops the others.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from assignment.allocation import FULL_TRAFFIC, Range, allocate
from assignment.hashing import BUCKETS, HASH_VERSION, fnv1a32
from assignment.targeting import Condition, condition_from_json, condition_to_json

EXCLUDED = "excluded"
"""What a unit outside the experiment is told in place of a variant; no variant may be called so."""


class State(StrEnum):
    """What a rule does for the units it meets."""

    RUNNING = "running"
    SHIPPED = "shipped"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm: its key, its weight and the value that the client receives."""

    key: str
    weight: int
    value: Any = None


@dataclass(frozen=True)
class Layer:
    """A namespace in which experiments exclude each other."""

    key: str
    salt: str

    @cached_property
    def state(self) -> int:
        """The hash's state after the salt."""
        return fnv1a32(self.salt)


@dataclass(frozen=True)
class Holdout:
    """Units kept out of every experiment that honours it; ``share`` in basis points."""

    key: str
    salt: str
    share: int

    @cached_property
    def state(self) -> int:
        """The hash's state after the salt."""
        return fnv1a32(self.salt)


@dataclass(frozen=True)
class Rule:
    """One experiment as an evaluator sees it.

    ``slots`` are the buckets of its layer's hash that it holds; ``overrides`` name units for checking by
    hand and the variant each of them gets.
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

    @cached_property
    def salted(self) -> int:
        """The hash's state after the salt, so that a decision hashes the unit alone."""
        return fnv1a32(self.salt)

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """The buckets of each variant, in the order of ``variants``."""
        return allocate([variant.weight for variant in self.variants], self.traffic)

    @cached_property
    def by_key(self) -> Mapping[str, Variant]:
        """The variants by their keys."""
        return {variant.key: variant for variant in self.variants}


@dataclass(frozen=True)
class Ruleset:
    """An immutable published set of rules.

    ``broken`` holds the rules that could not be read, with the reason for each.
    """

    version: int = 0
    rules: Mapping[str, Rule] = field(default_factory=dict)
    layers: Mapping[str, Layer] = field(default_factory=dict)
    holdouts: Mapping[str, Holdout] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the rules alone: equal rules have equal digests in every version."""
        document = self.to_json()
        del document["version"]
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Write the document that `from_json` reads."""
        return {
            "version": self.version,
            "hash_version": HASH_VERSION,
            "layers": [{"key": each.key, "salt": each.salt} for each in self.layers.values()],
            "holdouts": [
                {"key": each.key, "salt": each.salt, "share": each.share} for each in self.holdouts.values()
            ],
            "rules": [_rule_to_json(rule) for rule in self.rules.values()],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Ruleset":
        """Read a document, leaving out and naming each rule that is broken.

        Raises
        ------
        ValueError
            If the document as a whole is not a ruleset that this version of the evaluator can read.
        """
        if document.get("hash_version") != HASH_VERSION:
            raise ValueError(f"hash_version: expected {HASH_VERSION}, not {document.get('hash_version')!r}")
        try:
            version = int(document["version"])
            layers = {each["key"]: Layer(each["key"], each["salt"]) for each in document["layers"]}
            holdouts = {
                each["key"]: Holdout(each["key"], each["salt"], each["share"])
                for each in document["holdouts"]
            }
            written = list(document["rules"])
        except (KeyError, TypeError) as problem:
            raise ValueError(f"not a ruleset: {problem}") from problem
        rules: dict[str, Rule] = {}
        broken: dict[str, str] = {}
        for position, each in enumerate(written):
            key = each.get("key") if isinstance(each, dict) else None
            try:
                rules[each["key"]] = _rule_from_json(each, layers, holdouts)
            except (KeyError, TypeError, ValueError, AttributeError) as problem:
                broken[str(key or f"rules.{position}")] = f"{type(problem).__name__}: {problem}"
        return cls(version, rules, layers, holdouts, broken)


def _rule_to_json(rule: Rule) -> dict[str, Any]:
    return {
        "key": rule.key,
        "phase": rule.phase,
        "salt": rule.salt,
        "unit": rule.unit_type,
        "state": str(rule.state),
        "shipped": rule.shipped,
        "control": rule.control,
        "traffic": rule.traffic,
        "variants": [{"key": each.key, "weight": each.weight, "value": each.value} for each in rule.variants],
        "targeting": None if rule.targeting is None else condition_to_json(rule.targeting),
        "overrides": dict(rule.overrides),
        "layer": rule.layer,
        "slots": [[slot.start, slot.end] for slot in rule.slots],
        "holdouts": list(rule.holdouts),
    }


def _rule_from_json(
    document: Mapping[str, Any], layers: Mapping[str, Layer], holdouts: Mapping[str, Holdout]
) -> Rule:
    targeting = document.get("targeting")
    rule = Rule(
        key=document["key"],
        salt=document["salt"],
        control=document["control"],
        variants=tuple(Variant(each["key"], each["weight"], each["value"]) for each in document["variants"]),
        phase=document["phase"],
        unit_type=document["unit"],
        state=State(document["state"]),
        shipped=document.get("shipped"),
        traffic=document["traffic"],
        targeting=None if targeting is None else condition_from_json(targeting),
        overrides=dict(document.get("overrides") or {}),
        layer=document.get("layer"),
        slots=tuple(Range(start, end) for start, end in document.get("slots") or ()),
        holdouts=tuple(document.get("holdouts") or ()),
    )
    _check(rule, layers, holdouts)
    return rule


def _check(rule: Rule, layers: Mapping[str, Layer], holdouts: Mapping[str, Holdout]) -> None:
    """Make sure that deciding by this rule cannot fail."""
    if not rule.salt:
        raise ValueError("salt: expected a text")
    if len(rule.by_key) != len(rule.variants):
        raise ValueError("variants: two have the same key")
    for name in (rule.control, *rule.overrides.values(), *([rule.shipped] if rule.shipped else [])):
        if name not in rule.by_key:
            raise ValueError(f"no variant is called {name!r}")
    if EXCLUDED in rule.by_key:
        raise ValueError(f"no variant may be called {EXCLUDED!r}")
    if rule.state is State.SHIPPED and rule.shipped is None:
        raise ValueError("shipped: expected the key of the variant that everybody gets")
    if rule.layer is not None and rule.layer not in layers:
        raise ValueError(f"layer {rule.layer!r} is not in the ruleset")
    for name in rule.holdouts:
        if name not in holdouts:
            raise ValueError(f"holdout {name!r} is not in the ruleset")
    if any(not 0 <= slot.start <= slot.end <= BUCKETS for slot in rule.slots):
        raise ValueError(f"slots: expected ranges within 0 … {BUCKETS}")
    len(rule.ranges)  # raises when weights or traffic are out of bounds
