"""Counting: run the statement and read its rows into an observation."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from analysis import Moments, Observation, Shape
from analysis.observation import Credit, Cut, Lifetable, Quality, QuantileSample, Stage
from experiments.metrics import MetricDraft
from experiments.observe import units
from experiments.observe.answers import FIXED
from experiments.observe.attribution import RULES
from experiments.observe.engines import Engine
from experiments.observe.growth import ages, daily, date_of
from experiments.observe.question import Question
from experiments.observe.rows import Parts, Row
from experiments.observe.statement import statement_of
from experiments.observe.sums import BUNDLED, Sums, read_sums, shape_of, unbundled
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
    answers = engine.fetch_all([statement_of(question) for question in questions], progress)
    return [read_rows(question, rows) for question, rows in zip(questions, answers, strict=True)]


def read_rows(question: Question, rows: Iterable[tuple[Any, ...]]) -> Observation:
    """Turn the statement's rows into an observation."""
    parts: dict[str, list[Row]] = defaultdict(list)
    fixed = len(FIXED)
    for each in rows:
        part, name, label, arm, day, n = each[:fixed]
        parts[part].append(Row(part, name, label, arm, day, n, each[fixed:]))
    for part in BUNDLED:
        parts[part] = list(unbundled(question, parts[part]))
    arrivals: dict[int, dict[str, int]] = defaultdict(dict)
    for row in parts["arrival"]:
        arrivals[row.day or 0][question.variants[row.arm]] = row.n
    sums = read_sums(question, parts)
    moments = {
        metric.key: _totals(question, sums[metric.key]) for metric in question.metrics if metric.key in sums
    }
    through = [
        row.day
        for part in ("exposure_through", "event_through")
        for row in parts[part]
        if row.day is not None
    ]
    return Observation(
        as_of=from_millis(question.horizon),
        data_through=from_millis(max(through)) if through else None,
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
        quantiles=_quantiles(question, parts),
        lifetables=_lifetables(question, parts),
        ages={
            metric.key: ages(question, metric, parts)
            for metric in question.metrics
            if metric.key in question.aged
        },
        credits=tuple(_credits(question, parts)),
        quality=_quality(question, parts),
    )


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
    found: dict[tuple[int, str | None], dict[str, Any]] = {}
    for row in parts["cut_units"]:
        cut = found.setdefault((row.day or 0, row.label), {"units": {}, "moments": defaultdict(dict)})
        cut["units"][question.variants[row.arm]] = row.n
    for row in parts["cut"]:
        moments = sums[row.name].moments([row])
        found[row.day or 0, row.label]["moments"][row.name][question.variants[row.arm]] = moments
    for (place, value), cut in sorted(found.items(), key=lambda each: (each[0][0], each[0][1] or "")):
        yield Cut(question.segments[place], value, cut["units"], dict(cut["moments"]))


def _quantiles(question: Question, parts: Parts) -> dict[str, dict[str, QuantileSample]]:
    found: dict[str, dict[str, QuantileSample]] = {
        metric.key: {} for metric in question.metrics if metric.kind == "quantile"
    }
    clusters = {(row.name, row.arm): row for row in parts["cluster"]}
    for row in parts["quantile"]:
        counted = clusters[row.name, row.arm]
        below, whole, *products = counted.numbers[:5]
        raw = np.array([[products[0], products[1]], [products[1], products[2]]])
        means = np.array([below, whole]) / counted.n
        moments = Moments(counted.n, means, raw - counted.n * np.outer(means, means))
        value, low, high = row.numbers[:3]
        if row.name in found:
            variant = question.variants[row.arm]
            found[row.name][variant] = QuantileSample(row.n, value, low, high, moments)
    return found


def _lifetables(question: Question, parts: Parts) -> dict[str, dict[str, Lifetable]]:
    found: dict[str, dict[str, Lifetable]] = {
        metric.key: {} for metric in question.metrics if metric.kind == "time_to_event"
    }
    by_arm: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in parts["lifetable"]:
        by_arm[row.name, row.arm].append(row)
    for (key, arm), rows in by_arm.items():
        if key in found:
            rows.sort(key=lambda row: row.day or 0)
            found[key][question.variants[arm]] = Lifetable(
                tuple(row.day or 0 for row in rows),
                tuple(int(row.numbers[0]) for row in rows),
                tuple(int(row.numbers[1]) for row in rows),
            )
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
        unreadable={row.name: row.n for row in parts["unreadable"] if row.n},
    )
