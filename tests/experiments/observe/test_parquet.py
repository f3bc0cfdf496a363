from pathlib import Path

import duckdb
import pytest

from experiments.errors import InvalidInput
from experiments.observe import parquet
from experiments.observe.parquet import CONTENTS, Exported, export
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.ledger import append
from tests.samples import DAY, NOW, event, exposure


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as session:
        days = [to_millis(NOW - number * DAY) for number in range(40)]
        append(session=session, records=[event(n, occurred_at=at, value=n / 7) for n, at in enumerate(days)])
        shown = [exposure(n, experiment=f"e/{n % 2} 'x'", occurred_at=at) for n, at in enumerate(days)]
        append(session=session, records=shown)
    return store


def write(store: Store, tmp_path: Path, target: Path) -> Exported:
    return export(store=store, columns=tmp_path / "columns.duckdb", target=target, now=NOW)


def test_every_row_is_found_again_in_its_folder(filled: Store, tmp_path: Path) -> None:
    target = tmp_path / "it's here"
    assert write(filled, tmp_path, target) == Exported(40, 40, 80)
    files = str(target / "events" / "**" / "*.parquet")
    found = duckdb.execute(
        "SELECT COUNT(*), SUM(value), MAX(occurred_at), COUNT(DISTINCT day) FROM read_parquet(?)", [files]
    ).fetchone()
    assert found == (40, sum(n / 7 for n in range(40)), NOW, 40)
    files = str(target / "exposures" / "**" / "*.parquet")
    found = duckdb.execute(
        "SELECT COUNT(*), COUNT(DISTINCT experiment) FROM read_parquet(?)", [files]
    ).fetchone()
    assert found == (40, 2)


def test_an_export_replaces_an_earlier_one(filled: Store, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    write(filled, tmp_path, target)
    (target / "events" / "day=1999-01-01").mkdir()
    with filled.write() as session:
        append(session=session, records=[event(99)])
    assert write(filled, tmp_path, target).events == 41
    assert not (target / "events" / "day=1999-01-01").exists()
    assert sorted(each.name for each in tmp_path.iterdir() if "out" in each.name) == ["out"]


def test_what_it_did_not_write_is_left_alone(filled: Store, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "thesis.txt").write_text("years of work")
    for taken in (target, target / "thesis.txt"):
        with pytest.raises(InvalidInput, match="no earlier export"):
            write(filled, tmp_path, taken)
    assert [each.name for each in target.iterdir()] == ["thesis.txt"]


def test_an_export_that_fails_leaves_the_earlier_one(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    write(filled, tmp_path, target)
    before = (target / CONTENTS).read_text()
    monkeypatch.setattr(parquet, "_replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(Exception, match="disk full"):
        write(filled, tmp_path, target)
    assert (target / CONTENTS).read_text() == before
    assert not list(tmp_path.glob(".out*"))


def test_progress_rises_to_the_whole_and_nothing_is_something(store: Store, tmp_path: Path) -> None:
    shares: list[float] = []
    done = export(
        store=store, columns=tmp_path / "c", target=tmp_path / "out", now=NOW, progress=shares.append
    )
    assert done == Exported(0, 0, 0)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
