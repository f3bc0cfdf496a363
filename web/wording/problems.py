"""Problems: what is wrong with a form, in the reader's language, each beside its field."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.errors import Problem
from web.wording.mistakes import worded

if TYPE_CHECKING:
    from web.pages.form import Form

_PLACES = {
    "traffic": "traffic",
    "control": "control",
    "unit": "unit",
    "name": "name",
    "key": "key",
    "hypothesis.change": "change",
    "hypothesis.audience": "audience",
    "hypothesis.effect": "effect",
    "hypothesis.because": "because",
    "plan.days": "days",
    "plan.mde": "mde",
    "plan.confidence": "confidence",
    "plan.inference": "inference",
    "plan.size": "size",
    "plan.power": "power",
    "plan": "size",
}
_STEPS = {
    "believe": ("name", "key", "owner", "tags", "description", "change", "audience", "effect", "because"),
    "measure": ("mde", "confidence", "power", "inference", "segments"),
    "who": ("unit", "control", "traffic", "layer", "slots", "variants"),
}
_PER_CENT = ("mde", "confidence", "power")
"""Fields that are typed in per cent and stored as shares."""

_SPOKEN_OF = ("control", "variants")
"""Fields that a problem with the whole may begin by naming."""


def step_of(problem: Problem, form: "Form") -> str:
    """The step of the form that a problem belongs to."""
    field = _field(problem, form)
    if field.startswith(("variant", "condition", "slot")) or field == "targeting":
        return "who"
    if field.startswith(("margin:", "metrics", "role:")):
        return "measure"
    return next((step for step, names in _STEPS.items() if field in names), "check")


def beside_fields(problems: Sequence[Problem], form: "Form") -> dict[str, list[str]]:
    """Sort problems by the field of the form that they belong to."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        field = _field(problem, form)
        scale = 100 if field in _PER_CENT or field.startswith("margin:") else 1
        found.setdefault(field, []).append(worded(problem.message, scale=scale))
    return found


def _field(problem: Problem, form: "Form") -> str:
    place = problem.place
    if place in _PLACES:
        return _PLACES[place]
    variant = re.fullmatch(r"variants\.(\d+)(?:\.(key|name|weight|value))?.*", place)
    if variant:
        lines = [line for line, _ in form.named_variants]
        return f"variant_{variant[2] or 'key'}:{lines[int(variant[1])]}"
    margin = re.fullmatch(r"metrics\.guardrails\.(\d+)\.margin", place)
    if margin:
        guarded = [key for key, role in form.roles.items() if role == "guardrail"]
        return f"margin:{guarded[int(margin[1])]}"
    if place.startswith("margin:"):
        return place
    if place.startswith("metrics") or ", metrics" in place:
        return "metrics"
    named = problem.message.split(":")[0]
    return named if named in _SPOKEN_OF else place.split(".")[0] or "form"
