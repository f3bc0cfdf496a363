"""Legibility: stored definitions are validated when they are written and once more when they are read.

One that cannot be read any more (it was damaged, or written by another version) never keeps the others from
being read: it is left out and named, and whoever applies it again repairs it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlmodel import Session, select

from experiments.definition import (
    ExperimentDraft,
    HoldoutDraft,
    LayerDraft,
    SegmentDraft,
    invalid,
    store_form,
)
from experiments.errors import NotAllowed
from experiments.fields import Draft
from experiments.metrics import MetricDraft
from experiments.store.tables import ExperimentRow, HoldoutRow, LayerRow, MetricRow, SegmentRow

_Row = TypeVar("_Row")
_Read = TypeVar("_Read")

_KINDS: dict[str, tuple[Any, Any]] = {
    "experiment": (ExperimentRow, ExperimentDraft),
    "metric": (MetricRow, MetricDraft),
    "layer": (LayerRow, LayerDraft),
    "holdout": (HoldoutRow, HoldoutDraft),
    "segment": (SegmentRow, SegmentDraft),
}


@dataclass(frozen=True, slots=True)
class Illegible:
    """A stored definition that cannot be read, and why."""

    kind: str
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: its stored definition cannot be read ({self.reason}); apply it again"


def legible(rows: Iterable[_Row], read: Callable[[_Row], _Read]) -> list[_Read]:
    """Read all rows that can be read."""
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except ValidationError:
            continue
    return found


def rewritten(stored: str, draft: type[Draft]) -> str:
    """A stored definition as it would be written now; one that cannot be read as it is.

    What was stored by an older version lacks the fields that came later.
    """
    try:
        return store_form(draft.model_validate_json(stored))
    except ValidationError:
        return stored


def require_legible(kind: str, key: str, read: Callable[[], _Read]) -> _Read:
    """Read one definition.

    Raises
    ------
    NotAllowed
        If it cannot be read, saying why.
    """
    try:
        return read()
    except ValidationError as problem:
        raise NotAllowed(str(Illegible(kind, key, str(invalid(problem))))) from problem


def list_illegible(*, session: Session) -> list[Illegible]:
    """Everything that cannot be read."""
    found = []
    for kind, (table, draft) in _KINDS.items():
        newest = {row.key: row for row in session.exec(select(table).order_by(table.id))}
        for row in newest.values():
            try:
                draft.model_validate_json(row.definition)
            except ValidationError as problem:
                found.append(Illegible(kind, row.key, str(invalid(problem))))
    return found
