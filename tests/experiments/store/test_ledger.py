from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from experiments.store import Store, open_store
from experiments.store.ledger import Receipt, Record, append, position
from experiments.store.tables import EventRow, ExposureRow
from tests.samples import event, exposure


def stored(store: Store) -> tuple[list[str], list[str]]:
    with store.read() as session:
        return list(session.exec(select(ExposureRow.message_id))), list(
            session.exec(select(EventRow.message_id))
        )


def test_records_are_kept_as_they_were_given(store: Store) -> None:
    shown = exposure(attributes='{"country":"NO"}', mark="override")
    bought = event(value=9.5, properties='{"currency":"NOK"}', anonymous_id="a1", mark="clamped")
    with store.write() as session:
        assert append(session=session, records=[shown, bought]) == Receipt(2, 0)
    with store.read() as session:
        exposures, events = session.exec(select(ExposureRow)).one(), session.exec(select(EventRow)).one()
    assert {name: getattr(exposures, name) for name in shown._fields} == shown._asdict()
    assert {name: getattr(events, name) for name in bought._fields} == bought._asdict()


def test_a_message_id_counts_once_within_a_batch_and_across_batches(store: Store) -> None:
    with store.write() as session:
        first = append(session=session, records=[event(1), event(2), event(1, value=5.0)])
        second = append(session=session, records=[event(2), event(3)])
    assert (first, second) == (Receipt(2, 1), Receipt(1, 1))
    with store.read() as session:
        assert session.exec(select(EventRow.value).where(EventRow.message_id == "e1")).one() is None


def test_an_exposure_and_an_event_may_share_a_message_id(store: Store) -> None:
    with store.write() as session:
        records: list[Record] = [exposure(message_id="m"), event(message_id="m")]
        assert append(session=session, records=records) == Receipt(2, 0)


def test_nothing_appended_is_nothing_done(store: Store) -> None:
    with store.write() as session:
        assert append(session=session, records=[]) == Receipt()
        assert position(session=session) == (0, 0)


def test_the_position_is_the_newest_row_of_each_kind(store: Store) -> None:
    with store.write() as session:
        append(session=session, records=[exposure(1), exposure(2), event(1), event(1)])
        assert position(session=session) == (2, 1)


def test_an_append_that_fails_stores_no_part_of_it(store: Store) -> None:
    with pytest.raises(OverflowError), store.write() as session:
        append(session=session, records=[exposure(1), event(1), event(2, occurred_at=2**63)])
    assert stored(store) == ([], [])


records = st.builds(exposure, st.integers(1, 6)) | st.builds(event, st.integers(1, 6))


@settings(max_examples=30)
@given(st.lists(st.lists(records, max_size=6), max_size=6))
def test_any_batches_in_any_order_with_any_repeats_store_each_id_once(
    tmp_path_factory: pytest.TempPathFactory, empty_ledger: Path, batches: list[list[Record]]
) -> None:
    path = tmp_path_factory.mktemp("batches") / "ledger.sqlite3"
    path.write_bytes(empty_ledger.read_bytes())
    store = open_store(f"sqlite:///{path}")
    total = Receipt()
    for batch in batches:
        with store.write() as session:
            total += append(session=session, records=batch)
    sent = [record.message_id for batch in batches for record in batch]
    exposures, events = stored(store)
    store.close()
    assert sorted([*exposures, *events]) == sorted(set(sent))
    assert total == Receipt(len(set(sent)), len(sent) - len(set(sent)))
