"""Plans: which inference they ask for, when they are over, and what lasts through JSON."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analysis import (
    AlwaysValid,
    Bayesian,
    Correction,
    Direction,
    FixedHorizon,
    GroupSequential,
    InvalidInput,
    Plan,
    PlannedMetric,
    Role,
    Sequential,
)
from analysis.plan import CAUTIOUS_PRIOR
from tests.analysis.observations import NOON, plan

UNEVEN = {"weights": {"old": 2.0, "new": 1.0, "third": 1.0}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"inference": "fixed", "confidence": 0.9}, FixedHorizon(0.9)),
        ({"inference": "sequential", "size": 4_000}, Sequential(3_000)),
        ({"inference": "always_valid", "optimum": 500}, AlwaysValid(500)),
        ({"inference": "group_sequential", "size": 4_000}, GroupSequential(3_000)),
        (
            {"inference": "group_sequential", "size": 4_000, "looks": (0.5, 1.0), "confidence": 0.9},
            GroupSequential(3_000, (0.5, 1.0), confidence=0.9),
        ),
        ({"inference": "bayesian"}, Bayesian(prior_sd=CAUTIOUS_PRIOR)),
        ({"inference": "bayesian", "prior_sd": 0.02}, Bayesian(prior_sd=0.02)),
    ],
)
def test_a_plan_names_the_inference_of_each_comparison(changes: dict[str, Any], expected: object) -> None:
    assert plan(**UNEVEN, **changes).inference_for("new") == expected


@pytest.mark.parametrize("inference", ["sequential", "group_sequential", "astrology"])
def test_a_plan_that_lacks_something_is_refused(inference: str) -> None:
    with pytest.raises(InvalidInput, match=r"^plan\."):
        plan(inference=inference).inference_for("new")


def test_treatments_keep_their_order() -> None:
    assert plan(control="new", **UNEVEN).treatments == ("old", "third")


@pytest.mark.parametrize(
    ("metric", "limit"),
    [
        (PlannedMetric("m", Role.GUARDRAIL, margin=0.1), -0.1),
        (PlannedMetric("m", Role.GUARDRAIL, Direction.DECREASE, margin=0.1), 0.1),
        (PlannedMetric("m", Role.PRIMARY), None),
    ],
)
def test_a_harm_limit_lies_on_the_bad_side(metric: PlannedMetric, limit: float | None) -> None:
    assert metric.harm_limit == limit


@pytest.mark.parametrize(
    ("changes", "over"),
    [
        ({"closed": True}, True),
        ({}, False),
        ({"ends": NOON}, True),
        ({"ends": NOON + timedelta(seconds=1)}, False),
        ({"starts": NOON - timedelta(days=2), "days": 2}, True),
        ({"starts": NOON - timedelta(days=2), "days": 3}, False),
        ({"starts": NOON - timedelta(days=2), "days": 1, "ends": NOON + timedelta(days=1)}, False),
        ({"days": 1}, False),
        ({"size": 100}, False),
        ({"size": 100, "inference": "sequential"}, True),
        ({"size": 101, "inference": "sequential"}, False),
    ],
)
def test_a_plan_is_over_by_date_by_size_or_when_it_was_stopped(changes: dict[str, Any], over: bool) -> None:
    assert plan(**{"closed": False, **changes}).is_over(as_of=NOON, units=100) is over


@pytest.mark.parametrize(
    "written",
    [
        plan(),
        plan(
            PlannedMetric("a", Role.PRIMARY, Direction.DECREASE, "proportion"),
            PlannedMetric("b", Role.GUARDRAIL, margin=0.05),
            inference="group_sequential",
            looks=(0.5, 1.0),
            size=1_000,
            correction=Correction.BENJAMINI_HOCHBERG,
            starts=NOON,
            ends=datetime(2026, 4, 1, tzinfo=UTC),
            prior_sd=0.1,
            mde=0.02,
        ),
    ],
)
def test_a_plan_lasts_through_json(written: Plan) -> None:
    document = json.loads(json.dumps(written.to_json(), allow_nan=False))
    assert Plan.from_json(document) == written
