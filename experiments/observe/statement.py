"""The statement: one SQL query that turns exposures and events into moments.

It is put together from small named pieces, each a fixed text whose placeholders are filled with typed values,
so nothing that a person typed ever becomes SQL. It is run in DuckDB's dialect; sqlglot can write others.

The pieces, in the order in which the data flow through them:

======== ==============================================================================================
shown    exposures of the experiment's phase
met      one row per unit: its variant, its first exposure, whether it was seen in several variants
units    the units that count: seen in one variant, not placed there by hand
happened one row per unit and day with events at or after the first exposure: what each metric gained
totals   one row per unit: each metric's value (zero for a unit to which nothing happened)
limits   each metric's cap, from the pooled units
valued   the values after capping, and whether the metric's window has passed
centres  each metric's pooled mean, around which the daily sums are taken
scales   each metric's pooled mean and spread over the units whose window has passed
======== ==============================================================================================

The answer is long: one row per part, metric, variant and day, read by `experiments.observe.counting`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlglot
from sqlglot import exp

from experiments.fields import length_of
from experiments.metrics import MetricDraft

DIALECT = "duckdb"
DAY_MS = 86_400_000
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What to count.

    Attributes
    ----------
    since, until
        The phase, in milliseconds: exposures in [since, until); events up to ``horizon``.
    horizon
        The present moment of the analysis, in milliseconds: what happened later has not happened yet.
    """

    experiment: str
    unit_type: str
    variants: Sequence[str]
    metrics: Sequence[MetricDraft]
    since: int
    until: int
    horizon: int


def compose(question: Question) -> exp.Expr:
    """Put the statement together."""
    pieces = {
        "shown": _shown(question),
        "met": _MET,
        "units": _UNITS,
        "happened": _happened(question),
        "totals": _totals(question),
        "limits": _limits(question),
        "valued": _valued(question),
        "centres": _centres(question),
        "scales": _scales(question),
        "running": _running(question),
        "levels": _levels(question),
    }
    answer = exp.union(*_answers(question), distinct=False)
    for name, piece in pieces.items():
        answer = answer.with_(name, as_=piece, copy=False)
    return answer


def text_of(question: Question) -> str:
    """The statement as text, as it is run and as it is shown to readers."""
    return compose(question).sql(dialect=DIALECT, pretty=True)


def filled(sql: str, **values: object) -> exp.Select:
    """Read a fixed text and fill its placeholders; a list fills the place of an IN's values."""
    piece = sqlglot.parse_one(sql)
    for place in list(piece.find_all(exp.Placeholder)):
        value = values[place.name]
        if isinstance(value, list | tuple):
            owner = place.parent
            if not isinstance(owner, exp.In):
                raise TypeError(f"{place.name}: a list fills only an IN")
            owner.set("expressions", [exp.convert(each) for each in value] or [exp.null()])
        else:
            place.replace(value if isinstance(value, exp.Expr) else exp.convert(value))
    if not isinstance(piece, exp.Select):
        raise TypeError("a piece is a SELECT")
    return piece


def _shown(question: Question) -> exp.Select:
    unit = exp.column(question.unit_type)
    return filled(
        """
        SELECT :unit AS unit, variant, occurred_at, CASE WHEN mark = 'override' THEN 1 ELSE 0 END AS by_hand
        FROM exposure
        WHERE experiment = :experiment AND NOT :unit IS NULL AND variant IN (:variants)
          AND occurred_at >= :since AND occurred_at < :until AND occurred_at <= :horizon
        """,
        unit=unit,
        experiment=question.experiment,
        variants=list(question.variants),
        since=question.since,
        until=question.until,
        horizon=question.horizon,
    )


_MET = filled(
    """
    SELECT unit, MIN(variant) AS variant, MIN(occurred_at) AS first_at, MAX(occurred_at) AS last_at,
           COUNT(DISTINCT variant) AS variants, MAX(by_hand) AS by_hand
    FROM shown GROUP BY unit
    """
)

_UNITS = filled("SELECT unit, variant, first_at FROM met WHERE variants = 1 AND by_hand = 0")


def _happened(question: Question) -> exp.Select:
    piece = filled(
        """
        SELECT units.unit, units.variant, MAX(event.occurred_at) AS last_at,
               CAST(FLOOR(event.occurred_at / :day) AS BIGINT) AS day
        FROM units JOIN event ON :unit = units.unit
        WHERE event.occurred_at >= units.first_at AND event.occurred_at <= :horizon
          AND event.event IN (:events)
        GROUP BY units.unit, units.variant, day
        """,
        day=exp.Literal.number(f"{DAY_MS}.0"),
        unit=exp.column(question.unit_type, "event"),
        horizon=question.horizon,
        events=sorted({event for metric in question.metrics for event in metric.events}),
    )
    for place, metric in enumerate(question.metrics):
        piece = piece.select(gain(metric).as_(f"m{place}"), copy=False)
    return piece


def gain(metric: MetricDraft) -> exp.Expr:
    """What the events of one unit on one day add to its metric."""
    counts: exp.Expr = exp.column("event", "event").eq(metric.event)
    if (window := _window(metric)) is not None:
        counts = exp.and_(counts, _bound("event.occurred_at < units.first_at + :window", window=window))
    by_value = metric.kind == "mean" and metric.aggregation == "sum"
    gained: exp.Expr = exp.func("COALESCE", exp.column("value", "event"), exp.Literal.number(0))
    case = exp.Case().when(counts, gained if by_value else exp.Literal.number(1)).else_(exp.Literal.number(0))
    return exp.cast(exp.Sum(this=case), "DOUBLE")


def _bound(sql: str, **values: int) -> exp.Expr:
    condition = sqlglot.condition(sql)
    for place in list(condition.find_all(exp.Placeholder)):
        place.replace(exp.convert(values[place.name]))
    return condition


def _window(metric: MetricDraft) -> int | None:
    return None if metric.window is None else length_of(metric.window) // _MILLISECOND


def _totals(question: Question) -> exp.Select:
    piece = filled(
        """
        SELECT units.unit, units.variant, units.first_at
        FROM units LEFT JOIN happened ON happened.unit = units.unit
        GROUP BY units.unit, units.variant, units.first_at
        """
    )
    for place, metric in enumerate(question.metrics):
        total = exp.func("COALESCE", exp.Sum(this=exp.column(f"m{place}", "happened")), exp.Literal.number(0))
        piece = piece.select(once(metric, total).as_(f"m{place}"), copy=False)
    return piece


def once(metric: MetricDraft, total: exp.Expr) -> exp.Expr:
    """A proportion counts a unit once however often its event happened."""
    if metric.kind != "proportion":
        return total
    return exp.func("LEAST", total, exp.Literal.number("1.0"))


def _limits(question: Question) -> exp.Select:
    piece = filled("SELECT COUNT(*) AS pooled FROM totals")
    for place, metric in enumerate(question.metrics):
        if metric.cap is not None:
            limit = exp.func(
                "QUANTILE_CONT", exp.column(f"m{place}"), exp.convert(metric.cap.quantile), dialect=DIALECT
            )
            # A cap cuts off what is large; below zero it would move units to which nothing happened.
            above = exp.func("GREATEST", limit, exp.Literal.number("0.0"))
            piece = piece.select(above.as_(f"limit{place}"), copy=False)
    return piece


def _capped(metric: MetricDraft, place: int, value: exp.Expr) -> exp.Expr:
    if metric.cap is None:
        return value
    return exp.func("LEAST", value, exp.column(f"limit{place}", "limits"))


def _valued(question: Question) -> exp.Select:
    piece = filled("SELECT totals.unit, totals.variant, totals.first_at FROM totals CROSS JOIN limits")
    for place, metric in enumerate(question.metrics):
        value = _capped(metric, place, exp.column(f"m{place}", "totals"))
        piece = piece.select(value.as_(f"m{place}"), copy=False)
    return piece


def _centres(question: Question) -> exp.Select:
    piece = filled("SELECT COUNT(*) AS pooled FROM valued")
    for place, _ in enumerate(question.metrics):
        centre = exp.func("COALESCE", exp.Avg(this=exp.column(f"m{place}")), exp.Literal.number(0))
        piece = piece.select(centre.as_(f"centre{place}"), copy=False)
    return piece


def _scales(question: Question) -> exp.Select:
    piece = filled("SELECT COUNT(*) AS pooled FROM valued")
    for place, metric in enumerate(question.metrics):
        value = exp.Case().when(_matured(question, metric), exp.column(f"m{place}"))
        piece = piece.select(exp.Avg(this=value).as_(f"middle{place}"), copy=False)
        piece = piece.select(exp.StddevPop(this=value.copy()).as_(f"spread{place}"), copy=False)
    return piece


def _matured(question: Question, metric: MetricDraft) -> exp.Expr:
    return _bound("first_at <= :latest", latest=question.horizon - (_window(metric) or 0))


def _running(question: Question) -> exp.Select:
    """Each unit's metrics after each of its days."""
    piece = filled("SELECT unit, variant, day FROM happened")
    for place, _ in enumerate(question.metrics):
        reached = sqlglot.parse_one(f"SUM(m{place}) OVER (PARTITION BY unit ORDER BY day)")
        piece = piece.select(reached.as_(f"m{place}"), copy=False)
    return piece


def _levels(question: Question) -> exp.Select:
    """The same, counted once, capped, and beside the level of the day before."""
    inner = filled("SELECT running.unit, running.variant, running.day FROM running CROSS JOIN limits")
    outer = filled(
        """
        SELECT unit, variant, day,
               CASE WHEN LAG(day) OVER (PARTITION BY unit ORDER BY day) IS NULL THEN 1 ELSE 0 END AS first_day
        FROM capped
        """
    )
    for place, metric in enumerate(question.metrics):
        level = _capped(metric, place, once(metric, exp.column(f"m{place}", "running")))
        inner = inner.select(level.as_(f"m{place}"), copy=False)
        before = sqlglot.parse_one(f"COALESCE(LAG(m{place}) OVER (PARTITION BY unit ORDER BY day), 0)")
        outer = outer.select(
            exp.column(f"m{place}").as_(f"after{place}"), before.as_(f"before{place}"), copy=False
        )
    return outer.from_(inner.subquery("capped"), copy=False)


def _answers(question: Question) -> Iterator[exp.Select]:
    yield filled(
        """
        SELECT 'arrival' AS part, '' AS metric, variant, CAST(FLOOR(first_at / :day) AS BIGINT) AS day,
               COUNT(*) AS n, CAST(0 AS DOUBLE) AS first, CAST(0 AS DOUBLE) AS second
        FROM units GROUP BY variant, day
        """,
        day=exp.Literal.number(f"{DAY_MS}.0"),
    )
    yield filled(
        """
        SELECT 'excluded', CASE WHEN by_hand = 1 THEN 'override' ELSE 'crossover' END AS reason, '', 0,
               COUNT(*), 0, 0
        FROM met WHERE by_hand = 1 OR variants > 1 GROUP BY reason
        """
    )
    yield filled("SELECT 'through', 'exposure', '', MAX(last_at), COUNT(*), 0, 0 FROM met")
    yield filled("SELECT 'through', 'event', '', MAX(last_at), COUNT(*), 0, 0 FROM happened")
    for place, metric in enumerate(question.metrics):
        yield from _metric_answers(question, place, metric)


def _metric_answers(question: Question, place: int, metric: MetricDraft) -> Iterator[exp.Select]:
    value, centre = exp.column(f"m{place}"), exp.column(f"centre{place}")
    window = _window(metric)
    matured = _matured(question, metric)
    common = {"metric": metric.key, "value": value, "centre": centre, "matured": matured}
    yield filled(
        """
        SELECT 'total', :metric, variant, 0, COUNT(*), AVG(:value), COALESCE(VAR_SAMP(:value), 0)
        FROM valued WHERE :matured GROUP BY variant
        """,
        **common,
    )
    yield _shape_answer(place, common)
    yield filled("SELECT 'centre', :metric, '', 0, 0, :centre, 0 FROM centres", **common)
    if window is not None:
        yield filled(
            "SELECT 'immature', :metric, '', 0, COUNT(*), 0, 0 FROM valued WHERE NOT :matured", **common
        )
        yield filled(
            """
            SELECT 'step', :metric, variant, CAST(FLOOR((first_at + :window) / :day) AS BIGINT) AS day,
                   COUNT(*), SUM(:value), SUM(POWER(:value - :centre, 2))
            FROM valued CROSS JOIN centres WHERE :matured GROUP BY variant, day
            """,
            **common,
            window=window,
            day=exp.Literal.number(f"{DAY_MS}.0"),
        )
        return
    yield filled(
        """
        SELECT 'step', :metric, variant, day, SUM(first_day), SUM(:after - :before),
               SUM(POWER(:after - :centre, 2) - (1 - first_day) * POWER(:before - :centre, 2))
        FROM levels CROSS JOIN centres GROUP BY variant, day
        """,
        **common,
        after=exp.column(f"after{place}"),
        before=exp.column(f"before{place}"),
    )


def _shape_answer(place: int, common: dict[str, Any]) -> exp.Select:
    # Standardised before it is cubed, so that neither large values nor a large mean lose it.
    return filled(
        """
        SELECT 'shape', :metric, '', 0, COUNT(*),
               COALESCE(AVG(CASE WHEN :spread > 0 THEN POWER((:value - :middle) / :spread, 3) ELSE 0 END), 0),
               COALESCE(MAX(ABS(:value)) / NULLIF(SUM(ABS(:value)), 0), 0)
        FROM valued CROSS JOIN scales WHERE :matured
        """,
        **common,
        middle=exp.column(f"middle{place}"),
        spread=exp.column(f"spread{place}"),
    )
