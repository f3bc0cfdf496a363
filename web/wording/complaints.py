"""Complaints: what is wrong with a form of the overview pages, each beside its field."""

import re
from collections.abc import Callable, Sequence

from experiments.errors import Problem
from web.wording.language import gettext
from web.wording.mistakes import worded


def beside(problems: Sequence[Problem]) -> dict[str, list[str]]:
    """Sort problems by the field that they belong to; what belongs to none stands under ``form``."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        found.setdefault(_field(problem.place), []).append(_told(problem.message))
    return found


def _field(place: str) -> str:
    """The field of a form: ``follow_ups.1.due`` is the second day, ``condition.all`` the condition."""
    task = re.fullmatch(r"follow_ups\.(\d+)\.(task|owner|due)", place)
    if task:
        return f"{task[2]}:{task[1]}"
    if place.startswith("segment "):  # what a whole segment refers to stands in its condition
        return "condition"
    return place.split(".", maxsplit=1)[0] or "form"


def _told(message: str) -> str:
    for pattern, say in _MESSAGES:
        if re.search(pattern, message):
            return say()
    return worded(message)


_MESSAGES: list[tuple[str, Callable[[], str]]] = [
    (
        r"was changed by somebody else",
        lambda: gettext(
            "Somebody else has changed the experiment meanwhile. Look again; what you wrote is still here, "
            "and sending it once more overrules them."
        ),
    ),
    (r"exists already", lambda: gettext("This key is in use; choose another.")),
    (r"valid date", lambda: gettext("Write a day, such as 2026-03-15.")),
]
