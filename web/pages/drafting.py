"""Drafting: from what was typed to the document of a definition, with every problem beside its field."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from assignment import BUCKETS
from experiments.definition import ExperimentDraft, parse_experiment
from experiments.errors import InvalidInput, Problem
from experiments.fields import zone_of
from web.pages.form import PLAIN, Form, TypedVariant, form_of
from web.pages.rows_form import TypedRow, test_of
from web.pages.typed import listed, read_number


def draft_of(form: Form, standing: ExperimentDraft | None) -> ExperimentDraft:
    """Read a form as a draft, over what the form does not show of an experiment that exists.

    Raises
    ------
    InvalidInput
        Naming everything that is wrong.
    """
    document = document_of(form)
    if standing is not None:
        document = _over(standing, document, form.texts["time_zone"])
    return parse_experiment(document)


def _over(standing: ExperimentDraft, document: dict[str, Any], zone: str) -> dict[str, Any]:
    """What was typed, over what stands wherever the form still shows it: a form rounds, and shows less."""
    kept, shown = standing.model_dump(mode="json"), document_of(form_of(standing, zone))
    typed = _changed(document, shown)
    if "plan" in typed:
        typed["plan"] = {**kept["plan"], **_changed(document["plan"], shown["plan"])}
    return {**kept, **typed, "key": standing.key}


def _changed(document: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value != shown.get(name)}


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
        **{name: texts[name].strip() for name in PLAIN},
        "hypothesis": {name: texts[name] for name in ("change", "audience", "effect", "because")},
        "tags": listed(texts["tags"]),
        "segments": listed(texts["segments"]),
        "traffic": _buckets(texts["traffic"], "traffic", problems, default=100),
        "variants": [_variant(each, place, problems) for place, (_, each) in enumerate(form.named_variants)],
        "metrics": _metrics(form, problems),
        "plan": _plan(texts, problems),
        "targeting": _targeting(form, problems),
        "layer": texts["layer"] or None,
        "slots": _slots(texts, problems),
        "starts": _moment(texts, "starts"),
        "ends": _moment(texts, "ends"),
        "stops_at_end": texts["at_end"] == "stop",
    }
    if problems:
        raise InvalidInput(problems)
    return document


def _buckets(text: str, place: str, problems: list[Problem], *, default: float) -> int:
    """Read per cent as basis points."""
    percent = _number(text, place, problems, default=default)
    if not 0 <= percent <= 100:
        problems.append(Problem(place, "less than or equal to 100"))
        return 0
    return round(percent * BUCKETS / 100)


def _slots(texts: Mapping[str, str], problems: list[Problem]) -> list[list[int]]:
    if not texts["layer"]:
        return []
    start = _buckets(texts["slot_from"], "slot_from", problems, default=0)
    end = _buckets(texts["slot_to"], "slot_to", problems, default=100)
    if end <= start:
        problems.append(Problem("slot_to", "must lie above where the slot begins"))
    return [[start, end]]


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


def targeting_of(form: Form) -> dict[str, Any] | None:
    """The condition that the form's lines stand for.

    Raises
    ------
    InvalidInput
        If it is written as JSON and is none.
    """
    problems: list[Problem] = []
    targeting = _targeting(form, problems)
    if problems:
        raise InvalidInput(problems)
    return targeting


def _targeting(form: Form, problems: list[Problem]) -> dict[str, Any] | None:
    conditions = [each for _, each in form.named_conditions]
    texts = form.texts
    return condition_document(texts["targeting"], texts["match"], conditions, problems, place="targeting")


def condition_document(
    text: str, match: str, conditions: Sequence[TypedRow], problems: list[Problem], *, place: str
) -> dict[str, Any] | None:
    """The condition that was typed: as JSON, or line by line; None where nothing was."""
    if text.strip():
        written: dict[str, Any] | None = _json(text, place, problems)
        return written
    parts = [test_of(each) for each in conditions if each.attribute.strip()]
    if not parts:
        return None
    return {"any" if match == "any" else "all": parts}


def _metrics(form: Form, problems: list[Problem]) -> dict[str, Any]:
    chosen: dict[str, list[str]] = {"primary": [], "secondary": [], "guardrail": []}
    for key, role in form.roles.items():
        if role in chosen:
            chosen[role].append(key)
    guardrails = [
        {"metric": key, "margin": _margin(form.margins.get(key, ""), f"margin:{key}", problems)}
        for key in chosen["guardrail"]
    ]
    return {"primary": chosen["primary"], "secondary": chosen["secondary"], "guardrails": guardrails}


def _margin(text: str, place: str, problems: list[Problem]) -> float | None:
    """A guardrail's own margin; left empty, the metric's one holds."""
    return _share(text, place, problems) if text.strip() else None


def _plan(texts: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    plan: dict[str, Any] = {"inference": texts["inference"].strip() or None}
    if texts["correction"]:
        plan["correction"] = texts["correction"]
    for name in ("confidence", "power"):
        if texts[name].strip():
            plan[name] = _share(texts[name], f"plan.{name}", problems)
    plan["mde"] = _share(texts["mde"], "plan.mde", problems) if texts["mde"].strip() else None
    for name in ("days", "size"):
        typed = texts[name].strip()
        plan[name] = round(_number(typed, f"plan.{name}", problems, default=1)) if typed else None
    return plan


def _moment(texts: Mapping[str, str], name: str) -> str | None:
    """A moment that was typed in the form's time zone; what is none is left for the definition to refuse."""
    text = texts[name].strip()
    try:
        typed = datetime.fromisoformat(text)
        zoned = typed if typed.tzinfo else typed.replace(tzinfo=zone_of(texts["time_zone"]))
        return zoned.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return text or None


def _share(text: str, place: str, problems: list[Problem]) -> float:
    return round(_number(text, place, problems, default=5) / 100, 8)


def _number(text: str, place: str, problems: list[Problem], *, default: float) -> float:
    """Read a number; note a problem and go on with the default otherwise."""
    number = read_number(text)
    if number is None:
        problems.append(Problem(place, "not a number"))
        return default
    return number
