"""The quick reader and the careful one say the same about every row."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import rowcolumns
from experiments.rowcolumns import ColumnReader, FileKind
from experiments.rowfiles import BadRow, Block
from experiments.store.floors import Floors

IDS: st.SearchStrategy[Any] = st.sampled_from(
    ["u1", "u2", "", None, 7, True, "x" * 513, "\0", "\ud800", "zoë", []]
)
TIMES = st.sampled_from(
    [
        "2026-03-15T09:30:00Z",
        "2026-03-15T09:30:00.123999Z",
        "2026-03-15 09:30:00+01:00",
        "2026-03-15",
        "20260315T093000Z",
        "2026-03-15T093000.0Z",
        "2026-W11-7T09:30:00Z",
        "2026-03-15-09:30:00Z",
        "2026-03-15x09:30:00Z",
        "2026-03-15T09:30:00,5Z",
        "1970-01-01T00:30:00+01:00",
        "1969-12-31T00:00:00Z",
        "9000-06-01T00:00:00Z",
        "9001-01-01T00:00:00Z",
        "2026-03-15T09:30:00." + "1" * 40 + "Z",
        "NaT",
        "now",
        "",
        None,
        1_773_576_000,
    ]
)
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    ["1", "1.50", "", None, "many", "nan", "-inf", "1e101", 2, 2.5, True, 10**400, [], "1_0"]
)
DOCUMENTS = st.sampled_from(
    ["", None, "{}", {}, '{"a": 1}', {"a": [1]}, "[1]", "{", '{"a": "\\u0000"}', "[" * 2_000]
)
GOOD = {
    "message_id": None,
    "user_id": "u1",
    "anonymous_id": None,
    "timestamp": "2026-03-15T09:30:00Z",
    "event": "e",
    "value": "1",
    "properties": "",
    "experiment": "checkout",
    "variant": "old",
    "attributes": '{"country": "NO"}',
}
CELLS = st.fixed_dictionaries(
    {},
    optional={
        "message_id": st.sampled_from([None, "", "m1", "m" * 201, 5]),
        "user_id": IDS,
        "anonymous_id": IDS,
        "timestamp": TIMES,
        "event": st.sampled_from(["e", "old", "", None, "x" * 201, 3, "\0"]),
        "value": VALUES,
        "properties": DOCUMENTS,
        "experiment": st.sampled_from(["checkout", "nothing", "", None, []]),
        "variant": st.sampled_from(["old", "new", "third", "", None, {}]),
        "attributes": DOCUMENTS,
    },
)
ROWS = st.lists(CELLS.map(lambda changes: {**GOOD, **changes}), min_size=1, max_size=12)
FLOORS = st.sampled_from([Floors({}), Floors({"": 86_400_000}), Floors({"old": 2**62, "": 0})])
TEXT_ONLY = Block(
    [1, 2], {"event": ["a", "b"], "timestamp": ["2026-03-15", "2026-03-16"], "user_id": ["u", "v"]}
)


def read(kind: FileKind, rows: list[dict[str, Any]], floors: Floors, few: int) -> tuple[Any, list[BadRow]]:
    reader = ColumnReader(kind, {"checkout": frozenset({"old", "new"})}, floors)
    block = Block(range(1, len(rows) + 1), {name: [row[name] for row in rows] for name in GOOD})
    bad: list[BadRow] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rowcolumns, "FEW", few)
        return reader.read(block, bad.append), bad


@pytest.mark.parametrize("kind", FileKind)
@settings(max_examples=60)
@given(rows=ROWS, floors=FLOORS)
def test_the_quick_reader_says_what_the_careful_one_says(
    kind: FileKind, rows: list[dict[str, Any]], floors: Floors
) -> None:
    assert read(kind, rows, floors, few=1) == read(kind, rows, floors, few=1_000)


@pytest.mark.parametrize("kind", FileKind)
@settings(max_examples=60)
@given(row=CELLS, floors=FLOORS)
def test_a_column_of_equal_rows_is_judged_like_the_row(
    kind: FileKind, row: dict[str, Any], floors: Floors
) -> None:
    rows = [{**GOOD, **row}] * 20
    quick, careful = read(kind, rows, floors, few=1), read(kind, rows, floors, few=1_000)
    assert quick == careful
    assert len(quick[0]) in (0, 20)


def test_good_rows_are_read_without_a_look_at_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def careful(*_: Any) -> Any:
        raise NotImplementedError

    monkeypatch.setattr(ColumnReader, "_careful", careful)
    monkeypatch.setattr(rowcolumns, "FEW", 1)
    reader = ColumnReader(FileKind.EVENTS, {}, Floors({}))
    assert reader.read(TEXT_ONLY, list[BadRow]().append).subject == ["a", "b"]


def test_a_row_below_the_floor_is_refused_with_the_reason() -> None:
    _, bad = read(FileKind.EVENTS, [GOOD], Floors({"e": 2**62}), few=1)
    assert "older than what is kept" in bad[0].reason
    assert json.dumps(bad[0].reason)
