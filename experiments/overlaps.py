"""Overlaps: which running experiments share units, and whether they get in each other's way."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from analysis import Moments, NotEstimable, Observation
from analysis.overlaps import EffectInteraction, Independence, effect_interactions, independence
from experiments.analyses import question_of
from experiments.catalog import find_experiment, list_experiments
from experiments.errors import InvalidInput
from experiments.lifecycle import Status
from experiments.metrics import ONE_NUMBER, MetricDraft
from experiments.observe import Question, count_all
from experiments.observe.overlapping import Table, count_shared
from experiments.store import Store

ENOUGH = 200
"""Shared units below which no interaction of effects is looked for."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two experiments that share units.

    Attributes
    ----------
    table
        Shared units by the variants of both.
    assignment
        Whether the assignments depend on each other; or why that cannot be said.
    interactions
        Of the first experiment's primary metrics with the second's variants, and the other way round.
    """

    first: str
    second: str
    units: int
    table: Table
    assignment: Independence | NotEstimable
    interactions: tuple[tuple[str, EffectInteraction], ...]

    def to_json(self) -> dict[str, Any]:
        """Write as plain values."""
        return {
            "first": self.first,
            "second": self.second,
            "units": self.units,
            "table": [{"first": one, "second": other, "units": n} for (one, other), n in self.table.items()],
            "assignment": self._assignment(),
            "interactions": [
                {"experiment": experiment, **asdict(each)} for experiment, each in self.interactions
            ],
        }

    def _assignment(self) -> dict[str, Any]:
        if isinstance(self.assignment, Independence):
            return {"passed": self.assignment.passed, **asdict(self.assignment), "not_estimable": None}
        return {"passed": None, "not_estimable": self.assignment.cause}


def find_overlaps(
    *,
    store: Store,
    columns: Path,
    now: datetime,
    keys: Sequence[str] = (),
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> tuple[Overlap, ...]:
    """Find the pairs of experiments that share units, the largest overlap first.

    Parameters
    ----------
    columns
        Where the columnar copy of the ledger lies.
    keys
        The experiments to look at; all that are running when none is named.

    Raises
    ------
    NotFound
        If there is no such experiment.
    InvalidInput
        If fewer than two are named.
    """
    if len(set(keys)) == 1:
        raise InvalidInput.at(keys[0], "name two experiments at least, or none for all that are running")
    running = _running(store, keys, now)
    questions = {key: each.question for key, each in running.items()}
    tables = count_shared(store=store, path=columns, questions=list(questions.values()), progress=progress)
    asked = list(_asked(running, tables))
    observed = count_all(store=store, path=columns, questions=[each for _, each in asked]) if asked else []
    found: dict[tuple[str, str], list[tuple[str, EffectInteraction]]] = defaultdict(list)
    for ((mine, other), question), observation in zip(asked, observed, strict=True):
        controls = running[mine].control, running[other].control
        for each in _interactions(question, observation, controls):
            found[min(mine, other), max(mine, other)].append((mine, each))
    overlaps = [_overlap(questions, pair, table, tuple(found[pair])) for pair, table in tables.items()]
    return tuple(sorted(overlaps, key=lambda each: (-each.units, each.first, each.second)))


@dataclass(frozen=True, slots=True)
class _Running:
    """What is asked of one experiment."""

    question: Question
    control: str
    primaries: frozenset[str]


def _running(store: Store, keys: Sequence[str], now: datetime) -> dict[str, _Running]:
    with store.read() as session:
        chosen = [find_experiment(session=session, key=key) for key in dict.fromkeys(keys)]
        if not keys:
            chosen = list_experiments(session=session, status=Status.RUNNING)
        return {
            each.key: _Running(
                question_of(session=session, experiment=each, now=now),
                each.definition.control,
                frozenset(each.definition.metrics.primary),
            )
            for each in chosen
        }


def _interactions(
    question: Question, observation: Observation, controls: tuple[str, str]
) -> Iterator[EffectInteraction]:
    cells: dict[str, dict[tuple[str, str], Moments]] = defaultdict(dict)
    for cut in observation.cuts:
        for key, arms in cut.moments.items():
            for variant, moments in arms.items():
                if cut.value is not None:
                    cells[key][variant, cut.value] = moments
    for metric in question.metrics:
        yield from effect_interactions(metric.key, metric.kind, cells[metric.key], controls)


def _asked(
    running: Mapping[str, _Running], tables: Mapping[tuple[str, str], Table]
) -> Iterator[tuple[tuple[str, str], Question]]:
    """For each pair with enough shared units, each one's primary metrics by the variants of the other."""
    for pair, table in tables.items():
        if sum(table.values()) < ENOUGH:
            continue
        for mine, other in (pair, pair[::-1]):
            question = running[mine].question
            metrics = [
                each
                for each in question.metrics
                if each.key in running[mine].primaries and each.kind in (*ONE_NUMBER, "ratio")
            ]
            if metrics:
                yield (
                    (mine, other),
                    replace(
                        question,
                        metrics=metrics,
                        others=list(_parts(question, metrics)),
                        back=0,
                        also=(),
                        segments=(other,),
                        beside={other: running[other].question},
                        aged=frozenset(),
                        channel=None,
                    ),
                )


def _parts(question: Question, metrics: Sequence[MetricDraft]) -> Iterator[MetricDraft]:
    keys = set(chain.from_iterable(each.parts for each in metrics)) - {each.key for each in metrics}
    yield from (question.by_key[key] for key in sorted(keys))


def _overlap(
    questions: Mapping[str, Question],
    pair: tuple[str, str],
    table: Table,
    interactions: tuple[tuple[str, EffectInteraction], ...],
) -> Overlap:
    first, second = pair
    rows, columns = questions[first].variants, questions[second].variants
    counts = [[table.get((one, other), 0) for other in columns] for one in rows]
    return Overlap(first, second, sum(table.values()), table, independence(counts), interactions)
