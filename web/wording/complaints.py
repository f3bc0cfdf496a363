"""Complaints: what is wrong with a form of the overview pages, each beside its field."""

import re
from collections.abc import Callable, Sequence

from experiments.errors import Problem
from web.wording.language import gettext
from web.wording.problems import worded


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
        match = re.search(pattern, message)
        if match:
            return say(*match.groups())
    return worded(message)


_MESSAGES: list[tuple[str, Callable[..., str]]] = [
    (r"^choose the variant", lambda: gettext("Choose the variant that everybody gets.")),
    (r"^choose what happens", lambda: gettext("Choose what happens now.")),
    (r"^expected a day that has not come", lambda: gettext("Choose a day that has not come yet.")),
    (r"^expected a day$|valid date|valid datetime", lambda: gettext("Write a day, such as 2026-03-15.")),
    (r"^write down what was learnt", lambda: gettext("Write down what was learnt, in one sentence.")),
    (
        r"^the decision departs",
        lambda: gettext("This departs from the recommendation; say why, for those who read it later."),
    ),
    (
        r"^expected ([\d.]+) to ([\d.]+)",
        lambda low, high: gettext("Write a number from %(low)s to %(high)s.", low=low, high=high),
    ),
    (
        r"was changed by somebody else",
        lambda: gettext(
            "Somebody else has changed the experiment meanwhile. Look again; what you wrote is still here, "
            "and sending it once more overrules them."
        ),
    ),
    (r"stands on it and has started", lambda: gettext("An experiment that has started stands on it.")),
    (
        r"honours it and has started",
        lambda: gettext("An experiment that has started honours it; make another holdout instead."),
    ),
    (
        r"segment '(.+)' is missing",
        lambda name: gettext("The segment “%(name)s” does not exist, or refers back to this one.", name=name),
    ),
    (r"expected an id of", lambda: gettext("Write an id of 1 to 512 characters.")),
    (r"expected user_id or", lambda: gettext("Choose one of these.")),
    (
        r"^(\d+) people used this anonymous id",
        lambda count: gettext(
            "%(count)s people used this anonymous id. Erase each of them by user id.", count=count
        ),
    ),
    (r"exists already", lambda: gettext("This key is in use; choose another.")),
]
