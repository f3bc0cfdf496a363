"""Summaries: readouts of experiments of which only totals are known, no units.

Another system assigned the units and counted them; its totals are read as what we count ourselves, and the
readout is kept with them. Nothing enters the ledger. The same file again keeps nothing new.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

from sqlmodel import Session

from analysis import Day, Moments, Observation, Plan, read
from experiments.analyses import plan_of
from experiments.catalog import find_experiment, list_experiments
from experiments.errors import InvalidInput, Problem
from experiments.lifecycle import BEFORE_START
from experiments.readouts import keep, kept_already
from experiments.registry import find_metrics
from experiments.rowfiles import BadRow, require_whole
from experiments.store import Store
from experiments.summaryrows import Known, Summary, read_summaries

KINDS = frozenset({"proportion", "mean"})
"""Kinds of metrics that one count, mean and variance say everything of."""

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class SummaryReport:
    """What an import of summaries did.

    Attributes
    ----------
    rows
        Good rows.
    kept
        New readouts, by experiment.
    known
        Readouts that were there already.
    """

    rows: int
    kept: Mapping[str, int]
    known: int
    rejected: Sequence[BadRow]


@dataclass(frozen=True, slots=True)
class _Told:
    """What a file tells of one experiment: by metric and variant, everything up to each moment."""

    experiment: str
    moments: Mapping[tuple[str | None, str], Mapping[datetime, Moments]]

    @property
    def checkpoints(self) -> list[datetime]:
        """The moments of which the file speaks, in their order."""
        return sorted({at for each in self.moments.values() for at in each})

    def until(self, metric: str | None, variant: str, end: datetime) -> list[tuple[datetime, Moments]]:
        """What is told of a metric in a variant, up to a moment."""
        found = self.moments.get((metric, variant), {})
        return sorted((at, moments) for at, moments in found.items() if at <= end)


def import_summaries(
    *,
    store: Store,
    path: Path,
    now: datetime,
    version: str,
    strict: bool = False,
    each: bool = False,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> SummaryReport:
    """Read what a file of totals says, and keep the readouts.

    Parameters
    ----------
    strict
        Import nothing if any row is bad.
    each
        Keep a readout of every checkpoint, not only of the last.

    Raises
    ------
    InvalidInput
        If the file as a whole cannot be read, or, when strict, naming the bad rows.
    """
    require_whole(path)
    with store.read() as session:
        known = _known(session)
    rejected: list[BadRow] = []
    rows = list(
        read_summaries(path=path, known=known, now=now, reject=rejected.append, progress=lambda _: None)
    )
    if strict and rejected:
        raise InvalidInput(
            [Problem(f"{path.name} line {bad.line}", bad.reason) for bad in rejected[:MOST_NAMED]]
        )
    kept: dict[str, int] = {}
    known_already = 0
    told = list(_told(rows))
    for done, one in enumerate(told, start=1):
        new, old = _keep(store, one, version, each=each)
        kept[one.experiment] = new
        known_already += old
        progress(done / len(told))
    return SummaryReport(len(rows), kept, known_already, tuple(rejected))


def _known(session: Session) -> Known:
    """What rows may speak of: experiments that another system assigns, and that have begun."""
    found = {}
    for experiment in list_experiments(session=session):
        draft = experiment.definition
        if draft.assignment != "external" or experiment.status in BEFORE_START:
            continue
        metrics = find_metrics(session=session, keys=draft.metrics.keys)
        countable = frozenset(key for key, metric in metrics.items() if metric.definition.kind in KINDS)
        found[experiment.key] = (frozenset(variant.key for variant in draft.variants), countable)
    return found


def _told(rows: Iterable[Summary]) -> Iterator[_Told]:
    by_experiment: dict[str, dict[tuple[str | None, str], list[Summary]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        by_experiment[row.experiment][row.metric, row.variant].append(row)
    for experiment, series in by_experiment.items():
        yield _Told(experiment, {place: _accumulated(each) for place, each in series.items()})


def _accumulated(rows: Iterable[Summary]) -> dict[datetime, Moments]:
    found: dict[datetime, Moments] = {}
    total = Moments.empty()
    for row in sorted(rows, key=lambda row: row.at):
        total = total + row.moments if row.alone else row.moments
        found[row.at] = total
    return found


def _keep(store: Store, told: _Told, version: str, *, each: bool) -> tuple[int, int]:
    """Read at the checkpoints; say how many readouts were new, and how many known."""
    with store.read() as session:
        experiment = find_experiment(session=session, key=told.experiment)
        metrics = find_metrics(session=session, keys=experiment.definition.metrics.keys)
        plan = plan_of(experiment, metrics)
    new = old = 0
    for checkpoint in told.checkpoints if each else told.checkpoints[-1:]:
        observation = _observed(plan, told, checkpoint)
        with store.write() as session:
            if kept_already(session=session, key=told.experiment, observation=observation):
                old += 1
                continue
            keep(session=session, readout=read(plan, observation, version=version), observation=observation)
            new += 1
    return new, old


def _observed(plan: Plan, told: _Told, end: datetime) -> Observation:
    units = {variant: _units(plan, told, variant, end) for variant in plan.weights}
    series = {
        metric.key: {
            variant: found for variant in plan.weights if (found := told.until(metric.key, variant, end))
        }
        for metric in plan.metrics
    }
    return Observation(
        as_of=end,
        data_through=end,
        units={variant: days[max(days)] if days else 0 for variant, days in units.items()},
        arrivals=_arrivals(units),
        excluded={"crossover": 0, "override": 0},
        moments={key: {arm: found[-1][1] for arm, found in arms.items()} for key, arms in series.items()},
        immature=dict.fromkeys(series, 0),
        daily={key: {arm: _days(found) for arm, found in arms.items()} for key, arms in series.items()},
    )


def _units(plan: Plan, told: _Told, variant: str, end: datetime) -> dict[date, int]:
    """Units of a variant up to each day: as counted, or as many as the metric with the most has."""
    counted = told.until(None, variant, end)
    metrics = [each for metric in plan.metrics for each in told.until(metric.key, variant, end)]
    found: dict[date, int] = {}
    for at, moments in counted or sorted(metrics, key=lambda each: each[0]):
        found[at.date()] = max(moments.n, found.get(at.date(), 0))
    return found


def _arrivals(units: Mapping[str, Mapping[date, int]]) -> dict[date, dict[str, int]]:
    """New units of each day."""
    arrived: dict[date, dict[str, int]] = defaultdict(dict)
    for variant, days in units.items():
        levels = [(date.min, 0), *sorted(days.items())]
        for (_, before), (day, after) in pairwise(levels):
            arrived[day][variant] = max(0, after - before)
    return dict(sorted(arrived.items()))


def _days(found: Sequence[tuple[datetime, Moments]]) -> tuple[Day, ...]:
    """The last checkpoint of each day."""
    last = {at.date(): moments for at, moments in found}
    return tuple(Day(day, moments) for day, moments in sorted(last.items()))
