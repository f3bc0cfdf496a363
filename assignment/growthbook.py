"""The payload for GrowthBook clients, which download the rules and decide by themselves.

An unmodified client that reads it gives every unit the variant that `decide` gives it. What each part of a
rule becomes:

- The hash is always ``hashVersion: 2`` (a client falls back to version 1 where it is not named), the
  ``seed`` is the salt, and the buckets of each variant are written as ``ranges``, in ten-thousandths.
- A layer and each holdout become ``filters``. A filter lists who may pass, so a holdout is written as the
  buckets that are *not* held out.
- Targeting becomes ``condition``, with saved segments unfolded in place: clients too old for saved groups
  would otherwise read the reference as a missing attribute.
- A shipped rule forces its value on everybody; a stopped one is left with the control's value.
- Overrides are left out. They are ids of units, and this document is public; a named unit gets its variant
  from the server's doors alone.

A client finds the unit in the attribute that ``hashAttribute`` names: ``id`` for people who signed in, as in
GrowthBook's own guides, and ``anonymous_id`` for browsers and devices.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from assignment.allocation import Range
from assignment.hashing import BUCKETS, HASH_VERSION
from assignment.rule import Rule, State
from assignment.ruleset import Ruleset
from assignment.segments import unfold
from assignment.targeting import Condition, Either, Every, InSegment, Negation, Test

HASH_ATTRIBUTES: Mapping[str, str] = MappingProxyType({"user_id": "id", "anonymous_id": "anonymous_id"})
"""The client's attribute that holds the unit, for each type of unit."""


def features_payload(
    ruleset: Ruleset, *, hash_attributes: Mapping[str, str] = HASH_ATTRIBUTES
) -> dict[str, Any]:
    """Compile a ruleset into what ``GET /api/features/<client key>`` answers.

    Parameters
    ----------
    ruleset
        The published rules.
    hash_attributes
        The client's attribute that holds the unit, for each type of unit.

    Returns
    -------
    dict
        A JSON document: ``features`` by key, no saved groups and no experiments of other kinds.

    Examples
    --------
    >>> from assignment import Rule, Variant
    >>> rule = Rule("checkout", "s", "old", (Variant("old", 1, "v1"), Variant("new", 1, "v2")), traffic=4_000)
    >>> payload = features_payload(Ruleset(rules={"checkout": rule}))
    >>> payload["features"]["checkout"]["rules"][0]["ranges"]
    [[0.0, 0.2], [0.5, 0.7]]
    """
    features = {
        key: _feature(rule, ruleset, hash_attributes[rule.unit_type]) for key, rule in ruleset.rules.items()
    }
    return {"features": features, "experiments": [], "savedGroups": {}}


def compiled(condition: Condition) -> dict[str, Any]:
    """Translate a condition, segments unfolded, into GrowthBook's condition language.

    The Python and the JavaScript client disagree where types do not fit: JavaScript reads null as 0 when it
    compares and "null" when it searches. So every operator that orders or searches is written together with
    the type that it needs, and there the two agree.

    Examples
    --------
    >>> compiled(Test("age", "ge", 18))
    {'age': {'$type': 'number', '$gte': 18}}
    """
    match condition:
        case Every(conditions):
            return {"$and": [compiled(each) for each in conditions]}
        case Either(conditions):
            return {"$or": [compiled(each) for each in conditions]}
        case Negation(inner):
            return {"$not": compiled(inner)}
        case InSegment(segment):
            raise ValueError(f"segment {segment!r} is to be unfolded first")
        case Test(_, operator, value) if operator in _OPPOSITES:
            return {"$not": compiled(Test(condition.attribute, _OPPOSITES[operator], value))}
        case Test():
            return _test(condition)


def _feature(rule: Rule, ruleset: Ruleset, attribute: str) -> dict[str, Any]:
    if rule.state is State.STOPPED:
        return {"defaultValue": rule.by_key[rule.control].value}
    if rule.shipped is not None and rule.state is State.SHIPPED:
        value = rule.by_key[rule.shipped].value
        # The default says it too: the Python client takes a forced null for no rule at all.
        return {"defaultValue": value, "rules": [{"force": value}]}
    return {
        "defaultValue": rule.by_key[rule.control].value,
        "rules": [_experiment(rule, ruleset, attribute)],
    }


def _experiment(rule: Rule, ruleset: Ruleset, attribute: str) -> dict[str, Any]:
    written: dict[str, Any] = {
        "key": rule.key,
        "phase": str(rule.phase),
        "seed": rule.salt,
        "hashAttribute": attribute,
        "hashVersion": HASH_VERSION,
        "variations": [variant.value for variant in rule.variants],
        "meta": [{"key": variant.key, "name": variant.key} for variant in rule.variants],
        "ranges": [_share(buckets) for buckets in rule.ranges],
    }
    if rule.targeting is not None:
        written["condition"] = compiled(unfold(rule.targeting, ruleset.segments))
    filters = _filters(rule, ruleset, attribute)
    return {**written, "filters": filters} if filters else written


def _filters(rule: Rule, ruleset: Ruleset, attribute: str) -> list[dict[str, Any]]:
    holdouts = [ruleset.holdouts[name] for name in rule.holdouts]
    passes = [(holdout.salt, [Range(holdout.share, BUCKETS)]) for holdout in holdouts]
    if rule.layer is not None:
        passes.append((ruleset.layers[rule.layer].salt, list(rule.slots)))
    return [
        {
            "seed": salt,
            "attribute": attribute,
            "hashVersion": HASH_VERSION,
            "ranges": [_share(buckets) for buckets in ranges],
        }
        for salt, ranges in passes
    ]


def _share(buckets: Range) -> list[float]:
    """Write a range in ten-thousandths: the quotient that clients compare with is the very same double."""
    return [buckets.start / BUCKETS, buckets.end / BUCKETS]


def _test(test: Test) -> dict[str, Any]:
    written = {test.attribute: _value_condition(test.operator, test.value)}
    objects = [".".join(test.path[:depth]) for depth in range(1, len(test.path))]
    if not objects:
        return written
    # Clients would also look into lists, and in browsers find ``length`` and every method there.
    return {"$and": [*({name: {"$type": "object"}} for name in objects), written]}


def _value_condition(operator: str, value: Any) -> dict[str, Any]:
    match operator:
        case "exists":
            return {"$exists": True}
        case "eq":
            return {"$eq": value}
        case "in":
            return {"$in": list(value)}
        case "gt" | "ge" | "lt" | "le":
            return {"$type": "string" if isinstance(value, str) else "number", _COMPARISONS[operator]: value}
        case "starts_with":
            return {"$type": "string", "$regex": f"^{_escaped(value)}"}
        case "ends_with":
            # Many languages let ``$`` match before a last line break as well; that match is taken back.
            ending = _escaped(value)
            return {"$type": "string", "$regex": f"{ending}$", "$not": {"$regex": f"{ending}\n$"}}
        case "contains":
            return {"$type": "string", "$regex": _escaped(value)}
        case _:
            # Only what looks like a version is compared: clients order other texts in different ways.
            looks_so = {"$type": "string", "$regex": "^v?[0-9]", "$not": {"$regex": "[^!-~]"}}
            return {**looks_so, _COMPARISONS[operator]: value}


def _escaped(text: str) -> str:
    """Quote a text for a regular expression; `re.escape` also quotes spaces, which some languages refuse."""
    return re.sub(r"[\\^$.|?*+()\[\]{}]", r"\\\g<0>", text)


_OPPOSITES = {"ne": "eq", "not_in": "in", "not_exists": "exists"}
_COMPARISONS = {
    "gt": "$gt",
    "ge": "$gte",
    "lt": "$lt",
    "le": "$lte",
    "version_gt": "$vgt",
    "version_ge": "$vgte",
    "version_lt": "$vlt",
    "version_le": "$vlte",
}
