"""Rooms: what running experiments hold of a layer, and what is free."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from assignment import BUCKETS
from experiments.catalog import list_experiments
from experiments.lifecycle import Status


@dataclass(frozen=True, slots=True)
class Held:
    """A range of buckets that an experiment holds."""

    start: int
    end: int
    experiment: str


@dataclass(frozen=True, slots=True)
class Room:
    """A layer: what is held, and the gaps between, as ranges [start, end) of buckets."""

    layer: str
    held: tuple[Held, ...]
    gaps: tuple[tuple[int, int], ...]

    @property
    def free(self) -> int:
        """Buckets that nobody holds."""
        return sum(end - start for start, end in self.gaps)


def room_in(*, session: Session, layer: str) -> Room:
    """Look at a layer."""
    held = sorted(
        (
            Held(start, end, each.key)
            for each in list_experiments(session=session, status=Status.RUNNING)
            if each.definition.layer == layer
            for start, end in each.definition.slots
        ),
        key=lambda one: one.start,
    )
    return Room(layer, tuple(held), tuple(_gaps(held)))


def _gaps(held: Sequence[Held]) -> list[tuple[int, int]]:
    gaps, reached = [], 0
    for each in held:
        if each.start > reached:
            gaps.append((reached, each.start))
        reached = max(reached, each.end)
    if reached < BUCKETS:
        gaps.append((reached, BUCKETS))
    return gaps
