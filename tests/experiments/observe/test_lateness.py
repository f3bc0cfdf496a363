"""What came late, and what disagrees with our rules."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.observe import text_of
from experiments.observe.counting import read_rows
from experiments.store.ledger import Event
from tests.experiments.observe.by_hand import observe
from tests.experiments.observe.conftest import Count
from tests.experiments.observe.logs import DAY, HOUR, NOON, did, question, shown


def came(unit: str, at: int, after: int, event: str = "buy") -> Event:
    """Something that happened to a unit, and came so much later."""
    return did(unit, event, at)._replace(received_at=NOON + at + after)


def test_an_event_that_comes_two_days_later_into_a_log_that_has_gone_on_is_late(counted: Count) -> None:
    on_time = [came("u", at=day * DAY, after=HOUR) for day in range(1, 5)]
    seen = counted([shown("u"), *on_time, came("u", DAY, 2 * DAY + 2 * HOUR), came("u", DAY, 20 * HOUR)])
    assert (seen.quality.late, seen.quality.events) == (1, 6)


def test_a_history_that_is_brought_in_at_once_is_not_late(counted: Count) -> None:
    history = [did("u", at=day * DAY)._replace(received_at=NOON + 100 * DAY) for day in range(9)]
    assert counted([shown("u"), *history]).quality.late == 0


def test_a_warehouse_that_loads_each_week_is_not_late(counted: Count) -> None:
    loads = [
        did("u", at=(7 * week + day) * DAY + 1)._replace(received_at=NOON + 7 * (week + 1) * DAY)
        for week in range(2)
        for day in range(7)
    ]
    asked = question(horizon=NOON + 20 * DAY)
    assert counted([shown("u"), *loads], asked).quality.late == 0
    missed = did("u", at=2 * DAY)._replace(received_at=NOON + 14 * DAY)
    assert counted([missed], asked).quality.late == 1


def test_events_before_the_exposure_and_of_others_do_not_count_as_late(counted: Count) -> None:
    ahead = came("v", at=9 * DAY, after=0)
    late = 9 * DAY + HOUR + 1
    records = [shown("u"), ahead, came("u", -1, late), came("x", 1, late), came("u", 1, late, event="visit")]
    assert counted(records).quality.late == 0
    assert counted([came("u", 1, late)]).quality.late == 1


def test_without_a_time_of_arrival_nothing_is_said_of_lateness() -> None:
    nowhere: int = None  # type: ignore[assignment]  # a warehouse that does not keep it
    assert observe(question(), [shown("u")], [did("u")._replace(received_at=nowhere)]).quality.late is None


moments = st.integers(0, 9 * 24).map(lambda hours: hours * HOUR)
lags = st.sampled_from([0, HOUR, DAY, DAY + 1, 2 * DAY, 5 * DAY])


@settings(max_examples=15)
@given(st.lists(st.builds(came, st.sampled_from(["u", "v"]), moments, lags), max_size=12))
def test_late_events_are_those_that_a_plain_reading_finds(events: Sequence[Event]) -> None:
    seen = observe(question(), [shown("u")], events)
    known = [each for each in events if each.occurred_at <= NOON + 10 * DAY]
    late = 0
    for each in known:
        before = [other for other in known if other.received_at // HOUR < each.received_at // HOUR]
        reached = max((other.occurred_at for other in before), default=0)
        overdue = each.received_at - each.occurred_at > DAY and reached > each.occurred_at + DAY
        late += each.user_id == "u" and overdue
    assert seen.quality.late == (late if known else None)


def test_exposures_that_disagree_with_our_rules_are_counted(counted: Count) -> None:
    exposures = [shown("u", mark="mismatch"), shown("v"), shown("w", mark="clamped"), shown("u", at=1)]
    asked = question(ours=True)
    seen = counted(exposures, asked)
    assert (seen.quality.mismatched, seen.quality.exposures) == (1, 4)
    assert counted([], question()).quality.mismatched is None


@pytest.mark.parametrize("piece", ["reached", "unlike"])
def test_readers_see_how_both_are_counted(piece: str) -> None:
    assert piece in text_of(question())
    assert read_rows(question(), []).quality.late is None
