"""Analyses: from an experiment to its readout, computed once and kept."""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session, select

from analysis import Correction, Direction, Plan, PlannedMetric, Role, read
from assignment import allocate
from experiments.catalog import Experiment, Metric, find_experiment, find_metrics, margins_of
from experiments.definition import ExperimentDraft
from experiments.errors import InvalidInput
from experiments.lifecycle import Status
from experiments.observe import Engine, Question, count
from experiments.readouts import Snapshot, keep, latest
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.tables import PhaseRow

FOREVER = 2**62


def analyse(
    *,
    store: Store,
    engine: Engine,
    key: str,
    now: datetime,
    version: str,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Snapshot:
    """Observe an experiment's present phase, read it, and keep the readout.

    Where another system assigns and no unit is known, the readout that was made of its totals stays.

    Parameters
    ----------
    engine
        What runs the statement.
    now
        The moment of the analysis: what happened later has not happened yet.
    version
        The version of the code, kept with the readout.

    Raises
    ------
    NotFound
        If there is no such experiment.
    InvalidInput
        If it has not started.
    """
    with store.read() as session:
        experiment = find_experiment(session=session, key=key)
        if experiment.status in (Status.DRAFT, Status.REVIEW):
            raise InvalidInput.at(key, f"is a {experiment.status}; it has no data before it starts")
        metrics = find_metrics(session=session, keys=experiment.definition.metrics.keys)
        phase = session.exec(
            select(PhaseRow).where(PhaseRow.experiment == key, PhaseRow.number == experiment.phase)
        ).first()
        question = _question(experiment, metrics, phase, now)
    observation = count(engine=engine, question=question, progress=progress)
    readout = read(plan_of(experiment, metrics), observation, version=version)
    with store.write() as session:
        # Of an experiment that another system assigns perhaps only totals are known: `experiments.summaries`.
        unseen = experiment.definition.assignment == "external" and not any(observation.units.values())
        if unseen and (told := latest(session=session, key=key)):
            return told
        return keep(session=session, readout=readout, observation=observation)


def statement_question(*, session: Session, key: str, now: datetime) -> Question:
    """The question behind an experiment's numbers, for showing its statement."""
    experiment = find_experiment(session=session, key=key)
    metrics = find_metrics(session=session, keys=experiment.definition.metrics.keys)
    return _question(experiment, metrics, None, now)


def plan_of(experiment: Experiment, metrics: dict[str, Metric]) -> Plan:
    """The plan of an experiment's present phase."""
    draft = experiment.definition
    return Plan(
        experiment=draft.key,
        control=draft.control,
        weights=_weights(draft),
        metrics=_planned(draft, metrics),
        phase=experiment.phase,
        confidence=draft.plan.confidence,
        inference=draft.plan.chosen_inference,
        correction=Correction(draft.plan.correction),
        power=draft.plan.power,
        mde=draft.plan.mde,
        size=draft.plan.size,
        days=draft.plan.days,
        starts=draft.starts or experiment.started_at,
        ends=draft.ends,
        looks=draft.plan.looks,
        prior_sd=draft.plan.prior_sd,
        closed=experiment.status is not Status.RUNNING,
    )


def _weights(draft: ExperimentDraft) -> dict[str, float]:
    """Intended shares: what another system planned, or the buckets that we really hand out."""
    weights = [variant.weight for variant in draft.variants]
    if draft.assignment == "internal" and draft.traffic:
        # At 0.1 % traffic a variant owns a handful of buckets, and rounding moves its share; the split has
        # to be judged against what was handed out, or a small ramp would alarm by itself.
        handed_out = [len(each) for each in allocate(weights, draft.traffic)]
        weights = handed_out if sum(size > 0 for size in handed_out) > 1 else weights
    return {variant.key: float(weight) for variant, weight in zip(draft.variants, weights, strict=True)}


def _planned(draft: ExperimentDraft, metrics: dict[str, Metric]) -> tuple[PlannedMetric, ...]:
    margins = margins_of(draft, metrics)
    roles = dict.fromkeys(draft.metrics.primary, Role.PRIMARY)
    roles |= dict.fromkeys((each.metric for each in draft.metrics.guardrails), Role.GUARDRAIL)
    roles |= dict.fromkeys(draft.metrics.secondary, Role.SECONDARY)
    return tuple(
        PlannedMetric(
            key=key,
            role=role,
            direction=Direction(metrics[key].definition.direction),
            kind=metrics[key].definition.kind,
            margin=margins.get(key),
        )
        for key, role in roles.items()
    )


def _question(
    experiment: Experiment, metrics: dict[str, Metric], phase: PhaseRow | None, now: datetime
) -> Question:
    draft = experiment.definition
    # The first phase begins where the definition says, or with the oldest exposure (an import of the past);
    # a later one begins when its salt came into force.
    since = to_millis(draft.starts) if draft.starts else -FOREVER
    if experiment.phase > 1 and phase is not None and phase.started_at is not None:
        since = to_millis(phase.started_at)
    return Question(
        experiment=draft.key,
        unit_type=draft.unit,
        variants=[variant.key for variant in draft.variants],
        metrics=[metric.definition for metric in metrics.values()],
        since=since,
        until=to_millis(draft.ends) if draft.ends else FOREVER,
        horizon=to_millis(now),
    )
