"""The schedule: what runs when, and which experiments meet the same units at the same time."""

from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from sqlmodel import Session

from experiments.attention import planned_end
from experiments.catalog import Experiment, list_experiments
from experiments.lifecycle import BEFORE_START, Status


@dataclass(frozen=True, slots=True)
class Span:
    """When an experiment runs.

    ``end`` is the planned one for what has not ended; None when none is planned. ``certain`` says whether it
    has really happened like this.
    """

    experiment: Experiment
    start: datetime
    end: datetime | None
    certain: bool


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two experiments that meet the same units at the same time.

    ``metrics`` names the primary metrics that both are judged by.
    """

    one: Experiment
    other: Experiment
    start: datetime
    end: datetime | None
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """The experiments of one layer, or of none (``layer`` is then empty)."""

    layer: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """What runs within a time, lane by lane, and what meets."""

    since: datetime
    until: datetime
    lanes: tuple[Lane, ...]
    overlaps: tuple[Overlap, ...]


def schedule_of(*, session: Session, since: datetime, until: datetime) -> Schedule:
    """Lay out everything that runs within a time, the earliest first."""
    found = [_span(each) for each in list_experiments(session=session)]
    spans = [each for each in found if each is not None and _meets(each, since, until)]
    spans.sort(key=lambda each: (each.start, each.experiment.key))
    layers = sorted(
        {each.experiment.definition.layer or "" for each in spans}, key=lambda name: (not name, name)
    )
    lanes = tuple(
        Lane(layer, tuple(each for each in spans if (each.experiment.definition.layer or "") == layer))
        for layer in layers
    )
    return Schedule(since, until, lanes, tuple(overlaps_in(spans)))


def overlaps_in(spans: list[Span]) -> list[Overlap]:
    """Pairs that run at the same time and may share units, those that share a primary metric first.

    Experiments of one layer hold different slots of it, and those on different kinds of units have none in
    common; neither can meet. What another system assigns is not ours to judge.
    """
    found = [
        Overlap(
            one.experiment,
            other.experiment,
            max(one.start, other.start),
            _earlier(one.end, other.end),
            tuple(sorted(set(_primary(one)) & set(_primary(other)))),
        )
        for one, other in combinations(spans, 2)
        if _at_once(one, other) and _may_share(one.experiment, other.experiment)
    ]
    return sorted(found, key=lambda each: (not each.metrics, each.start))


def _span(experiment: Experiment) -> Span | None:
    draft = experiment.definition
    if experiment.status in (*BEFORE_START, Status.ARCHIVED):
        if experiment.status is Status.ARCHIVED or draft.starts is None:
            return None
        return Span(experiment, draft.starts, planned_end(experiment), certain=False)
    start = draft.starts or experiment.started_at or experiment.created_at
    if experiment.status is Status.RUNNING:
        return Span(experiment, start, planned_end(experiment), certain=False)
    # What is imported from the past ended when its data did, not when somebody wrote that down.
    return Span(experiment, start, _earlier(draft.ends, experiment.stopped_at), certain=True)


def _layer(span: Span) -> str:
    return span.experiment.definition.layer or ""


def _meets(span: Span, since: datetime, until: datetime) -> bool:
    return span.start < until and (span.end is None or span.end > since)


def _at_once(one: Span, other: Span) -> bool:
    end = _earlier(one.end, other.end)
    return end is None or max(one.start, other.start) < end


def _may_share(one: Experiment, other: Experiment) -> bool:
    mine, theirs = one.definition, other.definition
    if "external" in (mine.assignment, theirs.assignment) or mine.unit != theirs.unit:
        return False
    return mine.layer is None or mine.layer != theirs.layer


def _primary(span: Span) -> tuple[str, ...]:
    return span.experiment.definition.metrics.primary


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    ends = [each for each in (one, other) if each is not None]
    return min(ends, default=None)
