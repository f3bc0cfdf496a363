"""The intake: what happens to every record on its way into the ledger, whichever door it comes through.

The order matters: an exposure is compared with our own hash while its unit still has its own id; then the
tracking plan decides what may be stored; then the ids become pseudonyms.

An exposure that disagrees with us is kept, marked and counted, and analysed as it was recorded: it says what
the client really showed, and leaving such units out would favour whichever variant loses fewer of them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from assignment import Rule, Ruleset, State
from assignment.hashing import bucket_after
from assignment.rule import EXCLUDED
from experiments.pseudonyms import Pseudonyms
from experiments.store.ledger import Event, Exposure, Record, event_of
from experiments.store.tallies import Edge
from experiments.tracking import TrackingPlan, Unplanned

VALUE_PROPERTIES = ("value", "revenue", "total")
"""Where the number of an event is looked for, in this order."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What is in force for records that come in.

    Attributes
    ----------
    experiments
        The keys of all experiments, those that another system assigns included; None when nobody knows.
    """

    plan: TrackingPlan = field(default_factory=TrackingPlan)
    ruleset: Ruleset = field(default_factory=Ruleset)
    experiments: frozenset[str] | None = None
    pseudonyms: Pseudonyms | None = None

    @property
    def secret(self) -> bytes:
        """What ids that are derived from content are made with; empty without pseudonyms."""
        return b"" if self.pseudonyms is None else hashlib.sha256(self.pseudonyms.key).digest()

    def take(self, record: Record, facts: Mapping[str, Any] | None = None) -> tuple[Record, tuple[str, ...]]:
        """Say what is stored of a record, and what there is to say about it.

        Parameters
        ----------
        facts
            What is written in the record, where the caller has it at hand.

        Raises
        ------
        Unplanned
            If the tracking plan does not allow it.
        """
        if isinstance(record, Exposure):
            before = _facts(record.attributes) if facts is None else facts
            admission = self.plan.admit(event_of(record), before)
            changed: Record = record
            if len(admission.properties) != len(before) or "dropped" in admission.notes:
                changed = record._replace(attributes=written(admission.properties))
            return self.hide(changed), admission.notes
        before = _facts(record.properties) if facts is None else facts
        admission = self.plan.admit(record.event, before)
        changed = record
        if "dropped" in admission.notes:
            value = _value_after(record.value, before, admission.properties)
            changed = record._replace(properties=written(admission.properties), value=value)
        return self.hide(changed), admission.notes

    def leaves(self, event: str, facts: str | None) -> bool:
        """Whether a record of this event with these facts is stored as it is; asked for many at once."""
        if self.pseudonyms is not None:
            return False
        try:
            return "dropped" not in self.plan.admit(event, _facts(facts)).notes
        except Unplanned:
            return False

    def compare(self, exposure: Exposure) -> Exposure:
        """Read a client's exposure as ours, and mark it where it disagrees with what we would have said."""
        if self.experiments is not None and exposure.experiment not in self.experiments:
            return exposure._replace(mark="unknown")
        rule = self.ruleset.rules.get(exposure.experiment)
        if rule is None:
            return exposure
        variant = _by_place(rule, exposure.variant)
        unit = exposure.user_id if rule.unit_type == "user_id" else exposure.anonymous_id
        mark = exposure.mark if unit is None else _mark(rule, unit, variant) or exposure.mark
        return exposure._replace(variant=variant, mark=mark)

    def hide(self, record: Record) -> Record:
        """Put pseudonyms in place of ids, wherever they stand."""
        if self.pseudonyms is None:
            return record
        name = self.pseudonyms.name
        units = [unit for unit in (record.user_id, record.anonymous_id) if unit is not None]
        named: Any = {
            "user_id": None if record.user_id is None else name(record.user_id),
            "anonymous_id": None if record.anonymous_id is None else name(record.anonymous_id),
        }
        facts = "properties" if isinstance(record, Event) else "attributes"
        text = getattr(record, facts)
        if text is not None:
            named[facts] = written(self.pseudonyms.hide(from_json(text), units))
        return record._replace(**named)

    def hide_edge(self, edge: Edge) -> Edge:
        """Put pseudonyms in place of both ids."""
        if self.pseudonyms is None:
            return edge
        name = self.pseudonyms.name
        return edge._replace(anonymous_id=name(edge.anonymous_id), user_id=name(edge.user_id))


ANYTHING = Intake()
"""No plan, no rules, no pseudonyms: everything is taken as it is, addresses of the network aside."""


def written(facts: Mapping[str, Any]) -> str | None:
    """Facts as they are stored; None when there are none."""
    return to_json(facts).decode() if facts else None


def _facts(text: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = {} if text is None else from_json(text)
    return facts


def _value_after(value: float | None, before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    """The number of an event, unless it came out of a property that is not stored."""
    sources = [name for name in VALUE_PROPERTIES if _is_number(before.get(name))]
    if not sources:
        return value
    return next((float(after[name]) for name in sources if name in after), None)


def _mark(rule: Rule, unit: str, variant: str) -> str | None:
    """Judge by the bucket alone: what was known of the unit when it was shown is not ours to know."""
    if unit in rule.overrides:
        return "override"
    if rule.state is not State.RUNNING or variant == EXCLUDED:
        return None
    bucket = bucket_after(rule.salted, unit)
    ours = next((name for name, buckets in rule.homes if bucket in buckets), EXCLUDED)
    return None if ours == variant else "mismatch"


def _by_place(rule: Rule, variant: str) -> str:
    """Some clients name a variant by its place among the variants, from 0."""
    if variant in rule.by_key or not variant.isdecimal() or int(variant) >= len(rule.variants):
        return variant
    return rule.variants[int(variant)].key


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
