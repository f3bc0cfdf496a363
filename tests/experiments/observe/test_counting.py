from typing import Any

import numpy as np
import pytest

from analysis import Moments, Observation
from experiments.observe import text_of
from experiments.store.instants import from_millis
from experiments.store.ledger import Event, Exposure
from tests.experiments.observe.conftest import Count
from tests.experiments.observe.logs import DAY, HOUR, NOON, did, question, shown

SPEND = {"key": "spend", "kind": "mean", "event": "buy"}


def total(seen: Observation, metric: str = "buys", variant: str = "new") -> tuple[int, float]:
    moments = seen.moments[metric].get(variant, Moments.empty())
    return moments.n, float(moments.n * moments.mean[0])


def test_nothing_seen_is_an_observation_of_nobody(counted: Count) -> None:
    seen = counted()
    assert (seen.units, seen.arrivals, seen.data_through) == ({"old": 0, "new": 0}, {}, None)
    assert (seen.excluded, seen.immature) == ({"crossover": 0, "override": 0}, {"buys": 0})
    assert (seen.moments, seen.daily) == ({"buys": {}}, {"buys": {}})


def test_the_first_exposure_counts_and_a_unit_counts_once(counted: Count) -> None:
    seen = counted([shown("u", at=2 * DAY), shown("u", at=0), shown("u", at=DAY)])
    assert seen.units == {"old": 0, "new": 1}
    assert [str(day) for day in seen.arrivals] == ["2026-03-15"]


@pytest.mark.parametrize(("at", "counts"), [(-1, 0), (0, 1), (1, 1)])
def test_an_event_counts_from_the_very_moment_of_the_exposure(counted: Count, at: int, counts: int) -> None:
    assert total(counted([shown("u"), did("u", at=at)])) == (1, counts)


@pytest.mark.parametrize(("at", "counts"), [(2 * DAY - 1, 1), (2 * DAY, 0)])
def test_a_window_is_closed_at_its_end(counted: Count, at: int, counts: int) -> None:
    asked = question([{"key": "buys", "kind": "proportion", "event": "buy", "window": "2d"}])
    assert total(counted([shown("u"), did("u", at=at)], asked)) == (1, counts)


@pytest.mark.parametrize(("since_exposure", "immature"), [(2 * DAY - 1, 1), (2 * DAY, 0)])
def test_a_unit_counts_for_a_metric_when_its_window_has_passed(
    counted: Count, since_exposure: int, immature: int
) -> None:
    windowed = {"key": "buys", "kind": "proportion", "event": "buy", "window": "2d"}
    asked = question([windowed, SPEND], horizon=NOON + since_exposure)
    seen = counted([shown("u"), did("u", value=5.0)], asked)
    assert seen.immature == {"buys": immature, "spend": 0}
    assert total(seen) == (1 - immature, 1 - immature)
    assert total(seen, "spend") == (1, 5.0)
    assert seen.units["new"] == 1


def test_a_unit_seen_in_two_variants_is_left_out_and_counted(counted: Count) -> None:
    seen = counted([shown("u", "old"), shown("u", "new", at=DAY), did("u"), shown("v")])
    assert (seen.units, seen.excluded["crossover"]) == ({"old": 0, "new": 1}, 1)
    assert total(seen) == (1, 0)


def test_a_unit_that_was_placed_by_hand_is_left_out_and_counted(counted: Count) -> None:
    seen = counted([shown("u", mark="override"), shown("u", "old", at=DAY), shown("v", mark="clamped")])
    assert (seen.units["new"], seen.excluded) == (1, {"crossover": 0, "override": 1})


def test_exposures_outside_the_phase_do_not_count(counted: Count) -> None:
    asked = question(since=NOON, until=NOON + DAY)
    times = {"early": -1, "first": 0, "last": DAY - 1, "late": DAY}
    seen = counted([shown(unit, at=at) for unit, at in times.items()], asked)
    assert seen.units["new"] == 2


def test_what_lies_in_the_future_has_not_happened_yet(counted: Count) -> None:
    asked = question(horizon=NOON + DAY)
    records = [shown("u"), shown("v", at=DAY + 1), did("u", at=DAY + 1), shown("w", at=DAY), did("w", at=DAY)]
    seen = counted(records, asked)
    assert seen.units["new"] == 2
    assert total(seen) == (2, 1)
    assert seen.as_of == seen.data_through == from_millis(NOON + DAY)
    assert total(counted([], question(horizon=NOON + 2 * DAY))) == (3, 2)


def test_variants_experiments_and_units_of_others_do_not_count(counted: Count) -> None:
    seen = counted(
        [
            shown("u", "third"),
            shown("u", experiment="other"),
            shown(None, anonymous_id="a"),
            shown("v"),
            did("u"),
            did(None, anonymous_id="v"),
            did("v", event="visit"),
        ]
    )
    assert seen.units == {"old": 0, "new": 1}
    assert total(seen) == (1, 0)


def test_anonymous_units_are_joined_by_their_own_id(counted: Count) -> None:
    records = [
        shown("u", anonymous_id="a"),
        shown(None, anonymous_id="b"),
        shown("c"),
        did(None, anonymous_id="a"),
        did("u", anonymous_id="b"),
        did("a"),
    ]
    seen = counted(records, question(unit_type="anonymous_id"))
    assert seen.units["new"] == 2
    assert total(seen) == (2, 2)


def test_proportions_sums_and_counts_of_the_same_events(counted: Count) -> None:
    asked = question(
        [
            {"key": "buys", "kind": "proportion", "event": "buy"},
            SPEND,
            {"key": "orders", "kind": "mean", "event": "buy", "aggregation": "count"},
        ]
    )
    events = [
        did("u", value=5.0),
        did("u", value=-2.0, at=DAY),
        did("u"),
        did("v", value=0.0),
        did("w", "visit"),
    ]
    seen = counted([*(shown(unit) for unit in "uvw"), *events], asked)
    assert {key: total(seen, key) for key in seen.moments} == {
        "buys": (3, 2),
        "spend": (3, 3.0),
        "orders": (3, 4),
    }


def test_a_cap_cuts_at_the_quantile_of_the_pooled_units(counted: Count) -> None:
    values = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 100.0, "e": 0.0}
    asked = question([{**SPEND, "cap": {"quantile": 0.75}}, {**SPEND, "key": "raw"}])
    records: list[Exposure | Event] = [shown(unit, "old" if unit == "d" else "new") for unit in values]
    records += [did(unit, value=value) for unit, value in values.items()]
    seen = counted(records, asked)
    limit = float(np.quantile(list(values.values()), 0.75))
    assert total(seen, "spend", "old") == (1, limit)
    assert total(seen, "spend") == (4, 6.0)
    assert total(seen, "raw", "old") == (1, 100.0)


@pytest.mark.parametrize("window", [None, "1d"])
def test_large_values_keep_their_variance_in_total_and_day_by_day(counted: Count, window: str | None) -> None:
    values = [1e8 + step for step in (0.0, 1.0, 2.0, 3.0, 4.0)]
    units = [f"u{number}" for number in range(len(values))]
    records = [
        *map(shown, units),
        *(did(unit, value=value) for unit, value in zip(units, values, strict=True)),
    ]
    seen = counted(records, question([{**SPEND, "window": window}]))
    assert seen.moments["spend"]["new"].variance == pytest.approx(2.5, rel=1e-6)
    assert seen.daily["spend"]["new"][-1].moments.variance == pytest.approx(2.5, rel=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "o'clock",
        '"quoted"',
        "back\\slash",
        "a;--",
        ":day",
        "?",
        "$1",
        "line\nbreak",
        "größe 😀",
        "{x}",
        "%s",
        "'",
    ],
)
def test_what_a_person_typed_never_becomes_sql(counted: Count, text: str) -> None:
    asked = question([{"key": "buys", "kind": "proportion", "event": text}])
    seen = counted([shown("u"), shown(text), did("u", event=text), did(text, event=text, at=0)], asked)
    assert total(seen) == (2, 2)
    assert "SELECT" in text_of(asked)


def test_days_without_news_are_days_too(counted: Count) -> None:
    seen = counted([shown("u"), shown("v", at=5 * DAY), did("u", at=2 * DAY)])
    days = seen.daily["buys"]["new"]
    assert [each.day.day for each in days] == [15, 16, 17, 18, 19, 20]
    assert [(each.moments.n, each.moments.mean[0]) for each in days] == [
        (1, 0.0),
        (1, 0.0),
        (1, 1.0),
        (1, 1.0),
        (1, 1.0),
        (2, 0.5),
    ]


def test_the_last_day_equals_the_total(counted: Count) -> None:
    records: list[Exposure | Event] = []
    for number in range(40):
        records.append(shown(f"u{number}", "old" if number % 3 else "new", at=number * HOUR * 5))
        records += [
            did(f"u{number}", at=number * HOUR * 5 + n * DAY, value=n * 1.5) for n in range(number % 4)
        ]
    seen = counted(
        records,
        question([{"key": "buys", "kind": "proportion", "event": "buy"}, SPEND], horizon=NOON + 30 * DAY),
    )
    for metric, arms in seen.moments.items():
        for variant, moments in arms.items():
            last = seen.daily[metric][variant][-1].moments
            assert last.n == moments.n
            np.testing.assert_allclose(last.mean, moments.mean, rtol=1e-12)
            np.testing.assert_allclose(last.cross, moments.cross, rtol=1e-9, atol=1e-9)


def test_the_largest_value_that_is_let_in_can_be_counted(counted: Count) -> None:
    records: list[Any] = [shown("u"), shown("v"), *(did("u", value=1e100) for _ in range(5))]
    seen = counted(records, question([SPEND]))
    assert np.isfinite(seen.moments["spend"]["new"].variance)
    assert np.isfinite(seen.daily["spend"]["new"][-1].moments.variance)
