"""Uses: which metrics an experiment stands on, in which versions, and who stands on a metric."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlmodel import Session, select

from experiments.catalog import Experiment, list_experiments
from experiments.registry import Metric, list_metrics, metrics_at
from experiments.store.tables import PhaseRow


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


@dataclass(frozen=True, slots=True)
class Use:
    """An experiment that stands on a metric.

    Attributes
    ----------
    role
        ``primary``, ``secondary``, ``guardrail``, or ``covariate`` where it only narrows the others.
    through
        The ratio by which it does; None where it names the metric itself.
    """

    experiment: Experiment
    role: str
    through: Metric | None = None


@dataclass(frozen=True, slots=True)
class Uses:
    """Who uses a metric: experiments, and ratios that are made of it; and what it is made of itself."""

    experiments: tuple[Use, ...]
    metrics: tuple[Metric, ...]
    parts: tuple[Metric, ...]


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
    planned = metrics_at(session=session, keys=definition.metrics.keys, moment=moment)
    further = [key for metric in planned.values() for key in metric.definition.parts]
    further += covariates.metrics if covariates else ()
    unplanned = [key for key in dict.fromkeys(further) if key not in planned]
    others = metrics_at(session=session, keys=unplanned, moment=moment)
    parts = [key for metric in others.values() for key in metric.definition.parts]
    unknown = [key for key in parts if key not in planned | others]
    others |= metrics_at(session=session, keys=unknown, moment=moment)
    return Chosen(planned, others)


def count_uses(*, session: Session) -> Mapping[str, int]:
    """How many experiments use each metric, by its key."""
    return Counter(key for each in list_experiments(session=session) for key in each.definition.metrics.keys)


def uses_of(*, session: Session, key: str) -> Uses:
    """Look up whom a change of a metric concerns."""
    known = {metric.key: metric for metric in list_metrics(session=session)}
    ratios = tuple(each for each in known.values() if key in each.definition.parts)
    return Uses(
        experiments=tuple(
            use for each in list_experiments(session=session) for use in _uses(each, key, ratios)
        ),
        metrics=ratios,
        parts=tuple(known[part] for part in known[key].definition.parts if part in known),
    )


def users_of(*, session: Session, key: str) -> list[Experiment]:
    """The experiments that a change of a metric concerns, each once."""
    found = {use.experiment.key: use.experiment for use in uses_of(session=session, key=key).experiments}
    return list(found.values())


def _uses(experiment: Experiment, key: str, ratios: tuple[Metric, ...]) -> Iterator[Use]:
    roles = _roles(experiment)
    yield from (Use(experiment, role) for role in roles.get(key, ()))
    for ratio in ratios:
        yield from (Use(experiment, role, ratio) for role in roles.get(ratio.key, ()))


def _roles(experiment: Experiment) -> dict[str, list[str]]:
    """The roles of an experiment's metrics, by key; one may be a covariate beside."""
    metrics, covariates = experiment.definition.metrics, experiment.definition.plan.covariates
    keys = {
        "primary": metrics.primary,
        "guardrail": [each.metric for each in metrics.guardrails],
        "secondary": metrics.secondary,
        "covariate": covariates.metrics if covariates else (),
    }
    found: dict[str, list[str]] = {}
    for role, named in keys.items():
        for key in named:
            found.setdefault(key, []).append(role)
    return found
