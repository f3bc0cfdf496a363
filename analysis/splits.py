"""Splits: whether the units of all variants were let in, kept and recorded alike, and where not.

The overall split decides whether a result may be read. Everything else here says where it went wrong: when,
on which day, in which segment, at which step from recorded to analysed.
"""

from collections.abc import Iterable, Mapping

from analysis.errors import NotEstimable
from analysis.explanations import Mix, StageCheck
from analysis.observation import Observation
from analysis.plan import Plan
from analysis.readout import DataCheck
from analysis.sample_ratio import SRM_LEVEL, Check, alike, srm, srm_sequential
from analysis.segments import label_of


def overall_split(plan: Plan, units: Mapping[str, int]) -> DataCheck:
    """Check the units that are analysed against the intended shares."""
    result = srm(units, plan.weights)
    if isinstance(result, NotEstimable):
        return DataCheck("srm", passed=True, detail=str(result.cause))
    return _told("srm", result, passed=result.passed)


def split_checks(plan: Plan, observation: Observation) -> Iterable[DataCheck]:
    """Look for the place of a wrong split: each test is told only where there is something to test."""
    days = {day.isoformat(): counts for day, counts in sorted(observation.arrivals.items())}
    yield from _while_running(plan, days)
    if len(days) > 1:
        yield from _somewhere("srm_daily", _tested(plan, days), level=SRM_LEVEL / len(days))
    planned = [cut for cut in observation.cuts if cut.segment in plan.segments]
    values = _tested(plan, {label_of(cut): cut.units for cut in planned})
    worst_first = dict(sorted(values.items(), key=lambda each: each[1].p_value))
    yield from _somewhere("srm_segments", worst_first, level=SRM_LEVEL / max(1, len(values)))
    stages = _tested(plan, {stage.name: stage.units for stage in observation.stages})
    # Every step keeps part of the one before, so these are hardly more than one test.
    yield from _somewhere("srm_stages", stages, level=SRM_LEVEL)


def stage_checks(plan: Plan, observation: Observation) -> tuple[StageCheck, ...]:
    """The split after each step from recorded to analysed."""
    told = []
    for stage in observation.stages:
        result = srm(stage.units, plan.weights)
        p_value = None if isinstance(result, NotEstimable) else result.p_value
        passed = p_value is None or p_value >= SRM_LEVEL
        told.append(StageCheck(stage.name, dict(stage.units), passed, p_value))
    return tuple(told)


def mixes_of(plan: Plan, observation: Observation) -> tuple[Mix, ...]:
    """How the values of each planned segment are spread over the variants."""
    mixes = []
    for segment in plan.segments:
        table = {
            cut.value or "": {name: cut.units.get(name, 0) for name in plan.weights}
            for cut in observation.cuts
            if cut.segment == segment
        }
        if table:
            test = alike(table)
            p_value = None if isinstance(test, NotEstimable) else test.p_value
            mixes.append(Mix(segment, table, p_value is None or p_value >= SRM_LEVEL, p_value))
    return tuple(mixes)


def mix_check(mixes: tuple[Mix, ...]) -> Iterable[DataCheck]:
    """Tell the segment whose values are spread least alike."""
    tested = [mix for mix in mixes if mix.p_value is not None]
    if tested:
        worst = min(tested, key=lambda mix: mix.p_value or 0.0)
        detail = "" if worst.passed else worst.segment
        yield DataCheck("mix", worst.passed, worst.p_value, detail=detail, advisory=True)


def _while_running(plan: Plan, days: Mapping[str, Mapping[str, int]]) -> Iterable[DataCheck]:
    """The split by a test that was valid at every day's end; it fails for good, on the day that is told."""
    names = list(plan.weights)
    counts = [[batch.get(name, 0) for name in names] for batch in days.values()]
    result = srm_sequential(counts, [plan.weights[name] for name in names])
    if isinstance(result, NotEstimable):
        return
    wrong = (day for day, p in zip(days, result.p_values, strict=True) if p < SRM_LEVEL)
    yield DataCheck("srm_sequential", result.passed, result.p_value, detail=next(wrong, ""), advisory=True)


def _tested(plan: Plan, parts: Mapping[str, Mapping[str, int]]) -> dict[str, Check]:
    results = {part: srm(units, plan.weights) for part, units in parts.items()}
    return {part: result for part, result in results.items() if isinstance(result, Check)}


def _somewhere(name: str, tested: Mapping[str, Check], *, level: float) -> Iterable[DataCheck]:
    """Tell the first part whose split is wrong, or without one the part that is furthest from its plan."""
    if not tested:
        return
    furthest = min(tested, key=lambda part: tested[part].p_value)
    part = next((each for each, result in tested.items() if result.p_value < level), furthest)
    passed = tested[part].p_value >= level
    yield _told(name, tested[part], passed=passed, detail="" if passed else part, advisory=True)


def _told(name: str, result: Check, *, passed: bool, detail: str = "", advisory: bool = False) -> DataCheck:
    return DataCheck(
        name,
        passed,
        result.p_value,
        result.statistic,
        dict(result.observed),
        dict(result.expected),
        detail,
        advisory,
    )
