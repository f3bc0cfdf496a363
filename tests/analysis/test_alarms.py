"""Alarms and the programme: what a readout is asked for by others, at its edges."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analysis import Direction, Estimate, Interval, PlannedMetric, Role, read
from analysis.alarms import breaches
from analysis.programme import Trial, effect_of, shrink_effects
from analysis.readout import Readout
from tests.analysis.observations import NOON, arm, observed, plan

LATENCY = PlannedMetric("latency", Role.GUARDRAIL, Direction.DECREASE, margin=0.05)
RUNNING = {"closed": False, "days": 14, "starts": NOON - timedelta(days=3)}


def readout_of(new: float, old: float, n: int = 9_000, var: float = 25.0, **changes: Any) -> Readout:
    seen = observed({"latency": {"old": arm(old, n=n, var=var), "new": arm(new, n=n, var=var)}})
    return read(plan(LATENCY, **{**RUNNING, **changes}), seen, version="test")


def alarmed(readout: Readout, limit: float = 0.05) -> list[str]:
    return [finding.metric for finding in breaches(readout, {"latency": limit})]


@pytest.mark.parametrize("changes", [{}, {"closed": True}, {"inference": "always_valid"}])
def test_a_guardrail_beyond_its_limit_alarms_at_any_time(changes: dict[str, Any]) -> None:
    assert alarmed(readout_of(12.0, 10.0, **changes)) == ["latency"]
    assert alarmed(readout_of(12.0, 10.0, **changes), limit=0.5) == []
    assert alarmed(readout_of(8.0, 10.0, **changes)) == []
    assert list(breaches(readout_of(12.0, 10.0, **changes), {})) == []


def test_what_cannot_be_known_before_the_end_does_not_alarm() -> None:
    assert alarmed(readout_of(12.0, 10.0, n=99, var=0.01)) == []
    assert alarmed(readout_of(12.0, 0.0)) == []
    bare = readout_of(12.0, 10.0)
    without = tuple(replace(each, standard_error=None) for each in bare.comparisons)
    assert alarmed(replace(bare, comparisons=without)) == []


def test_an_effect_needs_a_lift_with_an_error() -> None:
    (finding,) = readout_of(12.0, 10.0).comparisons
    effect = effect_of(finding, Direction.DECREASE)
    assert effect is not None
    assert effect.value == pytest.approx(-0.2)
    assert effect_of(replace(finding, lift=None), Direction.DECREASE) is None
    assert (
        effect_of(replace(finding, lift=Interval(0.1, 0.0, 0.2), control_value=0.0), Direction.INCREASE)
        is None
    )


def test_one_experiment_says_nothing_about_the_others() -> None:
    assert shrink_effects([Trial("a", "paid", Estimate(0.1, 0.02, 9, 8, "lift"), 1.0)]) == []
