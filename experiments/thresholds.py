"""Thresholds: beyond which limit a guardrail alerts, after how long, and whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, ValidationError
from sqlmodel import Session, select

from experiments import audit
from experiments.catalog import Experiment, find_experiment, margins_of
from experiments.definition import invalid, store_form
from experiments.errors import InvalidInput, NotFound
from experiments.fields import Draft, Key, Name
from experiments.registry import Metric, list_metrics
from experiments.store.outcomes import ThresholdRow

LONGEST_WAIT = 30 * 24
"""Hours; a breach that may last longer is not worth an alert."""


class ThresholdDraft(Draft):
    """When a guardrail of an experiment alerts.

    Attributes
    ----------
    limit
        Relative harm that is still tolerated, as in the guardrail's own margin.
    wait
        Whole hours that a breach must last before anybody is told.
    who
        Whom the message names; the owner of the experiment where it is empty.
    """

    metric: Key
    limit: float = Field(gt=0, lt=10)
    wait: int = Field(default=0, ge=0, le=LONGEST_WAIT, strict=True)
    who: Name = ""
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold in force; ``own`` when somebody set it, otherwise it is the guardrail's own limit."""

    experiment: str
    metric: str
    limit: float
    wait: timedelta
    who: str
    muted: bool
    own: bool


def parse_threshold(document: dict[str, Any]) -> ThresholdDraft:
    """Read a threshold, or name everything that is wrong with it."""
    try:
        return ThresholdDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def set_threshold(*, session: Session, key: str, draft: ThresholdDraft, actor: str, now: datetime) -> None:
    """Put a threshold in force for a guardrail of an experiment.

    Raises
    ------
    InvalidInput
        If the experiment has no such guardrail.
    """
    experiment = find_experiment(session=session, key=key)
    if draft.metric not in {each.metric for each in experiment.definition.metrics.guardrails}:
        raise InvalidInput.at("metric", f"{key} has no guardrail {draft.metric!r}")
    row = session.exec(
        select(ThresholdRow).where(ThresholdRow.experiment == key, ThresholdRow.metric == draft.metric)
    ).first()
    row = row or ThresholdRow(experiment=key, metric=draft.metric, limit=0.0, wait=0, who="")
    row.limit, row.wait, row.who, row.muted = draft.limit, draft.wait, draft.who, draft.muted
    session.add(row)
    told = store_form(draft)
    audit.record(session=session, actor=actor, action="threshold", object=key, after=told, now=now)
    session.flush()


def thresholds_of(*, session: Session, experiments: list[Experiment]) -> dict[str, list[Threshold]]:
    """The thresholds in force for the guardrails of each experiment, by its key."""
    rows = {(row.experiment, row.metric): row for row in session.exec(select(ThresholdRow))}
    metrics = {each.key: each for each in list_metrics(session=session)}
    return {each.key: list(_thresholds(each, rows, metrics)) for each in experiments}


def require_threshold(found: list[Threshold], metric: str) -> Threshold:
    """The threshold of a metric.

    Raises
    ------
    NotFound
        If the metric is no guardrail.
    """
    for each in found:
        if each.metric == metric:
            return each
    raise NotFound(f"there is no guardrail {metric!r}")


def _thresholds(
    experiment: Experiment, rows: dict[tuple[str, str], ThresholdRow], metrics: dict[str, Metric]
) -> Iterator[Threshold]:
    owner = experiment.definition.owner
    margins = margins_of(experiment.definition, metrics)
    for guardrail in experiment.definition.metrics.guardrails:
        row = rows.get((experiment.key, guardrail.metric))
        margin = margins.get(guardrail.metric)
        if row is None and margin is not None:
            at_once = timedelta()
            yield Threshold(experiment.key, guardrail.metric, margin, at_once, owner, muted=False, own=False)
        elif row is not None:
            wait, who = timedelta(hours=row.wait), row.who or owner
            yield Threshold(experiment.key, row.metric, row.limit, wait, who, row.muted, own=True)
