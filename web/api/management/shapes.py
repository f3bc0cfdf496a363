"""Shapes that several handlers answer with."""

from datetime import datetime
from typing import Any

from experiments.audit import Entry


def moment(at: datetime | None) -> str | None:
    """A moment as JSON has it."""
    return None if at is None else at.isoformat()


def shown_entry(entry: Entry) -> dict[str, Any]:
    """A change, as the audit log tells it."""
    return {
        "id": entry.id,
        "at": moment(entry.at),
        "actor": entry.actor,
        "token": entry.token,
        "action": entry.action,
        "object": entry.object,
        "before": entry.before,
        "after": entry.after,
    }
