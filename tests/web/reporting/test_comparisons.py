import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.reporting.comparisons import comparisons_csv, plain


def row(**changes: Any) -> dict[str, Any]:
    interval = {"estimate": -0.5, "low": None, "high": 0.25}
    return {"metric": "m", "variant": "B", "difference": interval, "lift": None, "p_value": 1e-9, **changes}


def read(*rows: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(comparisons_csv({"comparisons": rows}))))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\u3000＝", "＋", "\u00a0@"])
def test_no_cell_begins_a_formula(start: str) -> None:
    (found,) = read(row(segment=f"{start}HYPERLINK(1)"))
    assert found["segment"].startswith("'")


@given(st.text(max_size=20))
def test_any_text_is_read_back_the_same_but_for_the_quote(text: str) -> None:
    cell = plain(text)
    assert cell in (text, f"'{text}")
    assert cell.strip()[:1] not in ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def test_numbers_are_neither_quoted_nor_rounded() -> None:
    (found,) = read(row())
    assert (found["difference"], found["difference_low"], found["difference_high"]) == ("-0.5", "", "0.25")
    assert found["p_value"] == "1e-09"
    assert found["lift"] == ""


def test_commas_quotes_and_lines_stay_in_their_cell() -> None:
    text = 'a, "b"\nc'
    assert read(row(segment=text))[0]["segment"] == text
