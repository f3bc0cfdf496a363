"""Erasing a person: nothing of them is left, nothing comes back, and nobody else is touched."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from experiments import audit
from experiments.erasure import Removed, erase
from experiments.errors import InvalidInput
from experiments.observe import columns
from experiments.pseudonyms import Pseudonyms
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.ledger import Receipt, Record, append, append_batches
from experiments.store.tables import AuditRow, EventRow, ExposureRow, IdentityRow, RejectionRow
from experiments.store.tallies import Edge, Rejected, Remarks
from tests.samples import DAY, NOW, apply, event, experiment, exposure

ADA, PHONE, TABLET, BOB = "ada@example.com", "phone-of-ada", "tablet-of-ada", "bob@example.com"
AT = to_millis(NOW)

HERS: list[Record] = [
    exposure(1, user_id=ADA),
    event(1, user_id=ADA),
    event(2, user_id=ADA, anonymous_id=TABLET),
    event(3, user_id=None, anonymous_id=TABLET),
    event(4, user_id=None, anonymous_id=PHONE),
]
OTHERS: list[Record] = [
    exposure(10, user_id=BOB),
    event(10, user_id=BOB),
    event(11, user_id=BOB, anonymous_id=PHONE),
    event(12, user_id=None, anonymous_id="phone-of-nobody"),
]
EDGE = Edge(PHONE, ADA, AT)


@pytest.fixture
def filled(store: Store) -> Store:
    apply(store)
    rejected = [Rejected(AT, "purchase", f"{ADA}-1", "bad_time", "timestamp")]
    rejected.append(Rejected(AT, "purchase", "m", "bad_time", "timestamp"))
    with store.write() as session:
        remarks = Remarks(rejected=rejected, edges=[EDGE])
        append_batches(session=session, batches=[[*HERS, *OTHERS]], remarks=[remarks])
    return store


def forget(store: Store, tmp_path: Path, unit: str = ADA, kind: str = "user_id", **more: Any) -> Removed:
    path = tmp_path / "columns.duckdb"
    return erase(store=store, columns=path, unit=unit, kind=kind, actor="eve", now=NOW + DAY, **more)


def ids(store: Store) -> list[str]:
    with store.read() as session:
        rows = [*session.exec(select(ExposureRow.message_id)), *session.exec(select(EventRow.message_id))]
    return sorted(rows)


def test_a_person_goes_with_all_ids_and_nobody_else_does(filled: Store, tmp_path: Path) -> None:
    removed = forget(filled, tmp_path)
    assert (removed.exposures, removed.events, removed.identities, removed.rejections) == (1, 4, 1, 1)
    assert (removed.users, removed.anonymous, removed.detached) == (1, 2, 1)
    assert ids(filled) == sorted(each.message_id for each in OTHERS)
    with filled.read() as session:
        assert not session.exec(select(IdentityRow)).all()
        assert [row.message_id for row in session.exec(select(RejectionRow))] == ["m"]
        shared = session.exec(select(EventRow).where(EventRow.message_id == "e11")).one()
        assert (shared.user_id, shared.anonymous_id) == (BOB, None)


def test_no_file_names_the_person_any_more(filled: Store, tmp_path: Path) -> None:
    path = tmp_path / "columns.duckdb"
    assert columns.fetch(store=filled, path=path, statement="SELECT COUNT(*) FROM event") == [(7,)]
    forget(filled, tmp_path)
    assert columns.fetch(store=filled, path=path, statement="SELECT COUNT(*) FROM event") == [(3,)]
    filled.close()
    for file in tmp_path.iterdir():
        for name in (ADA, PHONE, TABLET):
            assert name.encode() not in file.read_bytes(), file
    assert any(BOB.encode() in file.read_bytes() for file in tmp_path.iterdir())


def test_a_copy_that_holds_erased_rows_is_not_continued(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a crash between the two, or on another machine."""
    path = tmp_path / "columns.duckdb"
    count = "SELECT COUNT(*) FROM event"
    assert columns.fetch(store=filled, path=path, statement=count) == [(7,)]
    monkeypatch.setattr(columns, "discard", lambda path: None)
    forget(filled, tmp_path)
    assert columns.fetch(store=filled, path=path, statement=count) == [(3,)]
    forget(filled, tmp_path, "somebody unknown")
    assert columns.fetch(store=filled, path=path, statement=count) == [(3,)]


def test_a_replay_brings_nothing_back_and_what_is_new_counts(filled: Store, tmp_path: Path) -> None:
    forget(filled, tmp_path)
    new = event(5, user_id=ADA, occurred_at=to_millis(NOW + 2 * DAY))
    with filled.write() as session:
        batch = [*HERS, OTHERS[0], new]
        (receipt,) = append_batches(session=session, batches=[batch], remarks=[Remarks(edges=[EDGE])])
    assert receipt == Receipt(accepted=1, duplicates=1, outdated=5)
    assert ids(filled) == sorted([*(each.message_id for each in OTHERS), "e5"])
    with filled.read() as session:
        assert not session.exec(select(IdentityRow)).all()


def test_an_anonymous_id_leads_to_the_person(filled: Store, tmp_path: Path) -> None:
    removed = forget(filled, tmp_path, TABLET, "anonymous_id")
    assert (removed.exposures, removed.events, removed.users, removed.anonymous) == (1, 4, 1, 2)


def test_an_anonymous_id_of_several_people_is_refused(filled: Store, tmp_path: Path) -> None:
    before = ids(filled)
    with pytest.raises(InvalidInput, match="2 people used this anonymous id"):
        forget(filled, tmp_path, PHONE, "anonymous_id")
    assert ids(filled) == before


def test_pseudonyms_are_found_by_the_id_and_rows_from_before_them_too(store: Store, tmp_path: Path) -> None:
    pseudonyms = Pseudonyms(b"k" * 32)
    with store.write() as session:
        append(
            session=session, records=[event(1, user_id=ADA), event(2, user_id=pseudonyms.name(ADA)), event(3)]
        )
    assert forget(store, tmp_path, pseudonyms=pseudonyms).events == 2
    assert ids(store) == ["e3"]


def test_the_audit_log_knows_the_counts_and_not_the_id(filled: Store, tmp_path: Path) -> None:
    removed = forget(filled, tmp_path)
    with filled.read() as session:
        (entry,) = audit.history(session=session, object=f"unit:{removed.digest}")
        said = json.dumps([row.model_dump(mode="json") for row in session.exec(select(AuditRow))])
    assert (entry.actor, entry.action) == ("eve", "erase")
    assert json.loads(entry.after or "")["events"] == 4
    assert ADA not in said


def test_what_people_wrote_down_by_hand_is_named(store: Store, tmp_path: Path) -> None:
    apply(store, experiment(overrides={ADA: "new"}), experiment("other"))
    removed = forget(store, tmp_path)
    assert (removed.nothing, removed.overrides) == (True, ("checkout",))


def test_erasing_again_takes_out_what_is_left(filled: Store, tmp_path: Path) -> None:
    forget(filled, tmp_path)
    with filled.write() as session:
        append(session=session, records=[event(5, user_id=ADA, occurred_at=to_millis(NOW + 2 * DAY))])
    assert forget(filled, tmp_path).events == 1
    assert forget(filled, tmp_path).nothing


@pytest.mark.parametrize("unit", ["", "x" * 513, "a\0b"])
def test_what_cannot_be_an_id_is_refused(store: Store, tmp_path: Path, unit: str) -> None:
    with pytest.raises(InvalidInput, match="unit: expected an id"):
        forget(store, tmp_path, unit)
    with pytest.raises(InvalidInput, match="kind: expected user_id or anonymous_id"):
        forget(store, tmp_path, "u", "cookie")
