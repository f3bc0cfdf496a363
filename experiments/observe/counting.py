"""Counting: run the statement and read its rows into an observation."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from analysis import Moments, Observation, Shape
from analysis.observation import Credit, Cut, Quality, Stage
from experiments.metrics import MetricDraft
from experiments.observe import units
from experiments.observe.answers import FIXED
from experiments.observe.attribution import RULES
from experiments.observe.distributions import (
    ByArm,
    Place,
    cut_lifetables,
    cut_quantiles,
    lifetables_of,
    quantiles_of,
)
from experiments.observe.engines import Embedded, Engine
from experiments.observe.gathering import reads_value
from experiments.observe.growth import ages, daily, date_of
from experiments.observe.question import Question
from experiments.observe.rows import Parts, Row
from experiments.observe.statement import statement_of
from experiments.observe.sums import BUNDLED, Sums, moments_around, read_sums, shape_of, unbundled
from experiments.store.instants import from_millis


def count(
    *,
    engine: Engine,
    question: Question,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Observation:
    """Ask the engine, and read its answer.

    Parameters
    ----------
    progress
        Is told the share of new ledger rows that have been copied, where the engine keeps a copy.
    """
    (observation,) = count_all(engine=engine, questions=[question], progress=progress)
    return observation


def count_all(
    *,
    engine: Engine,
    questions: Sequence[Question],
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> list[Observation]:
    """Ask the engine several questions about the same log, and read its answers."""
    if isinstance(engine, Embedded):
        answers = engine.answer_all(questions, progress)
    else:
        answers = engine.fetch_all([statement_of(question) for question in questions], progress)
    return [read_rows(question, rows) for question, rows in zip(questions, answers, strict=True)]


def read_rows(question: Question, rows: Iterable[tuple[Any, ...]]) -> Observation:
    """Turn the statement's rows into an observation."""
    parts = _parts(question, rows)
    arrivals: dict[int, dict[str, int]] = defaultdict(dict)
    for row in parts["arrival"]:
        arrivals[row.day or 0][question.variants[row.arm]] = row.n
    sums = read_sums(question, parts)
    moments = {
        metric.key: _totals(question, sums[metric.key]) for metric in question.metrics if metric.key in sums
    }
    return Observation(
        as_of=from_millis(question.horizon),
        data_through=_newest(parts),
        units={name: sum(day.get(name, 0) for day in arrivals.values()) for name in question.variants},
        arrivals={date_of(day): dict(counts) for day, counts in sorted(arrivals.items())},
        excluded=_excluded(question, parts),
        moments={metric.key: moments.get(metric.key, {}) for metric in question.metrics},
        immature={
            metric.key: sums[metric.key].immature if metric.key in sums else _young(metric, parts)
            for metric in question.metrics
        },
        daily={metric.key: daily(question, metric, sums, parts, arrivals) for metric in question.metrics},
        shapes=_shapes(question, sums),
        stages=_stages(question, parts, moments),
        cuts=tuple(_cuts(question, sums, parts)),
        quantiles=quantiles_of(question, parts),
        lifetables=lifetables_of(question, parts),
        ages={
            metric.key: ages(question, metric, parts)
            for metric in question.metrics
            if metric.key in question.aged
        },
        credits=tuple(_credits(question, parts)),
        quality=_quality(question, parts),
        uncapped=_uncapped(question, sums, parts),
    )


def _parts(question: Question, rows: Iterable[tuple[Any, ...]]) -> Parts:
    """The rows by the part that they belong to, one for each metric."""
    parts: dict[str, list[Row]] = defaultdict(list)
    fixed = len(FIXED)
    for each in rows:
        part, name, label, arm, day, n = each[:fixed]
        parts[part].append(Row(part, name, label, arm, day, n, each[fixed:]))
    for part in BUNDLED:
        parts[part] = list(unbundled(question, parts[part]))
    return parts


def _newest(parts: Parts) -> datetime | None:
    """When the newest record that was looked at happened."""
    found = [row.day for part in ("exposure_through", "event_through") for row in parts[part]]
    through = [day for day in found if day is not None]
    return from_millis(max(through)) if through else None


def _totals(question: Question, sums: Sums) -> dict[str, Moments]:
    return {
        question.variants[arm]: sums.moments(rows)
        for arm, rows in sorted(sums.matured.items())
        if sum(row.n for row in rows)
    }


def _young(metric: MetricDraft, parts: Parts) -> int:
    """Units too young for a metric that gives them no number."""
    return sum(row.n for row in parts["young"] if row.name == metric.key)


def _excluded(question: Question, parts: Parts) -> dict[str, int]:
    reasons = {"crossover": units.CROSSOVER, "override": units.OVERRIDE}
    if question.bots is not None:
        reasons["bot"] = units.BOT
    return {
        reason: sum(row.n for row in parts["fate"] if row.day == fate) for reason, fate in reasons.items()
    }


def _shapes(question: Question, sums: Mapping[str, Sums]) -> dict[str, Shape]:
    shapes = {
        metric.key: shape_of(metric, sums[metric.key]) for metric in question.metrics if metric.key in sums
    }
    return {key: shape for key, shape in shapes.items() if shape is not None}


def _stages(
    question: Question, parts: Parts, moments: Mapping[str, Mapping[str, Moments]]
) -> tuple[Stage, ...]:
    """A unit of several variants stands in the one that it met first."""
    recorded = _by_variant(question, ((row.arm, row.n) for row in parts["fate"]))
    for row in parts["without_id"]:
        recorded[str(row.label)] += row.n
    left = [row for row in parts["fate"] if row.day != units.UNEXPOSED]
    stages = [Stage("recorded", recorded)]
    names = {
        "exposed": None,
        "not_override": units.OVERRIDE,
        "not_bot": units.BOT,
        "not_crossed": units.CROSSOVER,
    }
    for name, fate in names.items():
        left = [row for row in left if row.day != fate]
        stages.append(Stage(name, _by_variant(question, ((int(row.numbers[0]), row.n) for row in left))))
    if question.metrics:
        first = moments.get(question.metrics[0].key)
        matured = {name: (first or {}).get(name, Moments.empty()).n for name in question.variants}
        stages.append(Stage("matured", matured if first is not None else dict(stages[-1].units)))
    return tuple(stages)


def _by_variant(question: Question, counted: Iterable[tuple[int, int]]) -> dict[str, int]:
    found = dict.fromkeys(question.variants, 0)
    for arm, n in counted:
        found[question.variants[arm]] += n
    return found


def _cuts(question: Question, sums: Mapping[str, Sums], parts: Parts) -> Iterable[Cut]:
    units: dict[Place, dict[str, int]] = defaultdict(dict)
    for row in parts["cut_units"]:
        units[row.day or 0, row.label][question.variants[row.arm]] = row.n
    moments: dict[Place, ByArm[Moments]] = defaultdict(lambda: defaultdict(dict))
    for row in parts["cut"]:
        of_metric = moments[row.day or 0, row.label][row.name]
        of_metric[question.variants[row.arm]] = sums[row.name].moments([row])
    quantiles, lifetables = cut_quantiles(question, parts), cut_lifetables(question, parts)
    for place in sorted(units, key=lambda each: (each[0], each[1] or "")):
        yield Cut(
            question.segments[place[0]],
            place[1],
            units[place],
            dict(moments.get(place, {})),
            quantiles.get(place, {}),
            lifetables.get(place, {}),
        )


def _uncapped(question: Question, sums: Mapping[str, Sums], parts: Parts) -> ByArm[Moments]:
    """Of the metrics that have a cap, the moments that they would have without it."""
    found: ByArm[Moments] = {metric.key: {} for metric in question.metrics if metric.cap is not None}
    for row in parts["uncapped"]:
        total, squares = np.array(row.numbers[:1]), np.array([[row.numbers[1]]])
        moments = moments_around(row.n, total, squares, sums[row.name].middle[:1])
        found[row.name][question.variants[row.arm]] = moments
    return found


def _credits(question: Question, parts: Parts) -> Iterable[Credit]:
    rows = sorted(parts["credit"], key=lambda row: (row.arm, row.label or ""))
    for place, rule in enumerate(RULES):
        for row in rows:
            conversions, worth = row.numbers[place], row.numbers[place + len(RULES)]
            yield Credit(rule, row.label or "", question.variants[row.arm], conversions, worth)


def _quality(question: Question, parts: Parts) -> Quality:
    arrived = sum(row.n for row in parts["arrived"])
    unlike = sum(int(row.numbers[2]) for row in parts["fate"])
    return Quality(
        exposures=sum(int(row.numbers[1]) for row in parts["fate"])
        + sum(int(row.numbers[0]) for row in parts["without_id"]),
        events=sum(int(row.numbers[0]) for row in parts["event_through"]),
        late=sum(row.n for row in parts["late"]) if arrived else None,
        mismatched=unlike if question.ours else None,
        future=sum(row.n for part in ("future_exposures", "future_events") for row in parts[part]),
        unreadable=_unreadable(question, parts),
    )


def _unreadable(question: Question, parts: Parts) -> dict[str, int]:
    found = {row.name: row.n for row in parts["unreadable"]}
    too_large = {row.label: row.n for row in parts["too_large"]}
    for metric in question.counted:
        if metric.event in too_large and reads_value(metric):
            found[metric.key] = found.get(metric.key, 0) + too_large[metric.event]
    return {key: n for key, n in found.items() if n}
