"""Readiness in words: one line for each point of the checklist."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from experiments.readiness import Point
from web.wording import numbers
from web.wording.language import gettext


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the checklist, and the step of the form where it can be settled."""

    text: str
    settled: bool
    blocks: bool
    step: str


def worded_point(point: Point) -> Line:
    """Say a point, settled or not."""
    good, bad, step = _POINTS[point.code]
    text = good() if point.settled else bad(numbers.listed(point.names))
    return Line(text, point.settled, point.blocks, step)


_Words = tuple[Callable[[], str], Callable[[str], str], str]

_POINTS: Mapping[str, _Words] = {
    "goal": (
        lambda: gettext("A primary metric decides."),
        lambda _: gettext("Choose the metric that decides."),
        "measure",
    ),
    "hypothesis": (
        lambda: gettext("The hypothesis is complete."),
        lambda _: gettext("Complete the hypothesis: the change, the audience, the effect and the reason."),
        "believe",
    ),
    "room": (
        lambda: gettext("Nothing that it stands on is missing, and its place in the layer is free."),
        lambda names: gettext("Its place is taken: %(names)s", names=names),
        "who",
    ),
    "known": (
        lambda: "",
        lambda names: gettext("Something that it stands on is missing: %(names)s", names=names),
        "who",
    ),
    "harm_limits": (
        lambda: gettext("Guardrails with harm limits watch over it."),
        lambda _: gettext("No guardrail watches over it. What must not get worse?"),
        "measure",
    ),
    "one_goal": (
        lambda: gettext("One goal: nothing has to be corrected for."),
        lambda _: gettext("Several goals share the error rate, so each needs more units."),
        "measure",
    ),
    "size": (
        lambda: gettext("Its size or its length is planned."),
        lambda _: gettext("Neither size nor length is planned; intervals will be wider."),
        "check",
    ),
    "weeks": (
        lambda: gettext("It will take a reasonable time."),
        lambda weeks: gettext(
            "It needs %(weeks)s weeks. Above eight, cookies and seasons change more than it does.",
            weeks=weeks,
        ),
        "check",
    ),
    "recorded": (
        lambda: gettext("Its events were seen since yesterday."),
        lambda names: gettext("No event was seen since yesterday for: %(names)s", names=names),
        "measure",
    ),
    "same_unit": (
        lambda: gettext("Its metrics are recorded for the units that are assigned."),
        lambda names: gettext(
            "These metrics were not recorded lately for the units that are assigned: %(names)s", names=names
        ),
        "who",
    ),
    "opened": (
        lambda: gettext("Every variant was looked at as it is now."),
        lambda names: gettext("Nobody has opened the preview of: %(names)s", names=names),
        "check",
    ),
    "overlaps": (
        lambda: gettext("No running experiment has the same goal."),
        lambda names: gettext(
            "These run on the same goal; a shared layer would keep them apart: %(names)s", names=names
        ),
        "who",
    ),
}
