"""Analyses: from an experiment to its readout, computed once and kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, select

from analysis import Correction, Direction, Observation, Plan, PlannedMetric, Role, read
from assignment import allocate, condition_from_json
from experiments import interruptions
from experiments.catalog import Experiment, find_experiment, margins_of
from experiments.definition import ExperimentDraft
from experiments.eligibility import conditions_of, list_segments, uncountable
from experiments.errors import InvalidInput
from experiments.lifecycle import BEFORE_START, Status
from experiments.metric_uses import chosen_metrics
from experiments.observe import Bots, Engine, Question, count, count_all
from experiments.observe.cohorts import with_cohorts
from experiments.observe.question import DAY_MS, covariates, reach
from experiments.readouts import Snapshot, count_snapshots, keep, latest
from experiments.registry import Metric
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.tables import PhaseRow

FOREVER = 2**62
BEFOREHAND = 30 * DAY_MS
"""How long before its planned start an experiment's exposures still show in what was recorded."""


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
        asked = _ask(session, key, now)
    with interruptions.noted(store=store, keys=[key], now=now):
        counted = count(engine=engine, question=asked.question, progress=progress)
        observation = with_cohorts(engine, asked.question, counted)
    return _kept(store, asked, observation, version)


def analyse_all(
    *,
    store: Store,
    engine: Engine,
    keys: Sequence[str],
    now: datetime,
    version: str,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> list[Snapshot]:
    """Observe, read and keep several experiments over one copy of the log, which is brought up to date once.

    Raises
    ------
    NotFound
        If there is no such experiment.
    InvalidInput
        If one has not started.
    """
    with store.read() as session:
        asked = [_ask(session, key, now) for key in dict.fromkeys(keys)]
    questions = [each.question for each in asked]
    with interruptions.noted(store=store, keys=keys, now=now):
        counted = count_all(engine=engine, questions=questions, progress=progress)
        observed = [with_cohorts(engine, *each) for each in zip(questions, counted, strict=True)]
    return [
        _kept(store, each, observation, version) for each, observation in zip(asked, observed, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """An experiment with what was planned and what is asked."""

    plan: Plan
    question: Question
    external: bool


def _ask(session: Session, key: str, now: datetime) -> _Asked:
    experiment = find_experiment(session=session, key=key)
    if experiment.status in BEFORE_START:
        raise InvalidInput.at(key, f"is a {experiment.status}; it has no data before it starts")
    metrics = chosen_metrics(session=session, experiment=experiment).planned
    looked = count_snapshots(session=session, key=key, phase=experiment.phase)
    plan = replace(plan_of(experiment, metrics), looked=looked)
    question = question_of(session=session, experiment=experiment, now=now)
    return _Asked(plan, question, experiment.definition.assignment == "external")


def _kept(store: Store, asked: _Asked, observation: Observation, version: str) -> Snapshot:
    readout = read(asked.plan, observation, version=version)
    with store.write() as session:
        interruptions.end(session=session, key=readout.experiment)
        # Of an experiment that another system assigns perhaps only totals are known: `experiments.summaries`.
        if asked.external and not any(observation.units.values()):
            told = latest(session=session, key=readout.experiment)
            if told is not None:
                return told
        return keep(session=session, readout=readout, observation=observation)


def statement_question(*, session: Session, key: str, now: datetime) -> Question:
    """The question behind an experiment's numbers, for showing its statement."""
    return question_of(session=session, experiment=find_experiment(session=session, key=key), now=now)


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
        segments=draft.segments,
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
    return tuple(_planned_metric(draft, metrics[key], role, margins.get(key)) for key, role in roles.items())


def _planned_metric(
    draft: ExperimentDraft, chosen: Metric, role: Role, margin: float | None
) -> PlannedMetric:
    metric = chosen.definition
    back, also = _covariates(draft)
    return PlannedMetric(
        key=metric.key,
        role=role,
        direction=Direction(metric.direction),
        kind=metric.kind,
        margin=margin,
        covariates=covariates(metric, back, also),
        quantile=metric.quantile,
        steps=metric.steps,
        horizon=reach(metric)[1] if metric.kind == "time_to_event" else None,
        smallest=metric.minimum,
        version=chosen.version,
    )


def _covariates(draft: ExperimentDraft) -> tuple[int, tuple[str, ...]]:
    """Over how many milliseconds before the exposure covariates are counted, and which all metrics share."""
    planned = draft.plan.covariates
    return (planned.days * DAY_MS, planned.metrics) if planned else (0, ())


def question_of(*, session: Session, experiment: Experiment, now: datetime) -> Question:
    """What to count for an experiment's present phase.

    Raises
    ------
    InvalidInput
        If a planned segment cannot be counted.
    """
    draft = experiment.definition
    metrics = chosen_metrics(session=session, experiment=experiment)
    back, also = _covariates(draft)
    saved = conditions_of(list_segments(session=session))
    for reason in uncountable(draft.segments, saved):
        raise InvalidInput.at(draft.key, reason)
    return Question(
        experiment=draft.key,
        unit_type=draft.unit,
        variants=[variant.key for variant in draft.variants],
        metrics=[metric.definition for metric in metrics.planned.values()],
        since=_beginning(session, experiment),
        until=to_millis(draft.ends) if draft.ends else FOREVER,
        horizon=to_millis(now),
        others=[metric.definition for metric in metrics.others.values()],
        back=back,
        also=also,
        segments=draft.segments,
        saved=saved,
        bots=_bots(draft),
        gap=draft.plan.session_gap * 60_000,
        aged=frozenset(draft.metrics.primary),
        channel=draft.plan.channel,
        earliest=to_millis(draft.starts) - BEFOREHAND if draft.starts else None,
        ours=draft.assignment == "internal",
    )


def _bots(draft: ExperimentDraft) -> Bots | None:
    rule = draft.plan.bots
    if rule is None:
        return None
    return Bots(rule.events_per_day, None if rule.where is None else condition_from_json(rule.where))


def _beginning(session: Session, experiment: Experiment) -> int:
    """When the present phase began."""
    # The first phase begins where the definition says, or with the oldest exposure (an import of the past);
    # a later one begins when its salt came into force.
    draft = experiment.definition
    since = to_millis(draft.starts) if draft.starts else -FOREVER
    if experiment.phase == 1:
        return since
    phase = session.exec(
        select(PhaseRow).where(PhaseRow.experiment == draft.key, PhaseRow.number == experiment.phase)
    ).first()
    return since if phase is None or phase.started_at is None else to_millis(phase.started_at)
