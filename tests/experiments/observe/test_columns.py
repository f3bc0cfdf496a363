import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analysis import Observation
from experiments.errors import Unavailable
from experiments.observe import columns, count
from experiments.observe.engines import Embedded
from experiments.store import Store, open_store
from experiments.store.ledger import Event, Exposure, append
from experiments.store.schema import upgrade
from tests.experiments.observe.conftest import Count
from tests.experiments.observe.logs import DAY, did, question, shown

LOG: list[Exposure | Event] = [
    *(shown(f"u{n}", "old" if n % 2 else "new", at=n * DAY // 7) for n in range(30)),
    *(did(f"u{n}", at=n * DAY // 5, value=n / 3) for n in range(30)),
]
ASKED = question([{"key": "spend", "kind": "mean", "event": "buy", "cap": {"quantile": 0.9}}])


def same(one: Any, other: Any) -> bool:
    """Equal but for the last digits: the engine adds up in parallel, in no fixed order."""
    match one, other:
        case Observation(), Observation():
            return same(one.to_json(), other.to_json())
        case dict(), dict():
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
        case float(), float():
            return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)
    return bool(one == other)


def test_a_copy_that_was_deleted_is_made_again_alike(counted: Count, copy: Path) -> None:
    before = counted(LOG, ASKED)
    copy.unlink()
    assert same(counted([], ASKED), before)


def test_a_copy_that_grew_bit_by_bit_equals_one_made_at_once(
    counted: Count, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "BATCH", 7)
    backwards = LOG[::-1]
    for place in range(0, len(LOG), 10):
        grown = counted(backwards[place : place + 10], ASKED)
    assert same(count(engine=Embedded(store, tmp_path / "other.duckdb"), question=ASKED), grown)


def test_only_new_rows_are_copied(counted: Count, store: Store, copy: Path) -> None:
    counted(LOG, ASKED)
    with columns.opened(copy) as connection:
        assert columns.refresh(connection, store) == 0
        with store.write() as session:
            append(session=session, records=[shown("late"), did("late")])
        shares: list[float] = []
        assert columns.refresh(connection, store, shares.append) == 2
        assert shares[-1] == 1.0


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"not a database at all" * 100,
        lambda content: content[: len(content) // 2],
        lambda content: content[:5_000] + b"\xff" * (len(content) - 5_000),
        lambda content: content[:12_288] + b"\xff" * 4_096 + content[16_384:],
    ],
    ids=["empty", "text", "cut off", "overwritten", "a damaged block"],
)
def test_a_damaged_copy_is_made_again(counted: Count, copy: Path, damage: Callable[[bytes], bytes]) -> None:
    before = counted(LOG, ASKED)
    copy.write_bytes(damage(copy.read_bytes()))
    assert same(counted([], ASKED), before)


def test_a_copy_of_another_layout_is_made_again(counted: Count, copy: Path) -> None:
    before = counted(LOG, ASKED)
    with duckdb.connect(copy) as connection:
        connection.execute("UPDATE shape SET version = 0")
        connection.execute("DROP TABLE event")
    assert same(counted([], ASKED), before)


def test_a_copy_of_another_ledger_is_made_again(counted: Count, copy: Path, tmp_path: Path) -> None:
    counted(LOG, ASKED)
    restored = open_store(f"sqlite:///{tmp_path / 'restored.sqlite3'}")
    upgrade(restored)
    with restored.write() as session:
        append(session=session, records=[shown(f"r{n}") for n in range(40)])
    assert count(engine=Embedded(restored, copy), question=ASKED).units == {"old": 0, "new": 40}
    restored.close()


def test_rows_that_say_nothing_for_long_do_not_change_the_type_of_a_column(counted: Count) -> None:
    quiet = [shown(f"u{n}") for n in range(3_000)]
    loud = [
        shown("loud", attributes='{"a":1}', anonymous_id="a"),
        did("loud", value=2.5, properties='{"b":2}'),
    ]
    assert counted([*quiet, *loud], ASKED).units["new"] == 3_001


_HOLD = """
import sys, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_copy_that_another_process_uses_is_waited_for_and_not_thrown_away(
    counted: Count, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(LOG, ASKED)
    monkeypatch.setattr(columns, "LOCK_PATIENCE", 0.2)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(copy)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Unavailable, match="another process"):
            counted([], ASKED)
        other.communicate("", timeout=10)
    assert counted([], ASKED).units == {"old": 15, "new": 15}
