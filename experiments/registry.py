"""The metric registry: every version of a metric, which one an experiment uses, and who uses a metric."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from experiments.catalog import Experiment, Metric, list_experiments, list_metrics
from experiments.errors import NotFound
from experiments.metrics import MetricDraft
from experiments.store.tables import MetricRow, PhaseRow


@dataclass(frozen=True, slots=True)
class MetricVersion:
    """One version of a metric, and since when it is the newest."""

    metric: Metric
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Chosen:
    """The metrics of an experiment, in the versions that its phase began with.

    Attributes
    ----------
    planned
        By key, in the order of their roles.
    others
        What planned ratios are made of, and covariates, as far as they are not planned themselves.
    """

    planned: dict[str, Metric]
    others: dict[str, Metric]


def list_versions(*, session: Session, key: str) -> list[MetricVersion]:
    """All versions of a metric, the newest first.

    Raises
    ------
    NotFound
        If there is no such metric.
    """
    versions = _versions(session, [key])[key]
    if not versions:
        raise NotFound(f"there is no metric {key!r}")
    return versions[::-1]


def chosen_metrics(*, session: Session, experiment: Experiment) -> Chosen:
    """The metrics of an experiment: those of its phase's beginning, or the newest before it starts.

    What a running experiment measures cannot change under it; a metric that is changed while it runs counts
    as it did, until a new phase begins.

    Raises
    ------
    NotFound
        Naming the first that is missing.
    """
    phase = session.exec(
        select(PhaseRow).where(PhaseRow.experiment == experiment.key, PhaseRow.number == experiment.phase)
    ).first()
    moment = None if phase is None else phase.started_at
    definition = experiment.definition
    covariates = definition.plan.covariates
    planned = _in_force(session, definition.metrics.keys, moment)
    further = [key for metric in planned.values() for key in metric.definition.parts]
    further += covariates.metrics if covariates else ()
    others = _in_force(session, [key for key in dict.fromkeys(further) if key not in planned], moment)
    parts = [key for metric in others.values() for key in metric.definition.parts]
    others |= _in_force(session, [key for key in parts if key not in planned | others], moment)
    return Chosen(planned, others)


def users_of(*, session: Session, key: str) -> list[Experiment]:
    """The experiments that a change of a metric concerns: those that plan it, or a ratio made of it."""
    concerned = {key} | {each.key for each in list_metrics(session=session) if key in each.definition.parts}
    return [
        experiment
        for experiment in list_experiments(session=session)
        if concerned & {*experiment.definition.metrics.keys, *_covariates(experiment)}
    ]


def made_of(*, session: Session, key: str) -> list[MetricDraft]:
    """The metrics that are made of a metric."""
    return [each.definition for each in list_metrics(session=session) if key in each.definition.parts]


def _covariates(experiment: Experiment) -> Iterable[str]:
    covariates = experiment.definition.plan.covariates
    return covariates.metrics if covariates else ()


def _in_force(session: Session, keys: Sequence[str], moment: datetime | None) -> dict[str, Metric]:
    """The newest versions that were there at a moment; the oldest of a metric that came later."""
    found = _versions(session, keys)
    for key in keys:
        if not found[key]:
            raise NotFound(f"there is no metric {key!r}")
    chosen = {}
    for key in keys:
        there = [each for each in found[key] if moment is None or each.created_at <= moment]
        chosen[key] = (there[-1] if there else found[key][0]).metric
    return chosen


def _versions(session: Session, keys: Sequence[str]) -> dict[str, list[MetricVersion]]:
    query = select(MetricRow).where(col(MetricRow.key).in_(keys)).order_by(col(MetricRow.version))
    found: dict[str, list[MetricVersion]] = defaultdict(list)
    for row in session.exec(query):
        metric = Metric(MetricDraft.model_validate_json(row.definition), row.version)
        found[row.key].append(MetricVersion(metric, row.created_at))
    return found
