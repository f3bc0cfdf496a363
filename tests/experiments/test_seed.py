from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from experiments.analyses import analyse
from experiments.definition import parse_definitions
from experiments.errors import InvalidInput
from experiments.imports import FileKind, import_file
from experiments.launch import apply
from experiments.observe.engines import Embedded
from experiments.seed import Expected, Size, records
from experiments.seeding import plant, write_files
from experiments.store import Store
from experiments.store.ledger import Event, Exposure, Receipt
from tests.samples import DAY, NOW

SIZE = Size(people=5_000, days=21, began=NOW.replace(hour=0) - 21 * DAY, number=3)
SALTS = {key: key for key in SIZE.keys}


def drawn(size: Size = SIZE) -> tuple[list[Exposure], list[Event], Expected]:
    expected = Expected()
    parts = list(records(size, SALTS, expected))
    return [row for part in parts for row in part[0]], [row for part in parts for row in part[1]], expected


def test_the_same_seed_gives_the_same_log_and_another_seed_another() -> None:
    assert drawn()[:2] == drawn()[:2]
    other = Size(SIZE.people, SIZE.days, SIZE.began, 4)
    rows = [row for part in records(other, {key: key for key in other.keys}, Expected()) for row in part[1]]
    assert not {row.user_id for row in rows} & {row.user_id for row in drawn()[1]}


def test_the_log_looks_like_a_product() -> None:
    exposures, events, _ = drawn()
    counts = Counter(row.event for row in events)
    assert counts["view"] > counts["session"] > counts["cart"] > counts["purchase"] > counts["refund"] > 0
    values = np.array([row.value for row in events if row.event == "purchase"])
    assert values.max() > 10 * np.median(values)
    late = np.array([row.received_at - row.occurred_at > 600_000 for row in events])
    assert 0.02 < late.mean() < 0.05
    views = Counter(row.user_id for row in events if row.event == "view")
    assert max(views.values()) > 100
    days = Counter(row.occurred_at // 86_400_000 % 7 for row in events if row.event == "session")
    assert max(days.values()) > 1.25 * min(days.values())
    first = {row.user_id: row.occurred_at for row in exposures}
    assert len({row.message_id for row in events}) == len(events)
    assert all(first[str(row.user_id)] <= row.occurred_at for row in events)
    assert len(exposures) == 2 * SIZE.people


def test_the_truth_is_what_the_log_holds_on_average() -> None:
    size = Size(people=30_000, days=21, began=SIZE.began, number=3)
    exposures, events, expected = drawn(size)
    arm = {row.user_id: row.variant for row in exposures if row.experiment == "seed_3_checkout"}
    orders = Counter(row.user_id for row in events if row.event == "purchase")
    truth = {each.metric: each for each in expected.effects(size) if each.experiment == "seed_3_checkout"}
    for variant, mean in (
        ("three_pages", truth["orders"].control_value),
        ("one_page", truth["orders"].treatment_value),
    ):
        counts = np.array([orders[unit] for unit, each in arm.items() if each == variant])
        assert abs(counts.mean() - mean) < 4 * counts.std() / np.sqrt(len(counts))
        bought = (counts > 0).mean()
        value = truth["bought"].control_value if variant == "three_pages" else truth["bought"].treatment_value
        assert abs(bought - value) < 4 * np.sqrt(value * (1 - value) / len(counts))
    assert truth["orders"].lift == pytest.approx(0.08)
    assert all(each.lift == 0 for each in expected.effects(size) if each.experiment == "seed_3_aa")


def test_analysis_of_the_log_recovers_the_true_effects(store: Store, tmp_path: Path) -> None:
    seeded = plant(store=store, size=SIZE, actor="ada", now=NOW)
    assert seeded.receipt == Receipt(seeded.exposures + seeded.events)
    again = plant(store=store, size=SIZE, actor="ada", now=NOW)
    assert again.receipt == Receipt(0, seeded.exposures + seeded.events)
    truth = {(each.experiment, each.metric): each.difference for each in seeded.effects}
    for key in SIZE.keys:
        snapshot = analyse(store=store, engine=Embedded(store, tmp_path / "c"), key=key, now=NOW, version="1")
        document = snapshot.document
        assert sum(document["units"].values()) == SIZE.people
        for row in document["comparisons"]:
            off = row["difference"]["estimate"] - truth[key, row["metric"]]
            assert abs(off) < 4.5 * row["standard_error"], row["metric"]


def test_files_say_what_the_ledger_would(store: Store, tmp_path: Path) -> None:
    small = Size(300, 7, SIZE.began, 5)
    seeded = write_files(folder=tmp_path / "out", size=small)
    with store.write() as session:
        text = (tmp_path / "out" / "definitions.json").read_bytes()
        apply(session=session, definitions=parse_definitions(text, form="json"), actor="ada", now=NOW)
    for kind, count in ((FileKind.EXPOSURES, seeded.exposures), (FileKind.EVENTS, seeded.events)):
        report = import_file(
            store=store, kind=kind, path=tmp_path / "out" / f"{kind}.csv", now=NOW, strict=True
        )
        assert report.receipt == Receipt(count)
    with pytest.raises(InvalidInput, match="already"):
        write_files(folder=tmp_path / "out", size=small)
