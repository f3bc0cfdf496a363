"""The ruleset: everything an evaluator needs to know, published as one immutable document.

A document is validated when it is written and once more when it is read, rule by rule, so that one broken
experiment is left out and reported and never stops the others. What a rule refers to (a layer, a holdout, a
segment) is read the same way, and a rule that refers to a broken one is itself broken: it would be wrong to
assign units while ignoring the holdout that was to keep them out.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from assignment.hashing import HASH_VERSION
from assignment.layers import Holdout, Layer
from assignment.reading import items, member_of, text, whole
from assignment.rule import Rule
from assignment.segments import Extent, extent, measure
from assignment.targeting import Condition, condition_from_json, condition_to_json

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Ruleset:
    """An immutable published set of rules.

    ``segments`` are the saved conditions that targeting may name. ``broken`` holds the rules that could not
    be read, with the reason for each; a rule whose key could not be read stands under its place.

    Raises
    ------
    ValueError
        If a rule refers to something that is not in the ruleset, so that deciding by it would fail.
    """

    version: int = 0
    rules: Mapping[str, Rule] = field(default_factory=dict)
    layers: Mapping[str, Layer] = field(default_factory=dict)
    holdouts: Mapping[str, Holdout] = field(default_factory=dict)
    segments: Mapping[str, Condition] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        extents, unusable = measure(self.segments)
        for key, reason in unusable.items():
            raise ValueError(f"segments.{key}: {reason}")
        for key, rule in self.rules.items():
            if key != rule.key:
                raise ValueError(f"rules.{key}: the rule's own key is {rule.key!r}")
            try:
                _check_references(rule, self.layers, self.holdouts, extents)
            except ValueError as problem:
                raise ValueError(f"rules.{key}: {problem}") from problem

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the rules alone: equal rules have equal digests in every version."""
        document = self.to_json()
        del document["version"]
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Write the document that `from_json` reads."""
        return {
            "version": self.version,
            "hash_version": HASH_VERSION,
            "layers": [each.to_json() for each in self.layers.values()],
            "holdouts": [each.to_json() for each in self.holdouts.values()],
            "segments": [
                {"key": key, "condition": condition_to_json(condition)}
                for key, condition in self.segments.items()
            ],
            "rules": [rule.to_json() for rule in self.rules.values()],
        }

    @classmethod
    def from_json(cls, document: Any) -> "Ruleset":
        """Read a document, leaving out and naming each rule that is broken.

        Raises
        ------
        ValueError
            If the document as a whole is not a ruleset that this version of the evaluator can read.
        """
        if member_of(document, "hash_version") != HASH_VERSION:
            raise ValueError(f"hash_version: expected {HASH_VERSION}, not {document['hash_version']!r}")
        version = whole(document, "version")
        layers, _ = _read_each(items(document, "layers"), "layers", Layer.from_json)
        holdouts, _ = _read_each(items(document, "holdouts"), "holdouts", Holdout.from_json)
        written, _ = _read_each(items(document, "segments"), "segments", _segment_from_json)
        extents, _ = measure(written)
        segments = {key: condition for key, condition in written.items() if key in extents}

        def rule_from_json(each: Any) -> Rule:
            rule = Rule.from_json(each)
            _check_references(rule, layers, holdouts, extents)
            return rule

        rules, broken = _read_each(items(document, "rules"), "rules", rule_from_json)
        return cls(version, rules, layers, holdouts, segments, broken)


def _read_each(
    documents: Iterable[Any], place: str, read: Callable[[Any], _Part]
) -> tuple[dict[str, _Part], dict[str, str]]:
    """Read every part that can be read, by its key; give the reasons for the others."""
    good: dict[str, _Part] = {}
    broken: dict[str, str] = {}
    for position, document in enumerate(documents):
        name = f"{place}.{position}"
        try:
            name = text(document, "key")
            part = read(document)
        except ValueError as problem:
            broken[name] = str(problem)
            continue
        if name in good:
            broken[name] = f"{place}.{position}: another one has the same key"
        good[name] = part
    # Of two parts with one key neither can be trusted to be the one that was meant.
    return {name: part for name, part in good.items() if name not in broken}, broken


def _segment_from_json(document: Any) -> Condition:
    return condition_from_json(member_of(document, "condition"), "condition")


def _check_references(
    rule: Rule, layers: Mapping[str, Layer], holdouts: Mapping[str, Holdout], extents: Mapping[str, Extent]
) -> None:
    if rule.layer is not None and rule.layer not in layers:
        raise ValueError(f"layer {rule.layer!r} is missing or broken")
    for name in rule.holdouts:
        if name not in holdouts:
            raise ValueError(f"holdout {name!r} is missing or broken")
    if rule.targeting is None:
        return
    try:
        extent(rule.targeting, extents)
    except ValueError as problem:
        raise ValueError(f"targeting: {problem}") from problem
