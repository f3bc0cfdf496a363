"""Readiness: what stands between a draft and its start, and what is worth a second thought.

Each point has a stable code; the pages find the words. A point that blocks has to be settled before the
start; any other is advice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from experiments import eligibility
from experiments.catalog import Experiment, list_experiments
from experiments.definition import ExperimentDraft
from experiments.errors import Conflict, InvalidInput
from experiments.lifecycle import Status
from experiments.openings import opened_variants
from experiments.pasts import Past, find_pasts
from experiments.previews import is_shown
from experiments.registry import Metric, list_metrics
from experiments.store.instants import to_millis
from experiments.store.tables import QualityRow
from experiments.store.tallies import DAY_MS

LONGEST_WEEKS = 8
"""Above this, cookies and seasons change more than the experiment does."""

MANY_GOALS = 2


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the checklist.

    Attributes
    ----------
    code
        What was looked at.
    settled
        Whether it is as it should be.
    blocks
        Whether the experiment cannot start before it is.
    names
        The metrics, experiments or numbers that it speaks of.
    """

    code: str
    settled: bool
    blocks: bool = False
    names: tuple[str, ...] = ()


def check_ready(
    *, session: Session, experiment: Experiment, weeks: int | None, now: datetime
) -> tuple[Point, ...]:
    """Look at everything that a start stands on.

    Parameters
    ----------
    weeks
        Whole weeks that the experiment needs, where they are known.
    """
    draft = experiment.definition
    pasts = find_pasts(session=session, unit_type=draft.unit)
    metrics = {metric.key: metric for metric in list_metrics(session=session)}
    return (
        Point("goal", bool(draft.metrics.primary), blocks=True),
        Point("hypothesis", all(draft.hypothesis.model_dump().values()), blocks=True),
        *_eligible(session, experiment),
        Point("harm_limits", bool(draft.metrics.guardrails)),
        Point("one_goal", len(draft.metrics.primary) < MANY_GOALS),
        Point("size", draft.plan.size is not None or draft.plan.days is not None),
        *([] if weeks is None else [Point("weeks", weeks <= LONGEST_WEEKS, names=(str(weeks),))]),
        *_recorded(session, draft, metrics, now),
        *_same_unit(draft, pasts),
        *_opened(session, experiment),
        *_overlaps(session, draft),
    )


def may_start(points: Sequence[Point]) -> bool:
    """Whether nothing that blocks is unsettled."""
    return all(point.settled for point in points if point.blocks)


def _eligible(session: Session, experiment: Experiment) -> Iterator[Point]:
    try:
        eligibility.require_known(session=session, experiment=experiment)
        eligibility.require_room(session=session, experiment=experiment)
    except InvalidInput as refusal:
        yield Point("known", settled=False, blocks=True, names=tuple(map(str, refusal.problems)))
    except Conflict as refusal:
        yield Point("room", settled=False, blocks=True, names=(str(refusal),))
    else:
        yield Point("room", settled=True, blocks=True)


def _recorded(
    session: Session, draft: ExperimentDraft, metrics: Mapping[str, Metric], now: datetime
) -> Iterator[Point]:
    """Whether the events of the metrics have been seen since yesterday."""
    since = to_millis(now - timedelta(days=1)) // DAY_MS
    query = (
        select(QualityRow.event).where(QualityRow.day >= since, QualityRow.outcome == "accepted").distinct()
    )
    seen = set(session.exec(query))
    silent = [
        metrics[key].definition.title
        for key in draft.metrics.keys
        if (event := getattr(metrics[key].definition, "event", "")) and event not in seen
    ]
    yield Point("recorded", not silent, names=tuple(silent))


def _same_unit(draft: ExperimentDraft, pasts: Mapping[str, Past]) -> Iterator[Point]:
    """Whether the primary metrics are recorded with the kind of id that is assigned."""
    known = [key for key in draft.metrics.primary if key in pasts]
    other = [key for key in known if not pasts[key].units]
    if known:
        yield Point("same_unit", not other, names=tuple(other))


def _opened(session: Session, experiment: Experiment) -> Iterator[Point]:
    """Whether somebody has looked at every variant as it is now."""
    draft = experiment.definition
    if is_shown(experiment.status, draft.assignment):
        opened = opened_variants(session=session, draft=draft)
        unseen = [each.name or each.key for each in draft.variants if each.key not in opened]
        yield Point("opened", not unseen, names=tuple(unseen))


def _overlaps(session: Session, draft: ExperimentDraft) -> Iterator[Point]:
    """Running experiments on the same metrics that are not kept apart by a layer."""
    mine = set(draft.metrics.keys)
    beside = [
        other.title
        for other in list_experiments(session=session, status=Status.RUNNING)
        if other.key != draft.key
        and mine & set(other.definition.metrics.primary)
        and (draft.layer is None or other.definition.layer != draft.layer)
    ]
    yield Point("overlaps", not beside, names=tuple(beside))
