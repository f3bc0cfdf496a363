"""Cohorts against counting by hand, on random small logs, and on the engines that run everywhere."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.observation import Cohort
from experiments.observe import Question, count
from experiments.observe.cohorts import DAYS, read_cohorts, statement_of, with_cohorts
from experiments.observe.engines import Embedded
from experiments.observe.sql import DIALECT
from experiments.store import Store
from experiments.store.instants import from_millis
from experiments.store.ledger import Event, Exposure, Record, append
from tests.experiments.observe.by_hand import Hand, answered
from tests.experiments.observe.logs import DAY, did, question, shown

RETURNS = {"key": "back", "kind": "retention", "event": "visit", "from": "1d", "to": "3d"}
ASKED = question([RETURNS])
MONDAY = date(2026, 3, 9)

units = st.sampled_from(["a", "b", "c", "d", "e"])
exposures = st.builds(shown, units, st.sampled_from(["old", "new"]), st.integers(-9 * DAY, 8 * DAY))
events = st.builds(did, units, st.sampled_from(["visit", "buy"]), st.integers(-9 * DAY, 9 * DAY))


def asked_of(
    asked: Question, exposures: Sequence[Exposure], events: Sequence[Event]
) -> list[tuple[date, str, int, int, int]]:
    """Ask in tables of our own making."""
    rows = answered(statement_of(asked).expression.sql(dialect=DIALECT), exposures, events)
    return sorted(_told(each) for each in read_cohorts(asked, rows))


def _told(cohort: Cohort) -> tuple[date, str, int, int, int]:
    return cohort.week, cohort.variant, cohort.day, cohort.old_enough, cohort.active


def counted(
    asked: Question, exposures: Sequence[Exposure], events: Sequence[Event]
) -> list[tuple[date, str, int, int, int]]:
    """Count by hand."""
    hand = Hand(asked, exposures, events)
    old, active = Counter[tuple[date, str, int]](), Counter[tuple[date, str, int]]()
    for unit, (variant, first) in hand.kept.items():
        day = from_millis(first).date()
        week = day - timedelta(days=day.weekday())
        ages = {
            (each.occurred_at - first) // DAY
            for each in events
            if each.user_id == unit and first <= each.occurred_at <= asked.horizon
        }
        for age in DAYS:
            if first + (age + 1) * DAY <= asked.horizon:
                old[week, variant, age] += 1
                active[week, variant, age] += age in ages
    return sorted((*key, n, active[key]) for key, n in old.items())


@settings(max_examples=60, deadline=None)
@given(st.lists(exposures, max_size=8), st.lists(events, max_size=16))
def test_cohorts_are_those_counted_by_hand(exposures: list[Exposure], events: list[Event]) -> None:
    assert asked_of(ASKED, exposures, events) == counted(ASKED, exposures, events)


def test_an_analysis_has_cohorts_only_where_retention_is_measured(store: Store, tmp_path: Path) -> None:
    log: list[Record] = [shown("a", "old"), shown("b"), did("b", "visit", at=DAY + 1)]
    with store.write() as session:
        append(session=session, records=log)
    engine = Embedded(store, tmp_path / "columns.duckdb")
    found = with_cohorts(engine, ASKED, count(engine=engine, question=ASKED))
    first = [each for each in found.cohorts if each.day == 1]
    assert first == [Cohort(MONDAY, "old", 1, 1, 0), Cohort(MONDAY, "new", 1, 1, 1)]
    plain = question()
    assert with_cohorts(engine, plain, count(engine=engine, question=plain)).cohorts == ()
