"""The history of a metric in words: its versions, with who made each and what became different."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from experiments.registry import MetricVersion
from experiments.timeline import Entry, FieldChange
from web.wording.conditions import condition_sentence
from web.wording.history import Changed, told, written
from web.wording.language import gettext
from web.wording.metric_forms import labels


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version of a metric."""

    number: int
    at: datetime
    told: str
    changes: tuple[Changed, ...]


def version_lines(versions: Sequence[MetricVersion], entries: Sequence[Entry]) -> tuple[VersionLine, ...]:
    """Tell every version, the newest first, with what the audit log knows of it."""
    written_down = [entry for entry in entries if entry.action in ("create", "edit")]
    return tuple(_line(*pair) for pair in zip_longest(versions, written_down[: len(versions)]))


def _line(version: MetricVersion, entry: Entry | None) -> VersionLine:
    number = version.metric.version
    said = gettext("Version %(number)s", number=number)
    if entry is None:
        return VersionLine(number, version.created_at, said, ())
    who = gettext("%(what)s: %(who)s", what=said, who=told(entry))
    return VersionLine(number, version.created_at, who, tuple(map(changed, entry.changes)))


def changed(change: FieldChange) -> Changed:
    """Tell one field of a metric before and after."""
    named = labels()
    name = named[change.field][0] if change.field in named else change.field
    return Changed(name, _value(change.field, change.before), _value(change.field, change.after))


def _value(field: str, value: Any) -> str:
    if field == "where" and value:
        return condition_sentence(value)
    return written(field, value)
