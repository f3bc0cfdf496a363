"""The programme: what all experiments together achieved, and how the work goes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from sqlmodel import Session, col, select

from analysis import Direction, Interval, Readout
from analysis.programme import Effect, Impact, Trial, add_up, effect_of, shrink_effects, win_rate
from experiments import readouts
from experiments.catalog import Experiment, list_experiments
from experiments.choices import ENDINGS, Choice
from experiments.concluded import Conclusion
from experiments.conclusions import restore
from experiments.lifecycle import Status
from experiments.registry import Metric, list_metrics
from experiments.store.outcomes import ConclusionRow

MONTHS = 12
"""Months that the pace is shown for."""


@dataclass(frozen=True, slots=True)
class Month:
    """How many experiments started and were concluded in a month, which its first day stands for."""

    first: date
    started: int
    concluded: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """In how many experiments a metric was asked for, by its role, and how many of them run now."""

    metric: Metric
    primary: int
    guardrail: int
    secondary: int
    running: int

    @property
    def used(self) -> int:
        """In how many experiments it was asked for at all."""
        return self.primary + self.guardrail + self.secondary


@dataclass(frozen=True, slots=True)
class Programme:
    """Everything about the programme at one moment.

    Attributes
    ----------
    held
        Answers of the retrospectives: how many gains held, held partly, and did not.
    days
        The median length of a concluded experiment; None before the first.
    guarded
        How many experiments that have started have a guardrail, of how many.
    """

    outcomes: dict[Choice, int]
    wins: Interval | None
    effects: tuple[Effect, ...]
    impacts: tuple[Impact, ...]
    months: tuple[Month, ...]
    coverage: tuple[Coverage, ...]
    held: dict[str, int]
    days: float | None
    guarded: tuple[int, int]

    @property
    def concluded(self) -> int:
        """How many experiments have ended with a decision."""
        return sum(self.outcomes.values())


def programme_of(*, session: Session, now: datetime) -> Programme:
    """Bring everything about the programme together."""
    experiments = list_experiments(session=session)
    query = select(ConclusionRow).where(col(ConclusionRow.choice).in_(list(ENDINGS)))
    endings = restore(session, list(session.exec(query)))
    outcomes = Counter(each.choice for each in endings)
    effects = shrink_effects(list(_trials(session, endings)))
    started = [each for each in experiments if each.started_at is not None]
    return Programme(
        outcomes={choice: outcomes[choice] for choice in ENDINGS},
        wins=win_rate(outcomes[Choice.SHIP], len(endings)),
        effects=tuple(sorted(effects, key=lambda each: -each.measured.estimate)),
        impacts=tuple(add_up(effects)),
        months=tuple(_months(started, endings, now)),
        coverage=tuple(_coverage(list_metrics(session=session), started)),
        held=dict(Counter(str(each.retrospective.held) for each in endings if each.retrospective)),
        days=_usual_length(started, endings),
        guarded=(sum(bool(each.definition.metrics.guardrails) for each in started), len(started)),
    )


def _trials(session: Session, endings: Sequence[Conclusion]) -> Iterator[Trial]:
    """The effect of every concluded experiment whose data could be trusted."""
    seen = readouts.find_snapshots(session=session, ids=[each.snapshot for each in endings if each.snapshot])
    for ending in endings:
        snapshot = seen.get(ending.snapshot or 0)
        if snapshot is not None:
            yield from _trial(ending, snapshot.readout)


def _trial(ending: Conclusion, readout: Readout) -> Iterator[Trial]:
    """The variant that was shipped speaks for its experiment, otherwise the first treatment."""
    if readout.failed:
        return
    about = ending.variant if ending.variant in readout.plan.treatments else readout.plan.treatments[0]
    finding = readout.finding(ending.metric, about or "")
    direction = next((each.direction for each in readout.plan.metrics if each.key == ending.metric), None)
    effect = None if finding is None else effect_of(finding, direction or Direction.INCREASE)
    shipped = ending.rollout / 10_000 if ending.choice is Choice.SHIP and ending.variant == about else 0.0
    if effect is not None:
        yield Trial(ending.experiment, ending.metric, effect, shipped)


def _months(started: Sequence[Experiment], endings: Sequence[Conclusion], now: datetime) -> Iterator[Month]:
    began = Counter(each.started_at.date().replace(day=1) for each in started if each.started_at)
    ended = Counter(each.at.date().replace(day=1) for each in endings)
    number = now.year * 12 + now.month - 1
    for each in range(number - MONTHS + 1, number + 1):
        first = date(each // 12, each % 12 + 1, 1)
        yield Month(first, began[first], ended[first])


def _coverage(metrics: Sequence[Metric], started: Sequence[Experiment]) -> Iterator[Coverage]:
    primary: Counter[str] = Counter()
    guardrail: Counter[str] = Counter()
    secondary: Counter[str] = Counter()
    running: Counter[str] = Counter()
    for each in started:
        roles = each.definition.metrics
        primary.update(roles.primary)
        guardrail.update(rail.metric for rail in roles.guardrails)
        secondary.update(roles.secondary)
        running.update(roles.keys if each.status is Status.RUNNING else ())
    rows = [Coverage(m, primary[m.key], guardrail[m.key], secondary[m.key], running[m.key]) for m in metrics]
    return iter(sorted(rows, key=lambda row: (-row.used, row.metric.key)))


def _usual_length(started: Sequence[Experiment], endings: Sequence[Conclusion]) -> float | None:
    ended = {each.experiment: each for each in endings}
    lengths = []
    for each in started:
        draft = each.definition
        began, stopped = draft.starts or each.started_at, draft.ends or each.stopped_at
        if each.key in ended and began and stopped and stopped > began:
            lengths.append((stopped - began).total_seconds() / 86_400)
    return median(lengths) if lengths else None
