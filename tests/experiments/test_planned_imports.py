"""Imports keep to the tracking plan and hide ids."""

import json
from pathlib import Path

import pytest
from sqlmodel import select

from experiments.errors import InvalidInput
from experiments.imports import FileKind, ImportReport, import_file
from experiments.intake import Intake
from experiments.pseudonyms import Pseudonyms
from experiments.store import Store
from experiments.store.ledger import Receipt
from experiments.store.tables import EventRow
from experiments.tracking import TrackingDraft, TrackingPlan
from tests.samples import NOW


def events(store: Store) -> list[EventRow]:
    with store.read() as session:
        return list(session.exec(select(EventRow).order_by(EventRow.id)))  # type: ignore[arg-type]  # a column


def test_an_import_keeps_to_the_plan_and_hides_ids(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        "user_id,event,value,timestamp,properties\n"
        'alice,order,5,2026-03-15T09:30:00Z,"{""ip"": ""192.0.2.1"", ""revenue"": 5}"\n'
        "alice,visit,,2026-03-15T09:31:00Z,\n"
    )
    listed = {"event": "order", "properties": [{"name": "revenue"}]}
    plan = TrackingPlan(1, TrackingDraft.model_validate({"mode": "enforce", "events": [listed]}))
    intake = Intake(plan, pseudonyms=Pseudonyms(b"0123456789abcdef0123456789abcdef"))
    for _ in range(2):
        report = import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW, intake=intake)
    assert report.receipt == Receipt(0, 1)
    assert "not in the tracking plan" in report.rejected[0].reason
    (row,) = events(store)
    assert (row.user_id or "")[:2] == "p_"
    assert (row.value, row.properties) == (5.0, '{"revenue":5}')


def test_nobody_can_try_out_whose_row_an_id_was_made_of(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        "user_id,event,value,timestamp\n"
        "u1,purchase,9.5,2026-03-15T09:30:00Z\nu2,purchase,,2026-03-15T09:40:00Z\n"
    )
    ids = []
    for secret in (b"0123456789abcdef0123456789abcdef", b"another0another0another0another0"):
        import_file(
            store=store,
            kind=FileKind.EVENTS,
            path=path,
            now=NOW,
            intake=Intake(pseudonyms=Pseudonyms(secret)),
        )
        ids.append({row.message_id for row in events(store)})
    assert len(ids[1]) == 4


def test_a_plan_that_only_observes_drops_addresses_and_leaves_the_rest(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    lines = [
        {"user_id": "u1", "event": "order", "timestamp": "2026-03-15T09:30:00Z", "properties": facts}
        for facts in ({"ip": "192.0.2.1", "colour": "red"}, {"colour": "red"}, {"ip": "192.0.2.1"}, None) * 8
    ]
    path.write_text("\n".join(json.dumps(each) for each in lines))
    assert import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW).receipt == Receipt(32)
    stored = [row.properties for row in events(store)]
    assert stored == ['{"colour":"red"}', '{"colour":"red"}', None, None] * 8


def test_rows_out_of_plan_are_named_among_the_other_bad_rows(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    rows = [
        f"u{n},{'visit' if n % 10 == 3 else 'order'},{'x' if n == 25 else 1},2026-03-15" for n in range(40)
    ]
    path.write_text("\n".join(["user_id,event,value,timestamp", *rows]))
    draft = TrackingDraft.model_validate({"mode": "enforce", "events": [{"event": "order"}]})
    intake = Intake(TrackingPlan(1, draft))

    def bring(*, strict: bool) -> ImportReport:
        return import_file(
            store=store, kind=FileKind.EVENTS, path=path, now=NOW, strict=strict, intake=intake
        )

    with pytest.raises(InvalidInput, match="not in the tracking plan"):
        bring(strict=True)
    report = bring(strict=False)
    assert [each.line for each in report.rejected] == [5, 15, 25, 27, 35]
    assert (report.receipt, report.rejected_total) == (Receipt(35), 5)
