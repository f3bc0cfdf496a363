"""A log and a question that reach every piece of the statement, for asking several engines the same."""

import math
import random
from dataclasses import replace
from typing import Any

from analysis import Observation, Plan, PlannedMetric, Role, read
from assignment import condition_from_json
from experiments.observe import Bots, Question, count
from experiments.observe.cohorts import with_cohorts
from experiments.observe.engines import Engine
from experiments.observe.question import covariates, reach
from experiments.store.ledger import Event, Exposure
from tests.experiments.observe.logs import DAY, did, question, shown

ASKED: Question = question(
    [
        {"key": "buys", "kind": "proportion", "event": "buy"},
        {"key": "buys_soon", "kind": "proportion", "event": "buy", "window": "36h"},
        {"key": "spend", "kind": "mean", "event": "buy"},
        {"key": "spend_capped", "kind": "mean", "event": "buy", "window": "2d", "cap": {"quantile": 0.97}},
        {"key": "visits", "kind": "mean", "event": "visit", "aggregation": "count"},
        {"key": "nothing", "kind": "mean", "event": "never"},
        {
            "key": "many",
            "kind": "proportion",
            "event": "buy",
            "where": {"attribute": "items", "operator": "ge", "value": 2},
        },
        {
            "key": "mailed",
            "kind": "mean",
            "event": "buy",
            "where": {"attribute": "channel", "operator": "starts_with", "value": "ma"},
        },
        {"key": "aov", "kind": "ratio", "numerator": "spend", "denominator": "visits"},
        {"key": "back", "kind": "retention", "event": "visit", "from": "1d", "to": "3d"},
        {"key": "p90", "kind": "quantile", "event": "buy", "quantile": 0.9},
        {"key": "path", "kind": "funnel", "steps": ["visit", "buy"]},
        {"key": "first_buy", "kind": "time_to_event", "event": "buy", "window": "5d"},
    ],
    back=7 * DAY,
    segments=["country", "lifecycle"],
    aged=frozenset({"spend"}),
    channel="channel",
)


SMALL: Question = replace(
    ASKED, metrics=ASKED.metrics[:4], back=0, segments=(), aged=frozenset(), channel=None
)
"""A question for what has nothing to do with metrics."""

BANNER: Question = question(experiment="banner", variants=["plain", "loud"], metrics=[])
"""Another experiment over the same units."""

NORTHERN = {"attribute": "country", "operator": "in", "value": ["NO", "SE"]}
BIG = {"attribute": "items", "operator": "gt", "value": 1}
OTHER_WAY = {"not": {"attribute": "channel", "operator": "in", "value": ["mail", "post"]}}
EVERY: Question = replace(
    question(
        [
            *(each.model_dump(by_alias=True, exclude_unset=True) for each in ASKED.metrics),
            {"key": "buys_twice", "kind": "proportion", "event": "buy", "at_least": 2, "window": "3d"},
            {"key": "orders", "kind": "mean", "event": "buy", "aggregation": "count", "scale": 0.5},
            {"key": "largest", "kind": "mean", "event": "buy", "aggregation": "max", "value": "price"},
            {"key": "latest", "kind": "mean", "event": "buy", "aggregation": "last", "window": "4d"},
            {"key": "days", "kind": "mean", "aggregation": "days"},
            {"key": "sessions", "kind": "mean", "aggregation": "sessions", "window": "5d"},
            {
                "key": "channels",
                "kind": "mean",
                "event": "visit",
                "aggregation": "count_distinct",
                "value": "channel",
            },
            {"key": "big", "kind": "mean", "event": "buy", "value": "price", "where": BIG},
            {"key": "other_way", "kind": "proportion", "event": "visit", "where": OTHER_WAY},
            {"key": "soon", "kind": "ratio", "numerator": "spend_capped", "denominator": "buys_twice"},
            {"key": "lost", "kind": "retention", "from": "12h", "to": "4d", "lost": True},
            {"key": "path_soon", "kind": "funnel", "steps": ["visit", "other", "buy"], "window": "4d"},
            {"key": "typical", "kind": "quantile", "event": "buy", "value": "price", "quantile": 0.5},
            {
                "key": "whole",
                "kind": "quantile",
                "event": "buy",
                "quantile": 0.75,
                "per": "unit",
                "window": "3d",
            },
        ],
    ),
    back=7 * DAY,
    also=("visits",),
    segments=("country", "northern", "lifecycle", "rfm", "banner"),
    saved={
        "northern": condition_from_json({"attribute": "country", "operator": "in", "value": ["NO", "SE"]})
    },
    aged=frozenset({"spend", "buys"}),
    channel="channel",
    beside={"banner": BANNER},
    bots=Bots(5, condition_from_json({"attribute": "robot", "operator": "eq", "value": True})),
)
"""Every kind of metric in every way, and everything that can be asked beside them."""


COUNTRIES = ('{"country":"NO"}', '{"country":"SE"}', '{"country":"größe \'o\'","robot":true}', None, None)
PROPERTIES = (
    '{"items":3,"channel":"mail","price":7.25}',
    '{"items":1,"channel":"search","price":"12.5"}',
    '{"items":"few","price":"dear"}',
    None,
)


def log(units: int = 200, seed: int = 5) -> tuple[list[Exposure], list[Event]]:
    """Exposures and events of some units; a few crossed over, were placed by hand, or have no id."""
    rng = random.Random(seed)
    exposures, events = [], []
    for number in range(units):
        unit, variant = f"unit {number}", rng.choice(["old", "new"])
        first = rng.randrange(-8 * DAY, 10 * DAY)
        mark = "override" if rng.random() < 0.03 else None
        exposures.append(shown(unit, variant, first, mark=mark, attributes=rng.choice(COUNTRIES)))
        if rng.random() < 0.5:
            other = shown(unit, rng.choice(["plain", "loud"]), first, experiment="banner")
            exposures.append(other)
        if rng.random() < 0.05:
            exposures.append(shown(unit, rng.choice(["old", "new", "third"]), first + DAY))
        events += [
            did(
                unit if rng.random() < 0.95 else None,
                rng.choice(["buy", "visit", "visit", "other"]),
                first + rng.randrange(-2 * DAY, 6 * DAY),
                rng.choice([None, round(rng.lognormvariate(3, 1), 2), -5.0]),
                properties=rng.choice(PROPERTIES),
            )
            for _ in range(rng.randrange(9))
        ]
    return exposures, [_arrived(each, place) for place, each in enumerate(events)]


def _arrived(event: Event, place: int) -> Event:
    """An event that came on time, or days later."""
    return event._replace(received_at=event.occurred_at + (0, 0, 0, 0, 2, 5)[place % 6] * DAY)


def seen_by(engine: Engine, asked: Question = ASKED) -> Observation:
    """What an engine sees."""
    return with_cohorts(engine, asked, count(engine=engine, question=asked))


def readout_of(observation: Observation) -> Any:
    """What is made of an observation."""
    metrics = tuple(
        PlannedMetric(
            key=metric.key,
            role=Role.PRIMARY if place == 0 else Role.SECONDARY,
            kind=metric.kind,
            covariates=covariates(metric, EVERY.back, EVERY.also),
            quantile=metric.quantile,
            steps=metric.steps,
            horizon=reach(metric)[1] if metric.kind == "time_to_event" else None,
        )
        for place, metric in enumerate(EVERY.metrics)
    )
    plan = Plan(
        experiment=EVERY.experiment,
        control="old",
        weights={"old": 1.0, "new": 1.0},
        metrics=metrics,
        segments=tuple(EVERY.segments),
    )
    return read(plan, observation, version="1").to_json()


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two observations differ by more than 1e-9 of what they say."""
    match one, other:
        case Observation(), Observation():
            return differences(one.to_json(), other.to_json())
        case dict(), dict() if one.keys() == other.keys():
            return [each for key in one for each in differences(one[key], other[key], f"{place}.{key}")]
        case list() | tuple(), list() | tuple() if len(one) == len(other):
            pairs = enumerate(zip(one, other, strict=True))
            return [each for at, pair in pairs for each in differences(*pair, f"{place}[{at}]")]
        case int() | float(), int() | float() if math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9):
            return []
    return [] if one == other else [f"{place}: {one} is not {other}"]
