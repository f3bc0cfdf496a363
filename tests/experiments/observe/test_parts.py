"""Quantiles and times to an event in segments, and values before their cap: the parts that others explain."""

import random
from typing import Any

import numpy as np
import pytest

from analysis import Moments
from experiments.observe import Question
from experiments.store.ledger import Event, Exposure
from tests.experiments.observe.by_hand import observe
from tests.experiments.observe.conftest import Count
from tests.experiments.observe.logs import DAY, HOUR, did, question, shown

COUNTRIES = {"NO": '{"country":"NO"}', "SE": '{"country":"SE"}', None: None}
METRICS: list[dict[str, Any]] = [
    {"key": "buys", "kind": "proportion", "event": "buy"},
    {"key": "slow", "kind": "quantile", "event": "buy", "quantile": 0.8},
    {"key": "each", "kind": "quantile", "event": "buy", "quantile": 0.5, "per": "unit", "window": "7d"},
    {"key": "first", "kind": "time_to_event", "event": "buy", "window": "5d"},
]


def log(units: int = 90) -> tuple[dict[str | None, list[Exposure]], list[Event]]:
    rng = random.Random(11)
    exposures: dict[str | None, list[Exposure]] = {country: [] for country in COUNTRIES}
    events = []
    for number in range(units):
        country = rng.choice(list(COUNTRIES))
        first = rng.randrange(0, 5 * DAY)
        variant = rng.choice(["old", "new"])
        exposures[country].append(shown(f"u{number}", variant, first, attributes=COUNTRIES[country]))
        moments = [first + rng.randrange(6 * DAY) for _ in range(rng.randrange(4))]
        events += [did(f"u{number}", "buy", at, round(rng.random(), 2)) for at in moments]
    return exposures, events


def test_a_segment_has_the_samples_of_its_own_units_alone() -> None:
    asked: Question = question(METRICS, segments=("country",))
    by_country, events = log()
    everybody = [each for some in by_country.values() for each in some]
    cuts = {each.value: each for each in observe(asked, everybody, events).cuts}
    assert cuts.keys() == by_country.keys()
    for country, exposures in by_country.items():
        alone = observe(question(METRICS), exposures, events)
        assert cuts[country].quantiles == alone.quantiles
        assert cuts[country].lifetables == alone.lifetables
        assert cuts[country].quantiles["slow"]["new"].values > 0


def test_values_before_their_cap_are_kept_beside_those_after_it(counted: Count) -> None:
    capped = {"key": "spend", "kind": "mean", "event": "buy", "window": "2d", "cap": {"quantile": 0.75}}
    values = [1.0, 2.0, 3.0, 4.0, 1_000.0]
    records: list[Exposure | Event] = [shown(f"u{place}") for place in range(5)]
    records += [did(f"u{place}", at=HOUR, value=value) for place, value in enumerate(values)]
    records += [shown("young", at=9 * DAY), did("young", at=9 * DAY, value=2.5)]
    seen = counted(records, question([capped]))
    free = seen.uncapped["spend"]["new"]
    assert seen.moments["spend"]["new"].value < 4
    expected = Moments.from_values(np.array(values))
    assert free.n == 5
    assert free.value == pytest.approx(expected.value)
    assert free.variance == pytest.approx(expected.variance)
    assert seen.immature == {"spend": 1}


def test_without_a_cap_nothing_is_kept_twice(counted: Count) -> None:
    assert counted([shown("u"), did("u")]).uncapped == {}
