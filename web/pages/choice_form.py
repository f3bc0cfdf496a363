"""The form of a decision: everything as it was typed, and the document that it means."""

from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from experiments.errors import InvalidInput, Problem
from web.pages.typed import read_number

BLANK_TASKS = 2
"""Empty lines for follow-ups."""

MOST_TASKS = 20


@dataclass(frozen=True, slots=True)
class TypedTask:
    """A follow-up as it was typed."""

    task: str = ""
    owner: str = ""
    due: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceForm:
    """Every field as text."""

    choice: str = ""
    variant: str = ""
    until: str = ""
    reason: str = ""
    rollout: str = "100"
    holdout: str = "0"
    learning: str = ""
    snapshot: str = ""
    revision: str = ""
    tasks: tuple[TypedTask, ...] = (TypedTask(),) * BLANK_TASKS

    def with_another_task(self) -> "ChoiceForm":
        """The same with one more empty line."""
        return replace(self, tasks=(*self.tasks, TypedTask())[:MOST_TASKS])


def blank_choice(*, revision: str, choice: str = "", variant: str = "", snapshot: str = "") -> ChoiceForm:
    """The form before anybody has typed."""
    return ChoiceForm(choice=choice, variant=variant, snapshot=snapshot, revision=revision)


def read_choice(sent: MultiDict[str, str]) -> ChoiceForm:
    """Take the fields as they were sent."""
    columns = [sent.getlist(f"follow_up_{name}") for name in ("task", "owner", "due")]
    tasks = tuple(TypedTask(*line) for line in zip(*columns, strict=False))[:MOST_TASKS]
    names = (
        "choice",
        "variant",
        "until",
        "reason",
        "rollout",
        "holdout",
        "learning",
        "snapshot",
        "revision",
    )
    return ChoiceForm(**{name: sent.get(name, "") for name in names}, tasks=tasks or ChoiceForm().tasks)


def document_of(form: ChoiceForm) -> dict[str, Any]:
    """Turn what was typed into the document of a conclusion.

    Raises
    ------
    InvalidInput
        Naming every field whose text is not of its kind.
    """
    problems: list[Problem] = []
    document = {
        "choice": form.choice,
        "variant": form.variant.strip() or None,
        "until": _day(form.until, "until", problems),
        "reason": form.reason,
        "rollout": _share(form.rollout, "rollout", (0.01, 100), problems),
        "holdout": _share(form.holdout, "holdout", (0, 50), problems),
        "learning": form.learning,
        "snapshot": int(form.snapshot) if form.snapshot.isdecimal() and len(form.snapshot) < 18 else None,
        "follow_ups": [
            {"task": each.task, "owner": each.owner, "due": _day(each.due, f"due:{place}", problems)}
            for place, each in enumerate(form.tasks)
            if each.task.strip()
        ],
    }
    if form.choice not in ("ship", "roll_back", "stop", "continue"):
        problems.append(Problem("choice", "choose what happens now"))
    if problems:
        raise InvalidInput(problems)
    return document


def _day(text: str, place: str, problems: list[Problem]) -> str | None:
    """Read a day as a browser sends it."""
    text = text.strip()
    if not text:
        return None
    year, *rest = text.split("-")
    if len(year) != 4 or not all(part.isdecimal() and len(part) == 2 for part in rest) or len(rest) != 2:
        problems.append(Problem(place, "expected a day"))
        return None
    return text


def _share(text: str, place: str, limits: tuple[float, float], problems: list[Problem]) -> int:
    """Read per cent as basis points."""
    percent = read_number(text)
    if percent is None or not limits[0] <= percent <= limits[1]:
        problems.append(Problem(place, f"expected {limits[0]:g} to {limits[1]:g}"))
        return 1
    return round(percent * 100)
