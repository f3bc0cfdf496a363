from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from experiments import quality
from experiments.quality import Quality
from experiments.store import Store, open_store, tallies
from experiments.store.floors import raise_floors
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure, Receipt, Record, append, append_batches, append_rows
from experiments.store.schema import upgrade
from experiments.store.tables import EventRow, ExposureRow, IdentityRow, QualityRow, RejectionRow
from experiments.store.tallies import DAY_MS, EXPOSURE, Edge, Note, Rejected, Remarks
from tests.postgres import Cluster
from tests.samples import DAY, NOW, event, exposure

AT = to_millis(NOW)


def deliver(store: Store, *batches: list[Record], remarks: Remarks = tallies.NOTHING) -> None:
    with store.write() as session:
        append_batches(session=session, batches=list(batches), remarks=[remarks])


def counted(store: Store) -> dict[str, dict[str, int]]:
    with store.read() as session:
        return {each.event: dict(each.outcomes) for each in quality.by_event(session=session)}


def late(number: int, by: timedelta) -> Event:
    return event(number, occurred_at=AT - by // timedelta(milliseconds=1))


def test_what_is_new_is_accepted_and_what_is_not_is_a_duplicate(store: Store) -> None:
    deliver(store, [event(1), event(2)], [exposure(1)])
    deliver(store, [event(2), event(3)], [event(3), exposure(1)])
    assert counted(store) == {
        "purchase": {"accepted": 3, "duplicate": 2},
        "Experiment Viewed": {"accepted": 1, "duplicate": 1},
    }


def fail_after(store: Store, record: Record) -> None:
    with store.write() as session:
        append_batches(session=session, batches=[[record]])
        raise RuntimeError


def test_nothing_is_counted_of_a_transaction_that_failed(store: Store) -> None:
    with pytest.raises(RuntimeError):
        fail_after(store, event(1))
    assert counted(store) == {}


def test_lateness_is_counted_by_spans_that_touch(store: Store) -> None:
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    ages = [timedelta(), minute, hour - minute, hour, 6 * hour, DAY, 7 * DAY, 30 * DAY, -hour]
    deliver(store, [late(number, by) for number, by in enumerate(ages)])
    with store.read() as session:
        found = quality.by_event(session=session)
        assert quality.lateness(found) == [
            ("lag:0", 2),
            ("lag:1m", 2),
            ("lag:1h", 1),
            ("lag:6h", 1),
            ("lag:1d", 1),
            ("lag:7d", 2),
        ]
    assert found[0].late == 5


def test_rows_of_one_kind_are_counted_as_records_are(store: Store) -> None:
    for _ in range(2):
        with store.write() as session:
            append_rows(session=session, kind=Event, rows=[tuple(event(n)) for n in range(3)])
            append_rows(session=session, kind=Exposure, rows=[tuple(exposure(n)) for n in range(2)])
    assert counted(store) == {
        "purchase": {"accepted": 3, "duplicate": 3},
        "Experiment Viewed": {"accepted": 2, "duplicate": 2},
    }


def test_what_is_outdated_is_no_duplicate(store: Store) -> None:
    with store.write() as session:
        raise_floors(session=session, to={"purchase": AT - DAY_MS})
    old, same_id, visit = late(1, 30 * DAY), event(1, event="visit"), event(2, event="visit")
    remarks = [Remarks(notes={old.message_id: Note("purchase", ("unknown",))})]
    with store.write() as session:
        receipts = append_batches(session=session, batches=[[old, same_id], [visit]], remarks=remarks)
        assert receipts == [Receipt(1, outdated=1), Receipt(1)]
    with store.write() as session:
        assert append_rows(session=session, kind=Event, rows=[old, visit]) == Receipt(0, 1, 1)
    assert counted(store) == {"visit": {"accepted": 2, "duplicate": 1}, "purchase": {"outdated": 2}}


def test_an_import_is_never_late_but_is_counted_on_its_days(store: Store) -> None:
    with store.write() as session:
        append(session=session, records=[late(1, 800 * DAY)])
    assert counted(store) == {"purchase": {"accepted": 1}}
    with store.read() as session:
        happened = session.exec(select(QualityRow).where(QualityRow.outcome == "happened")).one()
    assert quality.day_of(happened.day) == (NOW - 800 * DAY).date()


def test_a_client_cannot_open_a_counter_for_every_day_there_ever_was(store: Store) -> None:
    deliver(store, [late(1, 800 * DAY), late(2, 399 * DAY)])
    with store.read() as session:
        happened = session.exec(select(QualityRow).where(QualityRow.outcome == "happened")).all()
    assert [row.count for row in happened] == [1]


def test_a_client_cannot_open_a_counter_for_every_name(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "MOST_NAMES", 3)
    deliver(store, [event(number, event=f"name {number}") for number in range(2)])
    deliver(store, [event(number, event=f"name {number}") for number in range(1, 9)])
    names = counted(store)
    assert sorted(names) == ["(other)", "name 0", "name 1", "name 2"]
    assert names["(other)"] == {"accepted": 6}
    assert names["name 1"] == {"accepted": 1, "duplicate": 1}


def test_notes_count_once_however_often_a_message_is_sent(store: Store) -> None:
    remarks = Remarks(notes={"e1": Note("purchase", ("skewed", "dropped", "dropped"))})
    for _ in range(2):
        deliver(store, [event(1)], remarks=remarks)
    assert counted(store) == {"purchase": {"accepted": 1, "duplicate": 1, "skewed": 1, "dropped": 2}}


def test_rejections_are_counted_by_reason_and_only_the_latest_are_kept(store: Store) -> None:
    most = tallies.KEPT_REJECTIONS
    for round_ in range(3):
        rejected = [
            Rejected(AT, "purchase", None, "bad_time", f"{round_} {place}") for place in range(most // 2)
        ]
        deliver(store, remarks=Remarks(rejected=rejected))
    assert counted(store) == {"purchase": {"rejected:bad_time": most // 2 * 3}}
    with store.read() as session:
        kept = session.exec(select(RejectionRow)).all()
    assert (len(kept), kept[0].detail) == (most, "1 0")


def test_who_is_who_is_kept_once_as_it_was_first_seen(store: Store) -> None:
    deliver(store, remarks=Remarks(edges=[Edge("a", "u", 5), Edge("a", "u", 9), Edge("b", "u", 7)]))
    deliver(store, remarks=Remarks(edges=[Edge("a", "u", 1)]))
    with store.read() as session:
        rows = session.exec(select(IdentityRow)).all()
    assert [(row.anonymous_id, row.user_id, row.first_seen) for row in rows] == [("a", "u", 5), ("b", "u", 7)]


batches = st.lists(
    st.lists(
        st.builds(
            lambda number, name, age, shown: (
                exposure(number) if shown else event(number, event=name, occurred_at=AT - age * 1_000_000)
            ),
            st.integers(0, 12),
            st.sampled_from(["a", "b"]),
            st.integers(0, 500),
            st.booleans(),
        ),
        max_size=6,
    ),
    max_size=5,
)


@given(deliveries=st.lists(batches, max_size=3))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_counters_always_agree_with_the_ledger(store: Store, deliveries: list[Any]) -> None:
    before = counted(store)
    sent = Counter[str]()
    for each in deliveries:
        deliver(store, *each)
        sent.update(
            record.event if isinstance(record, Event) else tallies.EXPOSURE
            for batch in each
            for record in batch
        )
    with store.read() as session:
        stored = Counter(row.event for row in session.exec(select(EventRow)))
        stored[tallies.EXPOSURE] = len(session.exec(select(ExposureRow)).all())
    after = counted(store)
    for name in (*stored, *sent):
        outcomes, earlier = after.get(name, {}), before.get(name, {})
        assert outcomes.get("accepted", 0) == stored[name]
        new = {
            outcome: outcomes.get(outcome, 0) - earlier.get(outcome, 0)
            for outcome in ("accepted", "duplicate")
        }
        assert sum(new.values()) == sent[name]


def test_the_document_says_what_the_contract_asks_for() -> None:
    document = Quality(
        "order", {"accepted": 5, "rejected:bad_time": 1, "lag:1d": 2, "lag:1m": 1, "skewed": 3}
    ).to_json()
    asked = ("event", "accepted", "duplicate", "rejected", "late", "skewed")
    assert [document[name] for name in asked] == ["order", 5, 0, 1, 2, 3]
    assert document["reasons"] == {"bad_time": 1}


def test_postgresql_counts_the_same(postgres: Cluster) -> None:
    store = open_store(postgres.create("tallies"))
    upgrade(store)
    remarks = Remarks(
        notes={"e1": Note("purchase", ("skewed",))},
        rejected=[Rejected(AT, "purchase", None, "bad_time", "soon")],
        edges=[Edge("a", "u", 5)],
    )
    for _ in range(2):
        deliver(store, [event(1), late(2, DAY)], [exposure(1)], remarks=remarks)
    assert counted(store) == {
        "purchase": {"accepted": 2, "duplicate": 2, "skewed": 1, "lag:1d": 1, "rejected:bad_time": 2},
        "Experiment Viewed": {"accepted": 1, "duplicate": 1},
    }
    with store.read() as session:
        assert len(session.exec(select(IdentityRow)).all()) == 1
    store.close()


def test_an_event_from_a_file_may_be_called_as_exposures_are(store: Store) -> None:
    named = event(1, event=EXPOSURE)
    with store.write() as session:
        append_rows(session=session, kind=Event, rows=[named, event(2)])
        append_rows(session=session, kind=Event, rows=[named])
    assert counted(store)[EXPOSURE] == {"accepted": 1, "duplicate": 1}
