from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from experiments.errors import InvalidInput
from experiments.imports import FileKind, import_file
from experiments.observe import columns
from experiments.retention import Forgotten, forget_old
from experiments.store import Store, forgetting
from experiments.store.instants import to_millis
from experiments.store.ledger import Receipt, append, append_batches
from experiments.store.tables import EventRow, ExposureRow, IdentityRow, RejectionRow
from experiments.store.tallies import Edge, Rejected, Remarks
from tests.samples import DAY, NOW, apply, event, experiment, exposure


def aged(number: int, days: int, **changes: Any) -> Any:
    return event(number, occurred_at=to_millis(NOW - days * DAY), **changes)


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as session:
        append(session=session, records=[aged(n, n) for n in range(100)])
        append(session=session, records=[aged(n, n - 100, event="visit") for n in range(100, 200)])
        shown = [exposure(n, occurred_at=to_millis(NOW - n * DAY)) for n in range(100)]
        append(session=session, records=shown)
    return store


def forget(store: Store, tmp_path: Path, days: int | None = None, **limits: int) -> Forgotten:
    return forget_old(
        store=store,
        columns=tmp_path / "columns.duckdb",
        limits={name: timedelta(days=each) for name, each in limits.items()},
        default=None if days is None else timedelta(days=days),
        now=NOW,
    )


def left(store: Store) -> dict[str, int]:
    with store.read() as session:
        names = [
            *session.exec(select(EventRow.event)),
            *["exposure" for _ in session.exec(select(ExposureRow.id))],
        ]
    return {name: names.count(name) for name in sorted(set(names))}


def in_copy(store: Store, tmp_path: Path) -> int:
    rows = columns.fetch(
        store=store,
        path=tmp_path / "columns.duckdb",
        statement="SELECT (SELECT COUNT(*) FROM event) + (SELECT COUNT(*) FROM exposure)",
    )
    return int(rows[0][0])


def test_what_is_older_is_gone_from_ledger_and_copy(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "RANGE", 7)
    monkeypatch.setattr("experiments.retention.RANGE", 7)
    assert in_copy(filled, tmp_path) == 300
    done = forget(filled, tmp_path, 30)
    assert done.counts == {"Experiment Viewed": 69, "purchase": 69, "visit": 69}
    assert left(filled) == {"exposure": 31, "purchase": 31, "visit": 31}
    assert in_copy(filled, tmp_path) == 93
    assert forget(filled, tmp_path, 30).counts == {}


def test_each_event_has_its_own_limit(filled: Store, tmp_path: Path) -> None:
    forget(filled, tmp_path, visit=10)
    assert left(filled) == {"exposure": 100, "purchase": 100, "visit": 11}
    forget(filled, tmp_path, 30, purchase=50)
    assert left(filled) == {"exposure": 31, "purchase": 51, "visit": 11}


def test_a_replay_of_what_was_forgotten_counts_nowhere(filled: Store, tmp_path: Path) -> None:
    forget(filled, tmp_path, 30)
    with filled.write() as session:
        again = append(session=session, records=[aged(n, n) for n in range(100)])
    assert again == Receipt(accepted=0, duplicates=31, outdated=69)
    path = tmp_path / "events.csv"
    path.write_text("user_id,event,timestamp\nu1,purchase,2024-01-01\nu2,purchase,2026-03-15\n")
    report = import_file(store=filled, kind=FileKind.EVENTS, path=path, now=NOW)
    assert report.receipt == Receipt(1)
    assert [(row.line, "older" in row.reason) for row in report.rejected] == [(2, True)]


def test_a_floor_never_goes_down(filled: Store, tmp_path: Path) -> None:
    forget(filled, tmp_path, 30)
    forget(filled, tmp_path, 300, purchase=400)
    with filled.write() as session:
        assert append(session=session, records=[aged(1_000, 40)]) == Receipt(outdated=1)


def test_rows_after_the_newest_was_forgotten_reach_the_copy(store: Store, tmp_path: Path) -> None:
    # An import of the past comes last, so its rows have the highest ids, and SQLite gives these again.
    with store.write() as session:
        append(session=session, records=[aged(1, 1), *(aged(n, 90) for n in range(2, 10))])
    assert in_copy(store, tmp_path) == 9
    forget(store, tmp_path, 30)
    assert in_copy(store, tmp_path) == 1
    with store.write() as session:
        append(session=session, records=[aged(n, 1) for n in range(20, 40)])
    assert in_copy(store, tmp_path) == 21


def test_exposures_stay_while_an_experiment_that_began_before_them_runs(
    filled: Store, tmp_path: Path
) -> None:
    apply(filled, experiment(starts=(NOW - 60 * DAY).isoformat()))
    done = forget(filled, tmp_path, 30)
    assert left(filled) == {"exposure": 61, "purchase": 31, "visit": 31}
    assert done.unfinished == ("checkout",)


def test_a_dry_run_counts_and_changes_nothing(filled: Store, tmp_path: Path) -> None:
    done = forget_old(
        store=filled, columns=tmp_path / "c", limits={}, default=30 * DAY, now=NOW, dry_run=True
    )
    assert sum(done.counts.values()) == 207
    assert sum(left(filled).values()) == 300
    with filled.write() as session:
        assert append(session=session, records=[aged(1_000, 40)]) == Receipt(1)


@pytest.mark.parametrize("days", [None, 0, -1])
def test_no_length_is_refused(filled: Store, tmp_path: Path, days: int | None) -> None:
    with pytest.raises(InvalidInput, match="how long"):
        forget(filled, tmp_path, days)


def test_who_is_who_and_rejected_messages_are_forgotten_with_their_events(
    store: Store, tmp_path: Path
) -> None:
    edges = [Edge("a1", "u1", to_millis(NOW - 40 * DAY)), Edge("a2", "u2", to_millis(NOW - DAY))]
    rejected = [Rejected(to_millis(NOW - n * DAY), "purchase", f"m{n}", "bad_time", "") for n in (1, 20)]
    remarks = Remarks(edges=edges, rejected=rejected)
    with store.write() as session:
        append_batches(session=session, batches=[[event(1)]], remarks=[remarks])
    forgotten = forget(store, tmp_path, identify=30, purchase=10)
    assert (forgotten.identities, forgotten.rejections) == (1, 1)
    with store.write() as session:  # a replay of the old one
        append_batches(session=session, batches=[[event(1)]], remarks=[Remarks(edges=edges)])
    with store.read() as session:
        assert list(session.exec(select(IdentityRow.user_id))) == ["u2"]
        assert list(session.exec(select(RejectionRow.message_id))) == ["m1"]
