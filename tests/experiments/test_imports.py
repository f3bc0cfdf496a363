import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from experiments import imports
from experiments.errors import InvalidInput
from experiments.imports import FileKind, ImportReport, import_file
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.ledger import Receipt
from experiments.store.tables import EventRow, ExposureRow
from tests.samples import NOW, apply

EXPOSURES = (
    "experiment,user_id,variant,timestamp,attributes\n"
    'checkout,u1,old,2026-03-15T09:00:00Z,"{""country"": ""NO""}"\n'
    "checkout,u2,new,2026-03-15T10:00:00+01:00,\n"
)
EVENTS = (
    "user_id,event,value,timestamp\nu1,purchase,9.5,2026-03-15T09:30:00Z\nu2,purchase,,2026-03-15T09:40:00Z\n"
)


@pytest.fixture(autouse=True)
def known_experiment(store: Store) -> None:
    apply(store)


@pytest.fixture
def bring(store: Store, tmp_path: Path) -> Any:
    def run(
        text: str | bytes, kind: str = "events", *, name: str = "file", strict: bool = False
    ) -> ImportReport:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return import_file(store=store, kind=FileKind(kind), path=path, now=NOW, strict=strict)

    return run


def events(store: Store) -> list[EventRow]:
    with store.read() as session:
        return list(session.exec(select(EventRow).order_by(EventRow.id)))  # type: ignore[arg-type]  # a column


def reasons(report: ImportReport) -> dict[int, str]:
    return {row.line: row.reason for row in report.rejected}


def test_exposures_are_read_with_their_attributes(store: Store, bring: Any) -> None:
    assert bring(EXPOSURES, "exposures") == ImportReport(Receipt(2, 0), ())
    with store.read() as session:
        rows = list(session.exec(select(ExposureRow).order_by(ExposureRow.id)))  # type: ignore[arg-type]  # SQLModel types a column as its values
    assert [(row.user_id, row.variant, row.attributes) for row in rows] == [
        ("u1", "old", '{"country":"NO"}'),
        ("u2", "new", None),
    ]
    assert rows[0].occurred_at == rows[1].occurred_at  # an offset is part of the time
    assert {row.received_at for row in rows} == {to_millis(NOW)}


def test_events_are_read_with_their_values(store: Store, bring: Any) -> None:
    assert bring(EVENTS) == ImportReport(Receipt(2, 0), ())
    assert [(row.user_id, row.event, row.value) for row in events(store)] == [
        ("u1", "purchase", 9.5),
        ("u2", "purchase", None),
    ]


def test_json_lines_say_the_same_as_csv(store: Store, bring: Any) -> None:
    rows: list[dict[str, Any]] = [
        {"user_id": "u1", "event": "purchase", "value": 9.5, "timestamp": "2026-03-15T09:30:00Z"},
        {"user_id": 42, "event": "purchase", "timestamp": "2026-03-15", "properties": {"a": [1]}},
        {"anonymous_id": "a1", "event": "visit", "value": None, "timestamp": "2026-03-15T09:30:00"},
    ]
    report = bring("\n\n".join(json.dumps(row) for row in rows))
    assert report == ImportReport(Receipt(3, 0), ())
    assert [
        (row.user_id, row.anonymous_id, row.event, row.value, row.properties) for row in events(store)
    ] == [
        ("u1", None, "purchase", 9.5, None),
        ("42", None, "purchase", None, '{"a":[1]}'),
        (None, "a1", "visit", None, None),
    ]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_the_same_file_twice_adds_nothing(store: Store, bring: Any, pack: Any) -> None:
    text = pack(EVENTS.encode())
    assert bring(text).receipt == Receipt(2, 0)
    assert bring(text, name="under-another-name.csv").receipt == Receipt(0, 2)
    assert len(events(store)) == 2


def test_a_packed_file_is_the_same_file(bring: Any) -> None:
    assert bring(EVENTS).receipt == Receipt(2, 0)
    assert bring(gzip.compress(EVENTS.encode(), mtime=0)).receipt == Receipt(0, 2)


def test_equal_rows_of_one_file_all_count(store: Store, bring: Any) -> None:
    text = EVENTS + EVENTS.split("\n")[1] + "\n" + EVENTS.split("\n")[1] + "\n"
    assert bring(text).receipt == Receipt(4, 0)
    assert bring(text).receipt == Receipt(0, 4)
    assert len(events(store)) == 4


def test_a_file_that_has_grown_adds_what_is_new(bring: Any) -> None:
    assert bring(EVENTS).receipt == Receipt(2, 0)
    assert bring(EVENTS + "u3,purchase,1,2026-03-15T09:50:00Z\n").receipt == Receipt(1, 2)


def test_a_message_id_in_the_file_is_the_one_that_counts(store: Store, bring: Any) -> None:
    text = "user_id,event,timestamp,message_id\nu1,a,2026-03-15,m1\nu2,b,2026-03-16,m1\n"
    assert bring(text).receipt == Receipt(1, 1)
    assert [row.message_id for row in events(store)] == ["m1"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",purchase,1,2026-03-15", "user_id"),
        ("u1,,1,2026-03-15", "event"),
        ("u1,purchase,many,2026-03-15", "value: 'many' is not a number"),
        ("u1,purchase,nan,2026-03-15", "value"),
        ("u1,purchase,inf,2026-03-15", "value"),
        ("u1,purchase,1e101,2026-03-15", "value"),
        ("u1,purchase,1,yesterday", "timestamp: 'yesterday'"),
        ("u1,purchase,1,", "timestamp"),
        ("u1,purchase,1,1969-12-31", "timestamp"),
        ("u1,purchase,1", "3 cells where the header has 4"),
        ("u1,purchase,1,2026-03-15,more", "5 cells where the header has 4"),
        ("u\0,purchase,1,2026-03-15", "user_id"),
        ("x" * 513 + ",purchase,1,2026-03-15", "user_id"),
        ("u1," + "x" * 201 + ",1,2026-03-15", "event"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_imported(store: Store, bring: Any, row: str, reason: str) -> None:
    report = bring(f"{EVENTS}{row}\nu3,purchase,1,2026-03-15\n")
    assert report.receipt == Receipt(3, 0)
    assert list(reasons(report)) == [4]
    assert reason in reasons(report)[4]
    assert len(reasons(report)[4]) < 300


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "not JSON"),
        ("[1]", "object"),
        ('{"user_id": [1], "event": "e", "timestamp": "2026-03-15"}', "user_id"),
        ('{"user_id": true, "event": "e", "timestamp": "2026-03-15"}', "user_id"),
        ('{"user_id": "\\ud800", "event": "e", "timestamp": "2026-03-15"}', "user_id"),
        ('{"user_id": "u", "event": 1, "timestamp": "2026-03-15"}', "event"),
        ('{"user_id": "u", "event": "e", "timestamp": 1773576000}', "timestamp"),
        ('{"user_id": "u", "event": "e", "timestamp": "2026-03-15", "value": NaN}', "value"),
        ('{"user_id": "u", "event": "e", "timestamp": "2026-03-15", "value": [1]}', "value"),
        ('{"user_id": "u", "event": "e", "timestamp": "2026-03-15", "value": true}', "value"),
        ('{"user_id": "u", "event": "e", "timestamp": "2026-03-15", "value": 1' + "0" * 400 + "}", "value"),
        ('{"user_id": 1' + "0" * 5_000 + "}", "not JSON"),
        ('{"user_id": "u", "event": "e", "timestamp": "2026-03-15", "properties": [1]}', "properties"),
        (
            '{"user_id": "u", "event": "e", "timestamp": "2026-03-15", "properties": "{"}',
            "properties: not JSON",
        ),
        ('{"user_id": "u", "event": "e", "timestamp": "2026-03-15", "properties": {"a": "\\u0000"}}', "NUL"),
        ("[" * 100_000, "not JSON"),
        (
            '{"user_id": "u", "event": "e", "timestamp": "2026-03-15", "properties": "'
            + "[" * 100_000
            + '"}',
            "JSON",
        ),
    ],
)
def test_a_bad_json_line_is_named_and_the_rest_is_imported(bring: Any, line: str, reason: str) -> None:
    good = '{"user_id": "u1", "event": "e", "timestamp": "2026-03-15"}'
    report = bring(f"{good}\n{line}\n{good}\n")
    assert report.receipt == Receipt(2, 0)
    assert list(reasons(report)) == [2]
    assert reason in reasons(report)[2]
    assert len(reasons(report)[2]) < 300


def test_an_exposure_of_something_unknown_is_named(bring: Any) -> None:
    report = bring(
        "experiment,user_id,variant,timestamp,attributes\n"
        "nothing,u1,old,2026-03-15,\n"
        "checkout,u1,third,2026-03-15,\n"
        ",u1,old,2026-03-15,\n"
        "checkout,u1,old,2026-03-15,not json\n",
        "exposures",
    )
    assert report.receipt == Receipt()
    said = reasons(report)
    assert list(said) == [2, 3, 4, 5]
    assert "'nothing'" in said[2]
    assert "'third'" in said[3]
    assert "experiment" in said[4]
    assert "attributes" in said[5]


def test_strict_imports_nothing_if_any_row_is_bad(store: Store, bring: Any) -> None:
    text = EVENTS + "u3,purchase,many,2026-03-15\n,purchase,1,2026-03-15\n"
    with pytest.raises(InvalidInput) as caught:
        bring(text, strict=True)
    assert "file line 4: value" in str(caught.value)
    assert "file line 5: expected user_id" in str(caught.value)
    assert events(store) == []
    assert bring(EVENTS, strict=True).receipt == Receipt(2, 0)


def test_strict_does_not_list_thousands_of_bad_rows(bring: Any) -> None:
    with pytest.raises(InvalidInput, match="and 4980 more") as caught:
        bring("user_id,event,timestamp\n" + "u1,e,never\n" * 5_000, strict=True)
    assert len(str(caught.value)) < 5_000


def test_a_quoted_line_break_belongs_to_its_cell_and_lines_are_counted_from_where_a_row_begins(
    store: Store, bring: Any
) -> None:
    text = (
        "user_id,event,timestamp,properties\r\n"
        'u1,"two\nlines",2026-03-15,\r\n'
        "\r\n"
        'u2,e,never,"{""a"":\n1}"\r\n'
        "u3,e,never,\r\n"
    )
    report = bring(text)
    assert [row.event for row in events(store)] == ["two\nlines"]
    assert list(reasons(report)) == [5, 7]


def test_a_byte_order_mark_and_a_missing_last_line_break_are_overlooked(bring: Any) -> None:
    assert bring(b"\xef\xbb\xbf" + EVENTS.rstrip().encode()).receipt == Receipt(2, 0)


def test_empty_lines_before_the_header_are_overlooked(bring: Any) -> None:
    report = bring("\n\n" + EVENTS + "u1,purchase,many,2026-03-15\n")
    assert report.receipt == Receipt(2, 0)
    assert list(reasons(report)) == [6]


def test_columns_may_stand_in_any_order(store: Store, bring: Any) -> None:
    assert bring('timestamp,"event",anonymous_id\n2026-03-15,visit,a1\n').receipt == Receipt(1, 0)
    assert events(store)[0].anonymous_id == "a1"


# Files that cannot be read as a whole: one clear refusal, and nothing half-written


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"user,event,timestamp\n", "unknown user"),
        (b"user_id,value\n", "missing event, timestamp"),
        (b"user_id,event,event,timestamp\n", "event twice"),
        (b"x" * 200_000, "line 1"),
        (b"[1, 2]", "line 1"),
        (gzip.compress(EVENTS.encode(), mtime=0)[:-9], "damaged"),
        (gzip.compress(EVENTS.encode(), mtime=0)[:-5] + b"12345", "damaged"),
        (b"\x1f\x8b" + b"damaged" * 100, "damaged"),
        (EVENTS.encode() + b"\xff,purchase,1,2026-03-15\n", "UTF-8"),
        (EVENTS.encode("utf-16"), "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_written(
    store: Store, bring: Any, content: bytes, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        bring(content, name="broken.csv")
    assert "broken.csv" in str(caught.value)
    assert events(store) == []


def test_damage_at_the_end_of_a_long_file_is_found_before_anything_is_written(
    store: Store, bring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 10)
    rows = "".join(f"u{n},purchase,1,2026-03-15T09:00:00Z\n" for n in range(2_000))
    packed = gzip.compress((EVENTS + rows).encode())
    for content in (packed[:-4], EVENTS.encode() + rows.encode() + b"\xff\n"):
        with pytest.raises(InvalidInput):
            bring(content)
        assert events(store) == []
    assert bring(packed).receipt == Receipt(2_002, 0)


def test_a_quote_that_is_never_closed_is_named_where_it_opens(bring: Any) -> None:
    rows = "".join(f"u{n},purchase,1,2026-03-15T09:00:00Z\n" for n in range(10_000))
    assert list(reasons(bring(f'{EVENTS}"u9,e,1,2026-03-15\nu3,purchase,1,2026-03-15\n'))) == [4]
    said = reasons(bring(f'{EVENTS}"u9,{rows}'))
    assert list(said) == [4]
    assert "a quote may be open" in said[4]


def test_a_missing_file_and_a_folder_are_refused(store: Store, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(InvalidInput, match="cannot be read"):
            import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW)


def test_progress_rises_to_the_whole(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("user_id,event,timestamp\n" + "u1,visit,2026-03-15\n" * 5_000)
    shares: list[float] = []
    import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(0 <= share <= 1 for share in shares)
