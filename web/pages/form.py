"""The form of an experiment: what was typed, as it was typed, and the document that it stands for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from assignment import BUCKETS
from experiments.definition import ExperimentDraft, PlanDraft, VariantDraft
from experiments.fields import zone_of
from experiments.project import DefaultPlan
from web.pages.rows_form import MOST_ROWS, TypedRow, rows_of

STEPS = ("believe", "measure", "who", "check")
"""The steps of the form, in their order."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "believe": ("name", "key", "owner", "tags", "description", "change", "audience", "effect", "because"),
    "measure": ("mde", "confidence", "power", "inference", "segments"),
    "who": ("unit", "control", "traffic", "match", "targeting", "layer", "slot_from", "slot_to"),
    "check": ("days", "size", "starts", "ends", "at_end"),
}
"""The plain fields of each step. Variants and conditions belong to the third, roles to the second."""

ALL_FIELDS = (*(name for names in FIELDS.values() for name in names), "correction", "time_zone")
"""What a form knows. Two have no field: the correction, which comes from the project or stays as it stands,
and the time zone in which its times were typed."""

PLAIN = ("name", "key", "owner", "description", "control", "unit")
"""Fields that are in the definition as they are typed."""

MOST_VARIANTS = 50


@dataclass(frozen=True, slots=True)
class TypedVariant:
    """One line of the variants."""

    key: str = ""
    name: str = ""
    weight: str = "1"
    value: str = ""

    @property
    def empty(self) -> bool:
        """Whether the line was left out."""
        return not (self.key.strip() or self.name.strip() or self.value.strip())


@dataclass(frozen=True, slots=True)
class Form:
    """All fields, as text."""

    texts: Mapping[str, str]
    variants: tuple[TypedVariant, ...]
    conditions: tuple[TypedRow, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    margins: Mapping[str, str] = field(default_factory=dict)

    def with_another_variant(self) -> "Form":
        """The same form with one more empty line."""
        return replace(self, variants=(*self.variants, TypedVariant())[:MOST_VARIANTS])

    def with_another_condition(self) -> "Form":
        """The same form with one more empty condition."""
        return replace(self, conditions=(*self.conditions, TypedRow())[:MOST_ROWS])

    def with_texts(self, **texts: str) -> "Form":
        """The same form with some fields filled in."""
        return replace(self, texts={**self.texts, **texts})

    @property
    def named_variants(self) -> list[tuple[int, TypedVariant]]:
        """Lines that were filled in, with their places in the form."""
        return [(place, each) for place, each in enumerate(self.variants) if not each.empty]

    @property
    def named_conditions(self) -> list[tuple[int, TypedRow]]:
        """Conditions that name an attribute, with their places in the form."""
        return [(place, each) for place, each in enumerate(self.conditions) if each.attribute.strip()]

    def to_json(self) -> dict[str, Any]:
        """Write as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Form":
        """Read what `to_json` wrote."""
        return cls(
            {**blank_form().texts, **document["texts"]},
            tuple(TypedVariant(**each) for each in document["variants"]),
            tuple(TypedRow(**each) for each in document["conditions"]),
            document["roles"],
            document["margins"],
        )


def blank_form() -> Form:
    """The form as it is first seen: two variants, all traffic, a careful plan."""
    texts = dict.fromkeys(ALL_FIELDS, "") | {
        "traffic": "100",
        "confidence": "95",
        "power": "80",
        "mde": "5",
        "control": "control",
        "unit": "user_id",
        "match": "all",
        "time_zone": "UTC",
    }
    return Form(texts, (TypedVariant(key="control"), TypedVariant(key="treatment")))


def form_with(plan: DefaultPlan) -> Form:
    """The form as it is first seen in a project that has a plan of its own."""
    known = {name: text for name, text in _typed_plan(plan).items() if text}
    return blank_form().with_texts(**known)


def form_of(definition: ExperimentDraft, zone: str = "UTC") -> Form:
    """The form filled with an experiment as it stands, its times in a time zone."""
    roles = dict.fromkeys(definition.metrics.primary, "primary")
    roles |= dict.fromkeys(definition.metrics.secondary, "secondary")
    margins = {
        each.metric: "" if each.margin is None else _percent(each.margin)
        for each in definition.metrics.guardrails
    }
    roles |= dict.fromkeys(margins, "guardrail")
    match, conditions, targeting = typed_condition(definition.targeting)
    start, end = definition.slots[0] if definition.slots else (0, 0)
    texts = {
        **{
            name: getattr(definition, name)
            for name in ("name", "key", "owner", "description", "control", "unit")
        },
        **definition.hypothesis.model_dump(),
        **_typed_plan(definition.plan),
        "size": "" if definition.plan.size is None else str(definition.plan.size),
        "tags": ", ".join(definition.tags),
        "segments": ", ".join(definition.segments),
        "traffic": _percent(definition.traffic / BUCKETS),
        "match": match,
        "targeting": targeting,
        "layer": definition.layer or "",
        "slot_from": _percent(start / BUCKETS) if end else "",
        "slot_to": _percent(end / BUCKETS) if end else "",
        "starts": _local(definition.starts, zone),
        "ends": _local(definition.ends, zone),
        "at_end": "stop" if definition.stops_at_end else "",
        "time_zone": zone,
    }
    return Form(texts, tuple(map(_typed, definition.variants)), conditions, roles, margins)


def _local(moment: datetime | None, zone: str) -> str:
    """A moment as browsers write one that is typed."""
    return "" if moment is None else moment.astimezone(zone_of(zone)).strftime("%Y-%m-%dT%H:%M")


def _typed_plan(plan: PlanDraft | DefaultPlan) -> dict[str, str]:
    return {
        "confidence": _percent(plan.confidence),
        "power": _percent(plan.power),
        "mde": "" if plan.mde is None else _percent(plan.mde),
        "days": "" if plan.days is None else str(plan.days),
        "inference": plan.inference or "",
        "correction": plan.correction,
    }


def _typed(variant: VariantDraft) -> TypedVariant:
    value = "" if variant.value is None else json.dumps(variant.value, ensure_ascii=False)
    return TypedVariant(variant.key, variant.name, str(variant.weight), value)


def typed_condition(condition: Mapping[str, Any] | None) -> tuple[str, tuple[TypedRow, ...], str]:
    """How a condition fits the lines of a form: how they are joined, the lines, and else its JSON."""
    if condition is None:
        return "all", (), ""
    form = rows_of(condition)
    return form.joined, tuple(row for row in form.rows if row.attribute), form.text


def _percent(share: float) -> str:
    return f"{share * 100:.6f}".rstrip("0").rstrip(".")


def read_step(step: str, sent: MultiDict[str, str], form: Form) -> Form:
    """Take the fields of one step as they were sent, over what is known of the others."""
    texts = {**form.texts, **{name: sent.get(name, form.texts.get(name, "")) for name in FIELDS[step]}}
    if step == "measure":
        return replace(form, texts=texts, roles=_prefixed(sent, "role:"), margins=_prefixed(sent, "margin:"))
    if step == "who":
        variants = _lines(sent, "variant", ("key", "name", "weight", "value"))
        conditions = _lines(sent, "condition", ("attribute", "operator", "value"))
        return replace(
            form,
            texts=texts,
            variants=tuple(TypedVariant(*line) for line in variants)[:MOST_VARIANTS] or form.variants,
            conditions=tuple(TypedRow(*line) for line in conditions)[:MOST_ROWS],
        )
    return replace(form, texts=texts)


def _prefixed(sent: MultiDict[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): text for name, text in sent.items() if name.startswith(prefix)}


def _lines(sent: MultiDict[str, str], kind: str, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return zip(*(sent.getlist(f"{kind}_{name}") for name in names), strict=False)
