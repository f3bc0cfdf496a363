"""The appendix of a readout: what the engine is asked for each metric, and who changed what meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from experiments import audit
from experiments.analyses import question_of
from experiments.catalog import Experiment, find_experiment
from experiments.metric_uses import chosen_metrics
from experiments.metrics import MetricDraft
from experiments.observe import Engine, Question
from experiments.observe.statement import statement_of
from experiments.store.tables import MetricRow, PhaseRow
from experiments.timeline import FieldChange, changes_in


@dataclass(frozen=True, slots=True)
class MetricStatement:
    """The SQL behind a metric's numbers, in the words of the engine that runs it.

    It is the experiment's own statement, reduced to this metric over all units; ``version`` is that of the
    definition which counts.
    """

    metric: str
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class DefinitionChange:
    """A change of the experiment, or of one of its metrics, after its present phase began.

    Attributes
    ----------
    metric
        Its key; None for the experiment itself.
    version
        Which the change made of the metric. The experiment goes on with the version that its phase began
        with, so such a change moves none of its numbers.
    """

    at: datetime
    actor: str
    metric: str | None
    version: int | None
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Appendix:
    """What stands behind a readout beside its methods; the changes come with the oldest first."""

    statements: tuple[MetricStatement, ...]
    changes: tuple[DefinitionChange, ...]


def appendix_of(*, session: Session, engine: Engine, key: str, now: datetime) -> Appendix:
    """Put an experiment's appendix together.

    Raises
    ------
    NotFound
        If there is no such experiment.
    """
    experiment = find_experiment(session=session, key=key)
    return Appendix(
        statements=tuple(_statements(session, engine, experiment, now)),
        changes=definition_changes(session=session, experiment=experiment),
    )


def definition_changes(*, session: Session, experiment: Experiment) -> tuple[DefinitionChange, ...]:
    """Who changed the experiment or its metrics since its present phase began, and what."""
    since = _beginning(session, experiment)
    if since is None:
        return ()
    chosen = chosen_metrics(session=session, experiment=experiment)
    metrics = {f"metric:{key}": key for key in (*chosen.planned, *chosen.others)}
    entries = audit.changes_since(session=session, objects=[experiment.key, *metrics], since=since)
    return tuple(
        DefinitionChange(
            at=each.at,
            actor=each.actor,
            metric=metrics.get(each.object),
            version=_version_of(session, metrics.get(each.object), each.at),
            changes=changes_in(each),
        )
        for each in entries
        if each.action == "edit"
    )


def question_about(question: Question, metric: MetricDraft) -> Question:
    """An experiment's question, reduced to one metric over all units."""
    needed = {*metric.parts, *question.predecessors(metric)} - {metric.key}
    others = [each for key, each in question.by_key.items() if key in needed]
    return replace(question, metrics=[metric], others=others, segments=(), beside={}, channel=None)


def _statements(
    session: Session, engine: Engine, experiment: Experiment, now: datetime
) -> Iterator[MetricStatement]:
    question = question_of(session=session, experiment=experiment, now=now)
    chosen = chosen_metrics(session=session, experiment=experiment)
    for key, metric in chosen.planned.items():
        text = engine.text_of(statement_of(question_about(question, metric.definition)))
        yield MetricStatement(key, metric.version, text)


def _beginning(session: Session, experiment: Experiment) -> datetime | None:
    phase = select(PhaseRow.started_at).where(
        PhaseRow.experiment == experiment.key, PhaseRow.number == experiment.phase
    )
    return session.exec(phase).first() or experiment.started_at


def _version_of(session: Session, metric: str | None, at: datetime) -> int | None:
    if metric is None:
        return None
    made = select(MetricRow.version).where(MetricRow.key == metric, MetricRow.created_at == at)
    return session.exec(made.order_by(col(MetricRow.version).desc())).first()
