"""Usage: who stands on a metric, and how it came to be what it is."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from experiments.catalog import Experiment, Metric, list_experiments, list_metrics
from experiments.store.tables import MetricRow


@dataclass(frozen=True, slots=True)
class Uses:
    """Who uses a metric.

    Attributes
    ----------
    experiments
        With the metric's role in each: ``primary``, ``secondary`` or ``guardrail``.
    metrics
        Ratios that are made of it.
    parts
        Metrics that it is made of.
    versions
        The number and moment of each version, the newest first.
    """

    experiments: tuple[tuple[Experiment, str], ...]
    metrics: tuple[Metric, ...]
    parts: tuple[Metric, ...]
    versions: tuple[tuple[int, datetime], ...]


def count_uses(*, session: Session) -> Mapping[str, int]:
    """How many experiments use each metric, by its key."""
    return Counter(key for each in list_experiments(session=session) for key in each.definition.metrics.keys)


def uses_of(*, session: Session, key: str) -> Uses:
    """Look up who uses a metric."""
    known = {metric.key: metric for metric in list_metrics(session=session)}
    rows = session.exec(select(MetricRow).where(MetricRow.key == key).order_by(col(MetricRow.version).desc()))
    return Uses(
        experiments=tuple(
            (each, role)
            for each in list_experiments(session=session)
            if (role := _role(each, key)) is not None
        ),
        metrics=tuple(each for each in known.values() if key in each.definition.parts),
        parts=tuple(known[part] for part in known[key].definition.parts if part in known),
        versions=tuple((row.version, row.created_at) for row in rows),
    )


def _role(experiment: Experiment, key: str) -> str | None:
    roles = experiment.definition.metrics
    if key in roles.primary:
        return "primary"
    if key in roles.secondary:
        return "secondary"
    return "guardrail" if key in {each.metric for each in roles.guardrails} else None
