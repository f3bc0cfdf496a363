"""Flows: how many units came, how many of them did it, how often, and what it was worth.

Their quotients are the factors of a sum: visitors, the share that does it, how often they do, and the worth
of each time. Two periods are counted in one scan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from experiments.metrics import MetricDraft
from experiments.observe.engines import Engine
from experiments.observe.gathering import amount, fits
from experiments.observe.scanning import Scan, Statement
from experiments.observe.sql import alias, both, filled, real, total, when, zero
from experiments.store.instants import to_millis


@dataclass(frozen=True, slots=True)
class Flow:
    """One period: units with any event, units that did it, how often, and the metric's total over them."""

    visitors: int
    units: int
    events: int
    total: float


Flows = tuple[Flow, Flow]
"""Before and after."""


def is_product(metric: MetricDraft) -> bool:
    """Whether the metric's total over all units is a product of factors."""
    if metric.kind == "proportion":
        return metric.at_least == 1
    return metric.kind == "mean" and (
        metric.aggregation == "sum" or (metric.aggregation == "count" and metric.scale == 1)
    )


def count_flows(
    *,
    engine: Engine,
    metrics: Sequence[MetricDraft],
    unit_type: str,
    since: datetime,
    middle: datetime,
    until: datetime,
) -> dict[str, Flows]:
    """Count the flows of several metrics, by key, before and after a moment."""
    asked = [each for each in metrics if is_product(each)]
    if not asked:
        return {}
    moments = (to_millis(since), to_millis(middle), to_millis(until))
    statement = Statement(_statement(asked, unit_type, *moments), {"event": Scan(moments[0])})
    (rows,) = engine.fetch_all([statement])
    periods = {int(row[0]): row[1:] for row in rows}
    return {
        each.key: (_flow(each, place, periods.get(0)), _flow(each, place, periods.get(1)))
        for place, each in enumerate(asked)
    }


def _flow(metric: MetricDraft, place: int, row: Sequence[float] | None) -> Flow:
    if row is None:
        return Flow(0, 0, 0, 0.0)
    units, events, worth = row[1 + 3 * place : 4 + 3 * place]
    whole = float(units) if metric.kind == "proportion" else float(worth) * metric.scale
    return Flow(int(row[0]), int(units), int(events), whole)


def _statement(
    metrics: Sequence[MetricDraft], unit_type: str, since: int, middle: int, until: int
) -> exp.Select:
    each_unit = filled(
        """
        SELECT CASE WHEN occurred_at >= :middle THEN 1 ELSE 0 END AS period FROM event
        WHERE occurred_at >= :since AND occurred_at < :until AND NOT :unit IS NULL
        GROUP BY :unit, CASE WHEN occurred_at >= :middle THEN 1 ELSE 0 END
        """,
        since=since,
        middle=middle,
        until=until,
        unit=exp.column(unit_type),
    )
    answer = exp.select("period", "COUNT(*) AS visitors")
    for place, metric in enumerate(metrics):
        hits = both(*fits(metric))
        each_unit.append("expressions", alias(total(when(hits, real(1), zero())), f"n{place}"))
        worth = exp.func("COALESCE", amount(metric), zero()) if _has_worth(metric) else real(1)
        each_unit.append("expressions", alias(total(when(hits, worth, zero())), f"w{place}"))
        often, spent = exp.column(f"n{place}"), exp.column(f"w{place}")
        did_it = when(exp.GT(this=often, expression=zero()), real(1), zero())
        for name, value in (("u", total(did_it)), ("e", total(often)), ("t", total(spent))):
            answer.append("expressions", alias(value, f"{name}{place}"))
    return answer.from_(each_unit.subquery("each_unit"), copy=False).group_by("period", copy=False)


def _has_worth(metric: MetricDraft) -> bool:
    return metric.kind == "mean" and metric.aggregation == "sum"
