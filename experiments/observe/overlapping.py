"""Overlapping: which units two experiments share, by the variants of both."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from experiments.observe.question import Question
from experiments.observe.scanning import UNKNOWN, Scan, Statement
from experiments.observe.sql import filled

if TYPE_CHECKING:  # an engine needs the statement, of which this is a part
    from experiments.observe.engines import Engine

Table = dict[tuple[str, str], int]
"""Units by the variants of two experiments."""


def count_shared(
    *,
    engine: "Engine",
    questions: Sequence[Question],
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> dict[tuple[str, str], Table]:
    """Count the units that are in two of the experiments, for every pair that shares any.

    Experiments that assign different kinds of units share none that could be known.
    """
    by_type: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        by_type[question.unit_type].append(question)
    statements = [_statement(each) for each in by_type.values() if len(each) > 1]
    found: dict[tuple[str, str], Table] = defaultdict(dict)
    for rows in engine.fetch_all(statements, progress):
        for first, second, one, other, n in rows:
            found[first, second][one, other] = n
    return dict(found)


def _statement(questions: Sequence[Question]) -> Statement:
    beginnings = [each.since for each in questions]
    since = min(beginnings) if min(beginnings) > UNKNOWN else None
    return Statement(
        shared(questions), {"exposure": Scan(since, tuple(each.experiment for each in questions))}
    )


def shared(questions: Sequence[Question]) -> exp.Expr:
    """The statement: units by pairs of experiments and their variants.

    ``placed`` holds each unit's variant in each experiment, for units seen in one variant and not placed by
    hand.
    """
    phases = exp.union(*(_phase(each) for each in questions), distinct=False, copy=False)
    placed = filled(
        """
        SELECT experiment, unit, MIN(variant) AS variant FROM phases
        GROUP BY experiment, unit HAVING MIN(variant) = MAX(variant) AND MAX(by_hand) = 0
        """
    )
    pairs = filled(
        """
        SELECT one.experiment AS first, other.experiment AS second, one.variant AS one_variant,
               other.variant AS other_variant, COUNT(*) AS n
        FROM placed AS one JOIN placed AS other ON other.unit = one.unit AND one.experiment < other.experiment
        GROUP BY one.experiment, other.experiment, one.variant, other.variant
        """
    )
    return pairs.with_("phases", as_=phases).with_("placed", as_=placed)


def _phase(question: Question) -> exp.Select:
    return filled(
        """
        SELECT experiment, :unit AS unit, variant, CASE WHEN mark = 'override' THEN 1 ELSE 0 END AS by_hand
        FROM exposure
        WHERE experiment = :experiment AND NOT :unit IS NULL AND variant IN (:variants)
          AND occurred_at >= :since AND occurred_at < :until AND occurred_at <= :horizon
        """,
        **_filling(question),
    )


def beside(question: Question) -> exp.Select:
    """Each unit's variant in another experiment, as a segment of one."""
    return filled(
        """
        SELECT :unit AS unit, MIN(variant) AS variant FROM exposure
        WHERE experiment = :experiment AND NOT :unit IS NULL AND variant IN (:variants)
          AND occurred_at >= :since AND occurred_at < :until AND occurred_at <= :horizon
        GROUP BY :unit HAVING MIN(variant) = MAX(variant)
        """,
        **_filling(question),
    )


def _filling(question: Question) -> Mapping[str, object]:
    return {
        "unit": exp.column(question.unit_type),
        "experiment": question.experiment,
        "variants": list(question.variants),
        "since": question.since,
        "until": question.until,
        "horizon": question.horizon,
    }
