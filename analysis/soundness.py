"""Soundness: whether the data can be trusted before anything is read from them.

Four checks replace the verdict when they fail: the split, crossovers, that anybody was exposed at all, and
that the primary metrics are recorded. All others advise: something should be looked at, but the numbers may
be read. A check is made only where there is something to check, so its presence says that it was.
"""

from collections.abc import Iterable
from datetime import timedelta

from analysis.flags import BASELINE_LEVEL, covariate_p
from analysis.kinds import Counted, counted_of, covariate_places, width_of
from analysis.moments import Moments
from analysis.observation import Lifetable, Observation, QuantileSample
from analysis.plan import Plan, PlannedMetric, Role
from analysis.readout import DataCheck
from analysis.splits import overall_split, split_checks

CROSSOVER_LIMIT = 0.01
"""Above this share of units seen in two variants, the assignment itself is in doubt."""

SILENCE_LIMIT = 500
"""Units after which a metric without a single event means that it is not being recorded."""

LATE_LIMIT = 0.05
"""Above this share of events that come a day late, the newest days will still change."""

MISMATCH_LIMIT = 0.001
"""Above this share of exposures with another variant than our rules give, somebody else assigns too."""


def check_data(plan: Plan, observation: Observation) -> tuple[DataCheck, ...]:
    """Make all checks that this observation allows, those that can replace the verdict first."""
    return (
        *_deciding(plan, observation),
        *split_checks(plan, observation),
        *_before(plan, observation),
        *_missing(plan, observation),
        *_records(observation),
    )


def _deciding(plan: Plan, observation: Observation) -> Iterable[DataCheck]:
    kept, crossed = sum(observation.units.values()), observation.excluded.get("crossover", 0)
    share = crossed / (kept + crossed) if kept + crossed else 0.0
    silent = _silent(plan, observation, primary=True)
    yield overall_split(plan, observation.units)
    yield DataCheck(
        "crossover",
        share <= CROSSOVER_LIMIT,
        statistic=share,
        observed={"crossover": crossed, "kept": kept},
    )
    yield DataCheck("exposures", kept > 0, observed=dict(observation.units))
    yield DataCheck("metrics", not silent, detail=", ".join(silent))


def _silent(plan: Plan, observation: Observation, *, primary: bool) -> list[str]:
    """Metrics without a single event among many units."""
    if sum(observation.units.values()) < SILENCE_LIMIT:
        return []
    asked = (metric for metric in plan.metrics if (metric.role is Role.PRIMARY) is primary)
    return [metric.key for metric in asked if not _heard(plan, observation, metric)]


def _heard(plan: Plan, observation: Observation, metric: PlannedMetric) -> bool:
    counted = (counted_of(observation, metric, variant) for variant in plan.weights)
    return any(_counts(each, width_of(metric)) for each in counted)


def _counts(counted: Counted, width: int) -> bool:
    match counted:
        case QuantileSample():
            return counted.values > 0
        case Lifetable():
            return any(counted.events)
        case Moments():
            return bool(counted.mean[:width].any())


def _before(plan: Plan, observation: Observation) -> Iterable[DataCheck]:
    """An A/A test on what was known before the exposure: nothing was done yet, so nothing may differ."""
    p_values = {}
    for metric in plan.metrics:
        arms = observation.moments.get(metric.key, {})
        control = arms.get(plan.control, Moments.empty())
        for treatment in plan.treatments:
            treated = arms.get(treatment, Moments.empty())
            if treated.k != control.k:
                continue
            for place, name in zip(covariate_places(metric, treated), metric.covariates, strict=False):
                p_value = covariate_p(treated, control, place)
                if p_value is not None:
                    p_values[f"{metric.key}:{treatment}:{name}"] = p_value
    if p_values:
        worst = min(p_values, key=lambda each: p_values[each])
        passed = p_values[worst] >= BASELINE_LEVEL / len(p_values)
        detail = "" if passed else worst
        yield DataCheck("pre_period", passed, p_values[worst], detail=detail, advisory=True)


def _missing(plan: Plan, observation: Observation) -> Iterable[DataCheck]:
    """Metrics that nobody records, and days on which nobody came."""
    if len(plan.metrics) > sum(metric.role is Role.PRIMARY for metric in plan.metrics):
        silent = _silent(plan, observation, primary=False)
        yield DataCheck("silent_metrics", not silent, detail=", ".join(silent), advisory=True)
    days = sorted(day for day, arrived in observation.arrivals.items() if sum(arrived.values()))
    if len(days) > 1:
        span = (days[-1] - days[0]).days + 1
        came = set(days)
        empty = [each for number in range(span) if (each := days[0] + timedelta(number)) not in came]
        yield DataCheck(
            "arrivals",
            not empty,
            statistic=len(empty) / span,
            detail=", ".join(each.isoformat() for each in empty[:5]),
            advisory=True,
        )


def _records(observation: Observation) -> Iterable[DataCheck]:
    """Late, future, unreadable and mismatched records."""
    quality = observation.quality
    if quality.events and quality.late is not None:
        late = quality.late / quality.events
        observed = {"late": quality.late, "events": quality.events}
        yield DataCheck("late_data", late <= LATE_LIMIT, statistic=late, observed=observed, advisory=True)
    if quality.events or quality.exposures:
        future = {"future": quality.future}
        yield DataCheck("future", quality.future == 0, observed=future, advisory=True)
        unread = {metric: count for metric, count in quality.unreadable.items() if count}
        yield DataCheck("unreadable", not unread, observed=unread, detail=", ".join(unread), advisory=True)
    if quality.exposures and quality.mismatched is not None:
        share = quality.mismatched / quality.exposures
        observed = {"mismatched": quality.mismatched, "exposures": quality.exposures}
        yield DataCheck(
            "mismatched", share <= MISMATCH_LIMIT, statistic=share, observed=observed, advisory=True
        )
