"""Problems: what is wrong with a form, in the reader's language, each beside its field."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from experiments.errors import Problem
from web.wording.language import gettext

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


def worded(message: str, *, scale: int = 1) -> str:
    """Say a problem in the reader's language; one that has no translation stays as it is.

    Limits in the message are multiplied by ``scale``.
    """
    for pattern, say in _MESSAGES:
        match = re.search(pattern, message)
        if match:
            limit = match[1] if match.groups() else ""
            return say(f"{float(limit) * scale:g}" if limit else "")
    return message


_MESSAGES: list[tuple[str, Callable[[str], str]]] = [
    (
        r"should match pattern",
        lambda _: gettext(
            "Use letters, digits, dots, dashes and underscores; begin with a letter or a digit."
        ),
    ),
    (
        r"at most (\d+) characters",
        lambda limit: gettext("This is too long: at most %(most)s characters.", most=limit),
    ),
    (
        r"expected a page of",
        lambda _: gettext("Links lead to pages of your product's own address only."),
    ),
    (
        r"expected the name of a time zone",
        lambda _: gettext("Write the name of a time zone, such as Asia/Shanghai or UTC."),
    ),
    (
        r"expected an address such as",
        lambda _: gettext("Write an address that begins with https:// or http://."),
    ),
    (
        r"is here already",
        lambda _: gettext("This person is here already, in another role. Change it in the list."),
    ),
    (r"expected 1 to 200 characters", lambda _: gettext("Write a name of 1 to 200 characters.")),
    (r"at least 1 character", lambda _: gettext("Fill this in.")),
    (r"exists already", lambda _: gettext("This key was used before. Keys are never used twice.")),
    (r"not a number", lambda _: gettext("Write a number.")),
    (r"not JSON", lambda _: gettext('This is not JSON. Text needs quotes, for instance "blue".')),
    (r"valid integer", lambda _: gettext("Write a whole number.")),
    (
        r"greater than or equal to ([\d.]+)",
        lambda limit: gettext("Write a number from %(least)s.", least=limit),
    ),
    (r"greater than ([\d.]+)", lambda limit: gettext("Write a number above %(least)s.", least=limit)),
    (
        r"less than or equal to ([\d.]+)",
        lambda limit: gettext("Write a number up to %(most)s.", most=limit),
    ),
    (r"less than ([\d.]+)", lambda limit: gettext("Write a number below %(most)s.", most=limit)),
    (r"two have the same key", lambda _: gettext("Two variants have the same key.")),
    (
        r"at least one other need a weight",
        lambda _: gettext("The control and at least one other variant need a weight above 0."),
    ),
    (r"not among the variants", lambda _: gettext("This is not the key of any variant.")),
    (r"should have at least 2 items", lambda _: gettext("An experiment needs at least two variants.")),
    (r"should have at least 1 item", lambda _: gettext("Choose at least one primary metric.")),
    (r"should have at most 5 items", lambda _: gettext("Choose at most five primary metrics.")),
    (
        r"sequential inference needs size",
        lambda _: gettext("Looking at any time up to a size needs that size."),
    ),
    (r"where the slot begins", lambda _: gettext("The slot must end above where it begins.")),
    (r"(?:later than starts)", lambda _: gettext("It must end after it begins.")),
    (r"date|datetime", lambda _: gettext("Write a date such as 2026-03-15.")),
    (r"finite number", lambda _: gettext("Write a number.")),
    (r"there is no metric", lambda _: gettext("One of these metrics does not exist.")),
    (r"is what units outside", lambda _: gettext("This word is taken; choose another key.")),
    (r"cannot be stored", lambda _: gettext("This holds a character that cannot be stored.")),
    (r"a number and h, d or w", lambda _: gettext("Write a number and h, d or w, such as 14d.")),
    (r"two have the same name", lambda _: gettext("Two properties have the same name.")),
    (r"expected a text$", lambda _: gettext("Fill this in.")),
    (r"Field required", lambda _: gettext("Fill this in.")),
    (r"Input should be 'user_id'", lambda _: gettext("Choose one of these.")),
]
