"""The timeline: what was changed about an experiment, told from the audit log field by field."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from experiments import audit


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a definition before and after, as plain values; None where it was not there."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: who did what, when, and what became different by it."""

    at: datetime
    actor: str
    action: str
    after: str | None
    changes: tuple[FieldChange, ...] = ()


def timeline_of(*, session: Session, key: str) -> list[Entry]:
    """Everything that was done to an experiment, the newest first."""
    return [
        Entry(each.at, each.actor, each.action, each.after, changes_in(each))
        for each in audit.history(session=session, object=key)
    ]


def changes_in(entry: audit.Entry) -> tuple[FieldChange, ...]:
    """The fields that an edit changed."""
    return tuple(_changes(entry))


def _changes(entry: audit.Entry) -> Iterator[FieldChange]:
    if entry.action != "edit" or entry.before is None or entry.after is None:
        return
    before, after = _flat(json.loads(entry.before)), _flat(json.loads(entry.after))
    for field in dict.fromkeys([*before, *after]):
        if before.get(field) != after.get(field):
            yield FieldChange(field, before.get(field), after.get(field))


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """Bring the fields of inner objects to the top, so that a change names the very field."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if name == "variants":
            flat |= {f"variants.{each['key']}": each for each in value}
        elif isinstance(value, dict) and name in ("hypothesis", "plan", "metrics"):
            flat |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    return flat
