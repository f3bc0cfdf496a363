"""Soundness: whether the data can be trusted before anything is read from them."""

from collections.abc import Mapping

from analysis.errors import NotEstimable
from analysis.observation import Observation
from analysis.plan import Plan, Role
from analysis.readout import DataCheck
from analysis.sample_ratio import srm

CROSSOVER_LIMIT = 0.01
"""Above this share of units seen in two variants, the assignment itself is in doubt."""

SILENCE_LIMIT = 500
"""Units after which a primary metric without a single event means that it is not being recorded."""


def check_data(plan: Plan, observation: Observation) -> tuple[DataCheck, ...]:
    """Check the split, the crossovers, that anybody was seen, and that primary metrics are recorded."""
    kept, crossed = sum(observation.units.values()), observation.excluded.get("crossover", 0)
    share = crossed / (kept + crossed) if kept + crossed else 0.0
    silent = [
        metric.key
        for metric in plan.metrics
        if metric.role is Role.PRIMARY
        and kept >= SILENCE_LIMIT
        and not any(arm.value for arm in observation.moments.get(metric.key, {}).values())
    ]
    return (
        _split_check(plan, observation.units),
        DataCheck(
            "crossover",
            share <= CROSSOVER_LIMIT,
            statistic=share,
            observed={"crossover": crossed, "kept": kept},
        ),
        DataCheck("exposures", kept > 0, observed=dict(observation.units)),
        DataCheck("metrics", not silent, detail=", ".join(silent)),
    )


def _split_check(plan: Plan, units: Mapping[str, int]) -> DataCheck:
    result = srm(units, plan.weights)
    if isinstance(result, NotEstimable):
        return DataCheck("srm", passed=True, detail=str(result.cause))
    return DataCheck(
        "srm", result.passed, result.p_value, result.statistic, dict(result.observed), dict(result.expected)
    )
