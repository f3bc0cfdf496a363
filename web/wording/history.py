"""History in words: what was done to an experiment, and what became different by it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.choices import Choice
from experiments.timeline import Entry, FieldChange
from web.wording import numbers
from web.wording.conditions import condition_sentence
from web.wording.decided import outcome_chip
from web.wording.language import gettext
from web.wording.names import Names

if TYPE_CHECKING:
    from experiments.appendix import DefinitionChange

LONGEST = 200
"""Signs of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One field before and after, as written; empty where it was not there."""

    field: str
    before: str
    after: str


def told(entry: Entry) -> str:
    """Tell one entry of the history."""
    if entry.action == "decide":
        return _decided(entry)
    words: dict[str, Callable[[], str]] = {
        "create": lambda: gettext("%(who)s created it", who=entry.actor),
        "edit": lambda: gettext("%(who)s changed the definition", who=entry.actor),
        "review": lambda: gettext("%(who)s handed it over for review", who=entry.actor),
        "approve": lambda: gettext("%(who)s approved it", who=entry.actor),
        "draft": lambda: gettext("%(who)s took the scheduled start back", who=entry.actor),
        "scheduled": lambda: gettext("%(who)s scheduled its start", who=entry.actor),
        "not_started": lambda: gettext("It could not start by itself: %(why)s", why=entry.after or ""),
        "running": lambda: gettext("%(who)s started it", who=entry.actor),
        "stopped": lambda: gettext("%(who)s stopped it", who=entry.actor),
        "concluded": lambda: gettext("%(who)s concluded it", who=entry.actor),
        "archived": lambda: gettext("%(who)s put it away", who=entry.actor),
        "new_phase": lambda: gettext(
            "Phase %(number)s began: units were drawn anew", number=entry.after or ""
        ),
        "report": lambda: gettext("%(who)s wrote the report", who=entry.actor),
        "share": lambda: gettext("%(who)s shared the report by a link", who=entry.actor),
        "unshare": lambda: gettext("%(who)s withdrew a link to the report", who=entry.actor),
        "threshold": lambda: gettext("%(who)s changed when it alerts", who=entry.actor),
    }
    known = words.get(entry.action)
    return known() if known else gettext("%(who)s: %(action)s", who=entry.actor, action=entry.action)


def fields_told(changes: Sequence[FieldChange]) -> tuple[Changed, ...]:
    """Tell every field that an edit changed."""
    return tuple(
        Changed(_field(each), written(each.field, each.before), written(each.field, each.after))
        for each in changes
    )


def definition_change(change: "DefinitionChange", names: Names) -> str:
    """Tell who changed the experiment, or one of its metrics, while it ran."""
    if change.metric is None:
        return gettext("%(who)s changed the definition", who=change.actor)
    metric = names.metric(change.metric)
    if change.version is None:
        return gettext("%(who)s changed the metric %(metric)s", who=change.actor, metric=metric)
    return gettext(
        "%(who)s changed the metric %(metric)s, which made version %(version)s of it",
        who=change.actor,
        metric=metric,
        version=change.version,
    )


def _decided(entry: Entry) -> str:
    try:
        document = json.loads(entry.after or "")
        outcome = outcome_chip(Choice(document["choice"])).word
    except (ValueError, KeyError):
        return gettext("%(who)s decided", who=entry.actor)
    return gettext("%(who)s decided: %(outcome)s", who=entry.actor, outcome=outcome)


def _phase(entry: Entry) -> str:
    return gettext("Phase %(number)s began: units were drawn anew", number=entry.after or "")


def _field(change: FieldChange) -> str:
    words: dict[str, Callable[[], str]] = {
        "name": lambda: gettext("Name"),
        "description": lambda: gettext("Description"),
        "owner": lambda: gettext("Owner"),
        "tags": lambda: gettext("Tags"),
        "hypothesis.change": lambda: gettext("Hypothesis: the change"),
        "hypothesis.audience": lambda: gettext("Hypothesis: for whom"),
        "hypothesis.effect": lambda: gettext("Hypothesis: the effect"),
        "hypothesis.because": lambda: gettext("Hypothesis: the reason"),
        "traffic": lambda: gettext("Traffic"),
        "targeting": lambda: gettext("Targeting"),
        "layer": lambda: gettext("Layer"),
        "slots": lambda: gettext("Part of the layer"),
        "holdouts": lambda: gettext("Holdouts"),
        "starts": lambda: gettext("Start"),
        "ends": lambda: gettext("End"),
        "control": lambda: gettext("Control"),
        "overrides": lambda: gettext("Overrides"),
        "segments": lambda: gettext("Segments"),
        "metrics.primary": lambda: gettext("Primary metrics"),
        "metrics.secondary": lambda: gettext("Secondary metrics"),
        "metrics.guardrails": lambda: gettext("Guardrails"),
    }
    if change.field.startswith("variants."):
        return gettext("Variant %(name)s", name=change.field.removeprefix("variants."))
    known = words.get(change.field)
    return known() if known else change.field


def written(field: str, value: Any) -> str:
    """Write a value in short; what has no short form is written as JSON."""
    if value in (None, "", [], {}):
        return ""
    if field == "traffic":
        return numbers.tick_share(value / 10_000)
    if field == "targeting":
        return condition_sentence(value)[:LONGEST]
    if field == "slots":
        return ", ".join(
            numbers.tick_share(start / 10_000) + numbers.RANGE + numbers.tick_share(end / 10_000)
            for start, end in value
        )
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)[:LONGEST]
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:LONGEST]
