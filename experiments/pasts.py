"""Pasts: what the last four weeks say about each metric, kept so that no page has to count.

The worker looks back once in a while, or when a metric was changed; forms, metric pages and the calculator
read what it found. What could not be counted says why.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from analysis import Estimate, NotEstimable, PlannedMetric, Role
from analysis.kinds import counted_of, plain_pair
from experiments.metrics import MetricDraft
from experiments.observe import Engine
from experiments.observe.flows import Flow, Flows, count_flows
from experiments.observe.history import EVERYBODY, Glance, count_pasts, daily_units, past_question
from experiments.observe.question import reach
from experiments.observe.statement import statement_of
from experiments.observe.trends import DayTotal, daily_totals
from experiments.registry import Metric, list_metrics
from experiments.store import Store
from experiments.store.tables import PastRow

DAYS = 28
"""Four whole weeks: every weekday counts alike."""

LIFETIME = timedelta(hours=6)
"""Until a past is counted again."""

NOBODY = "nobody"

UNIT_TYPES = ("user_id", "anonymous_id")


@dataclass(frozen=True, slots=True)
class Past:
    """A metric's last four weeks.

    Attributes
    ----------
    version
        Of the metric that was counted.
    units, mean, variance
        Of the units that were seen and are old enough: the level that an experiment would have measured on
        them, and its variance between units; None where it could not be estimated.
    weekly_units
        Units seen for the first time in each week.
    daily
        What happened on each day.
    missing
        Why there is no mean: ``nobody`` where no unit was seen, or the cause for which nothing could be
        estimated; empty where there is one.
    flows
        What came in the four weeks before and in the last four, for a metric that is a product of factors.
    """

    metric: str
    unit_type: str
    version: int
    as_of: datetime
    units: int = 0
    mean: float | None = None
    variance: float | None = None
    weekly_units: tuple[int, ...] = ()
    daily: tuple[DayTotal, ...] = ()
    missing: str = ""
    flows: Flows | None = None

    @property
    def daily_units(self) -> float:
        """New units a day."""
        return daily_units(self.weekly_units)


def find_pasts(*, session: Session, unit_type: str = "user_id") -> dict[str, Past]:
    """What is known of every metric's past, by key."""
    rows = session.exec(select(PastRow).where(PastRow.unit_type == unit_type))
    return {row.metric: _restored(row) for row in rows}


def refresh_pasts(
    *,
    store: Store,
    engine: Engine,
    now: datetime,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> int:
    """Look back again for metrics whose past is old, unknown, or of another version.

    Returns
    -------
    int
        How many pasts were counted.
    """
    counted = 0
    for place, unit_type in enumerate(UNIT_TYPES, start=1):
        with store.read() as session:
            metrics = list_metrics(session=session)
            stale = _stale(metrics, find_pasts(session=session, unit_type=unit_type), now)
        known = {each.key: each.definition for each in metrics}
        pasts = _look_back(engine, stale, known, unit_type, now) if stale else []
        with store.write() as session:
            for past in pasts:
                keep_past(session=session, past=past)
        counted += len(pasts)
        progress(place / len(UNIT_TYPES))
    return counted


def _stale(metrics: Sequence[Metric], known: dict[str, Past], now: datetime) -> list[Metric]:
    return [
        metric
        for metric in metrics
        if (past := known.get(metric.key)) is None
        or past.version != metric.version
        or now - past.as_of >= LIFETIME
    ]


def _look_back(
    engine: Engine, metrics: Sequence[Metric], known: Mapping[str, MetricDraft], unit_type: str, now: datetime
) -> list[Past]:
    drafts = [each.definition for each in metrics]
    glances = count_pasts(engine=engine, metrics=drafts, known=known, unit_type=unit_type, now=now, days=DAYS)
    middle = now - timedelta(days=DAYS)
    flows = count_flows(
        engine=engine,
        metrics=drafts,
        unit_type=unit_type,
        since=middle - timedelta(days=DAYS),
        middle=middle,
        until=now,
    )
    return [
        replace(
            _past(each, glances[each.key], unit_type, now),
            daily=daily_totals(
                engine=engine, metric=each.definition, unit_type=unit_type, since=middle, until=now
            ),
            flows=flows.get(each.key),
        )
        for each in metrics
    ]


def _past(metric: Metric, glance: Glance, unit_type: str, now: datetime) -> Past:
    """What an experiment on all of these units would start from."""
    empty = Past(metric.key, unit_type, metric.version, now, weekly_units=glance.weekly_units)
    found = level_in(metric.definition, glance)
    if isinstance(found, NotEstimable):
        seen = glance.observation.units[EVERYBODY]
        return replace(empty, units=seen, missing=str(found.cause) if seen else NOBODY)
    # A unit's share in the estimate's variance: of a mean that is the variance between units.
    variance = found.standard_error**2 * found.n
    return replace(empty, units=found.n, mean=found.value, variance=variance)


def level_in(metric: MetricDraft, glance: Glance) -> Estimate | NotEstimable:
    """The level that an experiment would have measured on the units of a past."""
    planned = PlannedMetric(
        metric.key,
        Role.PRIMARY,
        kind=metric.kind,
        quantile=metric.quantile,
        steps=metric.steps,
        horizon=reach(metric)[1] if metric.kind == "time_to_event" else None,
    )
    counted = counted_of(glance.observation, planned, EVERYBODY)
    return plain_pair(planned, counted, counted).control


def past_statement(*, engine: Engine, metric: Metric, known: Mapping[str, Metric], now: datetime) -> str:
    """The SQL that a metric's last weeks are counted with, in the words of the engine that runs it.

    It is the statement of an experiment, but for who was exposed, and when.
    """
    definitions = {key: each.definition for key, each in known.items()}
    asked = past_question([metric.definition], known=definitions, unit_type=UNIT_TYPES[0], now=now, days=DAYS)
    return engine.text_of(statement_of(asked))


def keep_past(*, session: Session, past: Past) -> None:
    """Keep what was found, in the place of what was known before."""
    query = select(PastRow).where(PastRow.metric == past.metric, PastRow.unit_type == past.unit_type)
    row = session.exec(query).first() or PastRow(metric=past.metric, unit_type=past.unit_type, version=0)
    row.version, row.as_of, row.document = past.version, past.as_of, json.dumps(_document(past))
    session.add(row)
    session.flush()


def _document(past: Past) -> dict[str, Any]:
    document = asdict(past)
    for name in ("metric", "unit_type", "version", "as_of"):
        del document[name]
    document["flows"] = past.flows and [list(astuple(each)) for each in past.flows]
    document["daily"] = [[each.day.isoformat(), each.units, each.events, each.total] for each in past.daily]
    return document


def _restored(row: PastRow) -> Past:
    document = json.loads(row.document)
    daily = tuple(DayTotal(date.fromisoformat(day), *counts) for day, *counts in document.pop("daily"))
    weekly = tuple(document.pop("weekly_units"))
    flows = document.pop("flows", None)
    return Past(
        row.metric,
        row.unit_type,
        row.version,
        row.as_of,
        **document,
        daily=daily,
        weekly_units=weekly,
        flows=flows and (Flow(*flows[0]), Flow(*flows[1])),
    )
