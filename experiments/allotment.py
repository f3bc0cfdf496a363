"""The allotment of a layer: who holds which of its buckets, and what is free."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from assignment import BUCKETS
from experiments.catalog import Experiment, list_experiments
from experiments.eligibility import Holdout, Layer, list_holdouts, list_layers
from experiments.lifecycle import HOLDING, Status
from experiments.publishing import compile_ruleset

_PLANNED = (Status.DRAFT, Status.REVIEW, Status.STOPPED)


@dataclass(frozen=True, slots=True)
class Block:
    """Buckets ``[start, end)`` of a layer, with the experiment that holds them; None when they are free."""

    start: int
    end: int
    experiment: Experiment | None = None


@dataclass(frozen=True, slots=True)
class Allotment:
    """A layer from its first bucket to its last, and who waits for a place in it."""

    layer: Layer
    blocks: tuple[Block, ...]
    waiting: tuple[Experiment, ...]

    @property
    def free(self) -> int:
        """Buckets that nobody holds."""
        return sum(block.end - block.start for block in self.blocks if block.experiment is None)


@dataclass(frozen=True, slots=True)
class Standing:
    """A holdout and the running experiments that honour it."""

    holdout: Holdout
    experiments: tuple[Experiment, ...]


def allotments(*, session: Session) -> list[Allotment]:
    """Every layer with who holds what; only those that run or are to start hold buckets."""
    experiments = list_experiments(session=session)
    return [
        Allotment(
            layer,
            tuple(_blocks(held_in(layer.definition.key, experiments))),
            tuple(
                each
                for each in experiments
                if each.definition.layer == layer.definition.key and each.status in _PLANNED
            ),
        )
        for layer in list_layers(session=session)
    ]


def held_in(layer: str, experiments: Sequence[Experiment]) -> list[Block]:
    """The buckets of a layer that experiments hold which run or are to start, from the first to the last."""
    held = [
        Block(start, end, each)
        for each in experiments
        if each.definition.layer == layer and each.status in HOLDING
        for start, end in each.definition.slots
    ]
    return sorted(held, key=lambda block: block.start)


def standings(*, session: Session) -> list[Standing]:
    """Every holdout with the running experiments that honour it."""
    rules = compile_ruleset(session=session).rules
    running = [each for each in list_experiments(session=session, status=Status.RUNNING) if each.key in rules]
    return [
        Standing(
            holdout,
            tuple(each for each in running if holdout.definition.key in rules[each.key].holdouts),
        )
        for holdout in list_holdouts(session=session)
    ]


def _blocks(held: list[Block]) -> Iterator[Block]:
    reached = 0
    for block in held:
        if block.start > reached:
            yield Block(reached, block.start)
        yield block
        reached = max(reached, block.end)
    if reached < BUCKETS:
        yield Block(reached, BUCKETS)
