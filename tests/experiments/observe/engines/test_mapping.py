from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot

from experiments.errors import InvalidInput
from experiments.observe.engines.dialects import written
from experiments.observe.engines.mapping import OURS, Mapping, Source, mapped, read_mapping
from experiments.observe.layout import COLUMNS
from experiments.observe.scanning import Scan, Statement

WHOLE = """
[warehouse.exposure]
table = "lake.analytics.shown-2026"
experiment = "test"
variant = "arm"
user_id = "visitor"
occurred_at = "at"
clock = "timestamp"

[warehouse.event]
table = "clicks"
event = "name"
anonymous_id = "cookie"
occurred_at = "at"
"""


def read(tmp_path: Path, text: str) -> Mapping:
    path = tmp_path / "warehouse.toml"
    path.write_text(text)
    return read_mapping(path)


def test_a_mapping_names_tables_columns_and_clocks(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert found.sources["exposure"].table == "lake.analytics.shown-2026"
    assert found.sources["exposure"].clock == "timestamp"
    assert found.sources["event"] == Source(
        "clicks", {"event": "name", "anonymous_id": "cookie", "occurred_at": "at"}
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('table = "clicks"', "", r"warehouse\.event\.table: is missing"),
        ('anonymous_id = "cookie"', "", r"warehouse\.event\.user_id: is missing"),
        (
            'event = "name"',
            'event = "name); DROP TABLE x; --"',
            r"warehouse\.event\.event: expected a plain name",
        ),
        ('table = "clicks"', 'table = "a.b.c.d"', r"warehouse\.event\.table: expected a plain name"),
        ('clock = "timestamp"', 'clock = "sundial"', r"warehouse\.exposure\.clock: expected milliseconds"),
        ('clock = "timestamp"', 'day_form = "moon"', r"warehouse\.exposure\.day_form: expected date, text"),
        ('variant = "arm"', 'variant = "arm"\nbranch = "b"', r"warehouse\.exposure\.branch: expected one of"),
        ("[warehouse.event]", "[warehouse.sales]", r"warehouse\.sales: expected exposure or event"),
        ("[warehouse.event]", "[warehouse.event", "is no TOML"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path, WHOLE.replace(old, new, 1))


@pytest.mark.parametrize("text", ["", "[warehouse]", "warehouse = 1"])
def test_a_file_without_tables_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match=r"expected \[warehouse\.exposure\]"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("clock", "at"),
    [
        ("milliseconds", "1500"),
        ("seconds", "1.5"),
        ("timestamp", "TIMESTAMP '1970-01-01 00:00:01.5'"),
    ],
)
def test_moments_become_milliseconds_and_what_is_not_named_is_unknown(clock: str, at: str) -> None:
    source = Source("theirs", {"event": "name", "occurred_at": "at"}, clock)  # type: ignore[arg-type]  # one of its literals, as a parameter
    chosen = ", ".join(COLUMNS["event"])
    asked = Statement(sqlglot.parse_one(f"SELECT {chosen} FROM event"))
    statement = mapped(asked, Mapping({"event": source}), "duckdb")
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE theirs AS SELECT 'buy' AS name, {at} AS at, 3 AS event")
        found = connection.execute(written(statement, "duckdb"))
        assert found.description is not None
        row = dict(zip([column[0] for column in found.description], found.fetchall()[0], strict=True))
    assert (row.pop("event"), row.pop("occurred_at")) == ("buy", 1_500)
    assert set(row.values()) == {None}


def test_without_sources_a_statement_is_left_as_it_is() -> None:
    statement = sqlglot.parse_one("SELECT * FROM event")
    assert mapped(Statement(statement), OURS, "spark") is statement


def narrowed(clock: str, dialect: str, **more: Any) -> str:
    source = Source("theirs", {"event": "name", "occurred_at": "at"}, clock, **more)  # type: ignore[arg-type]  # one of its literals, as a parameter
    asked = Statement(
        sqlglot.parse_one("SELECT value FROM event"), {"event": Scan(1_772_323_200_000, ("buy", "it's"))}
    )
    text = written(mapped(asked, Mapping({"event": source}), dialect), dialect)
    return " ".join(text.replace("`", "").split())


@pytest.mark.parametrize(
    ("clock", "dialect", "said"),
    [
        ("milliseconds", "trino", "at >= 1772236800000"),
        ("seconds", "bigquery", "at >= 1772236800"),
        ("timestamp", "snowflake", "at >= CAST('2026-02-28 00:00:00' AS TIMESTAMP)"),
        ("timestamp", "clickhouse", "at >= toDateTime('2026-02-28 00:00:00', 'UTC')"),
    ],
)
def test_a_scan_is_bounded_in_the_form_of_the_table_s_own_moments(
    clock: str, dialect: str, said: str
) -> None:
    text = narrowed(clock, dialect)
    assert said in text
    assert "name IN ('buy', 'it" in text


def test_a_table_divided_by_days_is_bounded_by_its_days() -> None:
    assert "dt >= CAST('2026-02-28' AS DATE)" in narrowed("seconds", "spark", day="dt")
    assert "dt >= '2026-02-28'" in narrowed("seconds", "trino", day="dt", day_form="text")


def test_only_columns_that_a_statement_reads_are_taken() -> None:
    assert "NULL" not in narrowed("seconds", "spark").replace("CAST(NULL AS DOUBLE) AS value", "")


def test_a_schema_may_be_set_aside(tmp_path: Path) -> None:
    assert read(tmp_path, f'[warehouse]\nscratch = "hive.scratch"\n{WHOLE}').scratch == "hive.scratch"
    with pytest.raises(InvalidInput, match=r"warehouse\.scratch: expected the name of a schema"):
        read(tmp_path, f'[warehouse]\nscratch = "a; b"\n{WHOLE}')
