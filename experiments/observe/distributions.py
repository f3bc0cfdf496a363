"""Distributions: samples of quantiles and tables of lifetimes, read from the answer's rows."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

import numpy as np

from analysis import Moments
from analysis.observation import Lifetable, QuantileSample
from experiments.observe.question import Question
from experiments.observe.rows import Parts, Row

Place = tuple[int, str | None]
"""A segment's place and one of its values."""

_Counted = TypeVar("_Counted")
ByArm = dict[str, dict[str, _Counted]]
"""By metric and variant."""


def cut_quantiles(question: Question, parts: Parts) -> dict[Place, ByArm[QuantileSample]]:
    """The samples of quantiles for each value of a segment."""
    found: dict[Place, ByArm[QuantileSample]] = defaultdict(lambda: defaultdict(dict))
    clusters = {(row.name, row.day, row.arm, row.numbers[5]): row for row in parts["cut_cluster"]}
    asked = {metric.key for metric in question.metrics}
    for row in parts["cut_quantile"]:
        counted = clusters[row.name, row.day, row.arm, row.numbers[3]]
        if row.name in asked:
            of_metric = found[row.day or 0, row.label][row.name]
            of_metric[question.variants[row.arm]] = _sample(row, counted)
    return found


def cut_lifetables(question: Question, parts: Parts) -> dict[Place, ByArm[Lifetable]]:
    """The tables of lifetimes for each value of a segment."""
    rows: dict[Place, list[Row]] = defaultdict(list)
    for row in parts["cut_lifetable"]:
        rows[int(row.numbers[2]), row.label].append(row)
    return {place: _by_metric(question, each) for place, each in rows.items()}


def quantiles_of(question: Question, parts: Parts) -> ByArm[QuantileSample]:
    """The samples of quantiles over all units."""
    found: ByArm[QuantileSample] = {
        metric.key: {} for metric in question.metrics if metric.kind == "quantile"
    }
    clusters = {(row.name, row.arm): row for row in parts["cluster"]}
    for row in parts["quantile"]:
        if row.name in found:
            sample = _sample(row, clusters[row.name, row.arm])
            found[row.name][question.variants[row.arm]] = sample
    return found


def _sample(row: Row, counted: Row) -> QuantileSample:
    below, whole, *products = counted.numbers[:5]
    raw = np.array([[products[0], products[1]], [products[1], products[2]]])
    means = np.array([below, whole]) / counted.n
    moments = Moments(counted.n, means, raw - counted.n * np.outer(means, means))
    value, low, high = row.numbers[:3]
    return QuantileSample(row.n, value, low, high, moments)


def lifetables_of(question: Question, parts: Parts) -> ByArm[Lifetable]:
    """The tables of lifetimes over all units."""
    nothing: ByArm[Lifetable] = {
        metric.key: {} for metric in question.metrics if metric.kind == "time_to_event"
    }
    return nothing | _by_metric(question, parts["lifetable"])


def _by_metric(question: Question, rows: Iterable[Row]) -> ByArm[Lifetable]:
    found: ByArm[Lifetable] = defaultdict(dict)
    by_arm: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in rows:
        by_arm[row.name, row.arm].append(row)
    asked = {metric.key for metric in question.metrics}
    for (key, arm), each in by_arm.items():
        if key in asked:
            each.sort(key=lambda row: row.day or 0)
            found[key][question.variants[arm]] = Lifetable(
                tuple(row.day or 0 for row in each),
                tuple(int(row.numbers[0]) for row in each),
                tuple(int(row.numbers[1]) for row in each),
            )
    return dict(found)
