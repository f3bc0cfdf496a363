"""The decision: which variant one unit gets, and why.

`decide` is the specification read aloud. The checks stand in their order of precedence, each leaves as soon
as it knows the answer, and every answer carries its reason. It reads no clock and keeps no memory: the same
ruleset, unit and attributes give the same decision on every machine, for ever.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from assignment.hashing import bucket_after
from assignment.rule import EXCLUDED, Rule, State
from assignment.ruleset import Ruleset
from assignment.targeting import Attributes, matches


class Reason(StrEnum):
    """Why, in the words that every OpenFeature client knows."""

    STATIC = "STATIC"
    TARGETING_MATCH = "TARGETING_MATCH"
    SPLIT = "SPLIT"
    DISABLED = "DISABLED"
    DEFAULT = "DEFAULT"
    UNKNOWN = "UNKNOWN"


class Detail(StrEnum):
    """Why, exactly. The order is the order in which `decide` asks.

    A preview is no answer of `decide`: it is what a signed link asks for, to whomever it is shown.
    """

    PREVIEW = "preview"
    UNKNOWN_KEY = "unknown_key"
    NOT_RUNNING = "not_running"
    SHIPPED = "shipped"
    NO_UNIT = "no_unit"
    OVERRIDE = "override"
    NOT_TARGETED = "not_targeted"
    HELD_OUT = "held_out"
    LAYER_EXCLUDED = "layer_excluded"
    NOT_IN_TRAFFIC = "not_in_traffic"
    ASSIGNED = "assigned"


_REASONS: Mapping[Detail, Reason] = {
    Detail.PREVIEW: Reason.STATIC,
    Detail.UNKNOWN_KEY: Reason.UNKNOWN,
    Detail.NOT_RUNNING: Reason.DISABLED,
    Detail.SHIPPED: Reason.STATIC,
    Detail.OVERRIDE: Reason.TARGETING_MATCH,
    Detail.ASSIGNED: Reason.SPLIT,
}


_TAKING_PART = (Detail.ASSIGNED, Detail.OVERRIDE)


class Decision(NamedTuple):
    """The outcome of assigning one unit; a tuple, because a frozen dataclass takes six times as long to make.

    Attributes
    ----------
    variant
        The variant's key, or ``"excluded"`` for a unit outside the experiment, or None for an unknown key.
        A unit outside gets the control's value but never the control's name: a client that logs what it was
        told must not log it into the control.
    exposes
        Whether showing the value makes the unit part of the experiment's data.
    bucket
        The unit's bucket under the experiment's salt, where the decision came that far.
    """

    key: str
    variant: str | None
    value: Any
    detail: Detail
    phase: int = 0
    ruleset: int = 0
    bucket: int | None = None

    @property
    def reason(self) -> Reason:
        """The reason in OpenFeature's words."""
        return _REASONS.get(self.detail, Reason.DEFAULT)

    @property
    def in_experiment(self) -> bool:
        """Whether the unit takes part: assigned by chance, or placed by hand."""
        return self.detail in _TAKING_PART

    @property
    def exposes(self) -> bool:
        """Whether showing the value is an exposure. Overrides expose too; analysis leaves them out."""
        return self.in_experiment


def decide(ruleset: Ruleset, key: str, *, unit: str, attributes: Attributes | None = None) -> Decision:
    """Assign one unit in one experiment.

    Parameters
    ----------
    ruleset
        The published rules.
    key
        The experiment's key.
    unit
        Whom to assign: the id of the experiment's unit type. Whatever is not a text, or is an empty one,
        names nobody and is left out.
    attributes
        What is known of the unit. Any value of any type is allowed; none makes this raise.

    Examples
    --------
    >>> from assignment import Rule, Ruleset, Variant
    >>> rule = Rule("checkout", "checkout", "old", (Variant("old", 1, "v1"), Variant("new", 1, "v2")))
    >>> decide(Ruleset(rules={"checkout": rule}), "checkout", unit="alice@example.com").variant
    'new'
    """
    rule = ruleset.rules.get(key)
    if rule is None:
        return Decision(key, None, None, Detail.UNKNOWN_KEY, ruleset=ruleset.version)
    if rule.state is State.STOPPED:
        return _outside(rule, ruleset, Detail.NOT_RUNNING)
    if rule.shipped is not None and rule.state is State.SHIPPED:
        return _inside(rule, ruleset, rule.shipped, Detail.SHIPPED)
    if not _names_somebody(unit):
        return _outside(rule, ruleset, Detail.NO_UNIT)
    if unit in rule.overrides:
        return _inside(rule, ruleset, rule.overrides[unit], Detail.OVERRIDE)
    if rule.targeting is not None and not matches(rule.targeting, attributes, ruleset.segments):
        return _outside(rule, ruleset, Detail.NOT_TARGETED)
    if _held_out(rule, ruleset, unit):
        return _outside(rule, ruleset, Detail.HELD_OUT)
    if not _in_layer(rule, ruleset, unit):
        return _outside(rule, ruleset, Detail.LAYER_EXCLUDED)

    bucket = bucket_after(rule.salted, unit)
    for name, buckets in rule.homes:
        if bucket in buckets:
            return _inside(rule, ruleset, name, Detail.ASSIGNED, bucket)
    return _outside(rule, ruleset, Detail.NOT_IN_TRAFFIC, bucket)


def decide_all(ruleset: Ruleset, *, unit: str, attributes: Attributes | None = None) -> Iterator[Decision]:
    """Assign one unit in every experiment of the ruleset, in the ruleset's order."""
    return (decide(ruleset, key, unit=unit, attributes=attributes) for key in ruleset.rules)


def _names_somebody(unit: object) -> bool:
    return isinstance(unit, str) and unit != ""


def _held_out(rule: Rule, ruleset: Ruleset, unit: str) -> bool:
    for name in rule.holdouts:  # noqa: SIM110 -- most rules honour none, and `any` would cost them 0.2 µs
        if ruleset.holdouts[name].keeps_out(unit):
            return True
    return False


def _in_layer(rule: Rule, ruleset: Ruleset, unit: str) -> bool:
    if rule.layer is None:
        return True
    position = ruleset.layers[rule.layer].position(unit)
    return any(position in slot for slot in rule.slots)


def _inside(rule: Rule, ruleset: Ruleset, name: str, detail: Detail, bucket: int | None = None) -> Decision:
    value = rule.by_key[name].value
    return Decision(rule.key, name, value, detail, rule.phase, ruleset.version, bucket)


def _outside(rule: Rule, ruleset: Ruleset, detail: Detail, bucket: int | None = None) -> Decision:
    value = rule.by_key[rule.control].value
    return Decision(rule.key, EXCLUDED, value, detail, rule.phase, ruleset.version, bucket)
