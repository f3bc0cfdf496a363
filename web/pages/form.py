"""The form of an experiment: what was typed, as it was typed, and the document that it stands for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from experiments.definition import ExperimentDraft, VariantDraft
from experiments.errors import InvalidInput, Problem

PLAIN = ("name", "key", "change", "audience", "effect", "because", "control", "unit")
PLAN = ("days", "mde", "confidence", "inference", "size")
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
    roles: Mapping[str, str] = field(default_factory=dict)
    margins: Mapping[str, str] = field(default_factory=dict)

    def with_another_variant(self) -> "Form":
        """The same form with one more empty line."""
        return replace(self, variants=(*self.variants, TypedVariant())[:MOST_VARIANTS])

    @property
    def named_variants(self) -> list[tuple[int, TypedVariant]]:
        """Lines that were filled in, with their places in the form."""
        return [(place, each) for place, each in enumerate(self.variants) if not each.empty]


def blank_form() -> Form:
    """The form as it is first seen: two variants, all traffic, a careful plan."""
    texts = {"traffic": "100", "confidence": "95", "control": "control", "unit": "user_id", "days": "14"}
    return Form(texts, (TypedVariant(key="control"), TypedVariant(key="treatment")))


def form_of(definition: ExperimentDraft) -> Form:
    """The form filled with an experiment as it stands."""
    roles = dict.fromkeys(definition.metrics.primary, "primary")
    roles |= dict.fromkeys(definition.metrics.secondary, "secondary")
    margins = {
        each.metric: "" if each.margin is None else _percent(each.margin)
        for each in definition.metrics.guardrails
    }
    roles |= dict.fromkeys(margins, "guardrail")
    plan = definition.plan
    texts = {
        **{name: getattr(definition, name) for name in ("name", "key", "control", "unit")},
        **definition.hypothesis.model_dump(),
        "traffic": _percent(definition.traffic / 10_000),
        "confidence": _percent(plan.confidence),
        "mde": "" if plan.mde is None else _percent(plan.mde),
        "days": "" if plan.days is None else str(plan.days),
        "size": "" if plan.size is None else str(plan.size),
        "inference": plan.inference or "",
    }
    return Form(texts, tuple(map(_typed, definition.variants)), roles, margins)


def _typed(variant: VariantDraft) -> TypedVariant:
    value = "" if variant.value is None else json.dumps(variant.value, ensure_ascii=False)
    return TypedVariant(variant.key, variant.name, str(variant.weight), value)


def _percent(share: float) -> str:
    return f"{share * 100:.6f}".rstrip("0").rstrip(".")


def read_form(sent: MultiDict[str, str]) -> Form:
    """Take the fields as they were sent."""
    columns = [sent.getlist(f"variant_{name}") for name in ("key", "name", "weight", "value")]
    lines = [TypedVariant(*line) for line in zip(*columns, strict=False)][:MOST_VARIANTS]
    roles = {name.removeprefix("role:"): text for name, text in sent.items() if name.startswith("role:")}
    margins = {
        name.removeprefix("margin:"): text for name, text in sent.items() if name.startswith("margin:")
    }
    texts = {name: sent.get(name, "") for name in (*PLAIN, *PLAN, "traffic")}
    return Form(texts, tuple(lines), roles, margins)


def document_of(form: Form) -> dict[str, Any]:
    """Turn what was typed into the document of a definition.

    Raises
    ------
    InvalidInput
        Naming every field whose text is not of its kind.
    """
    problems: list[Problem] = []
    texts = form.texts
    document = {
        **{name: texts[name].strip() for name in ("name", "key", "control", "unit")},
        "hypothesis": {name: texts[name] for name in ("change", "audience", "effect", "because")},
        "traffic": _traffic(texts["traffic"], problems),
        "variants": [_variant(each, place, problems) for place, (_, each) in enumerate(form.named_variants)],
        "metrics": _metrics(form, problems),
        "plan": _plan(texts, problems),
    }
    if problems:
        raise InvalidInput(problems)
    return document


def _traffic(text: str, problems: list[Problem]) -> int:
    """Read per cent as basis points."""
    percent = _number(text, "traffic", problems, default=100)
    if not 0 <= percent <= 100:
        problems.append(Problem("traffic", "less than or equal to 100"))
        return 0
    return round(percent * 100)


def _variant(typed: TypedVariant, place: int, problems: list[Problem]) -> dict[str, Any]:
    weight = _number(typed.weight, f"variants.{place}.weight", problems, default=1)
    if weight % 1:
        problems.append(Problem(f"variants.{place}.weight", "Input should be a valid integer"))
    return {
        "key": typed.key.strip(),
        "name": typed.name,
        "weight": int(weight),
        "value": _json(typed.value, f"variants.{place}.value", problems),
    }


def _json(text: str, place: str, problems: list[Problem]) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        problems.append(Problem(place, "not JSON"))
        return None


def _metrics(form: Form, problems: list[Problem]) -> dict[str, Any]:
    chosen: dict[str, list[str]] = {"primary": [], "secondary": [], "guardrail": []}
    for key, role in form.roles.items():
        if role in chosen:
            chosen[role].append(key)
    guardrails = [
        {"metric": key, "margin": _share(form.margins.get(key, ""), f"margin:{key}", problems)}
        for key in chosen["guardrail"]
    ]
    return {"primary": chosen["primary"], "secondary": chosen["secondary"], "guardrails": guardrails}


def _plan(texts: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    plan: dict[str, Any] = {"inference": texts["inference"].strip() or None}
    if texts["confidence"].strip():
        plan["confidence"] = _share(texts["confidence"], "plan.confidence", problems)
    if texts["mde"].strip():
        plan["mde"] = _share(texts["mde"], "plan.mde", problems)
    for name in ("days", "size"):
        if texts[name].strip():
            plan[name] = round(_number(texts[name], f"plan.{name}", problems, default=1))
    return plan


def _share(text: str, place: str, problems: list[Problem]) -> float:
    return round(_number(text, place, problems, default=5) / 100, 8)


def _number(text: str, place: str, problems: list[Problem], *, default: float) -> float:
    """Read a number with a comma or a point; note a problem and go on with the default otherwise."""
    try:
        number = float(text.strip().removesuffix("%").replace(",", "."))
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e12:
        problems.append(Problem(place, "not a number"))
        return default
    return number
