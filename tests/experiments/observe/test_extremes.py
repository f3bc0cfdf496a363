"""Values and units beyond what is sensible: nothing is spoilt, and what is left out is counted."""

import math

import duckdb
import pytest

from experiments.observe import text_of
from experiments.observe.counting import read_rows
from experiments.observe.layout import COLUMNS, UNIT
from tests.experiments.observe.conftest import Count
from tests.experiments.observe.logs import HOUR, NOON, did, question, shown

SPEND = {"key": "spend", "kind": "mean", "event": "buy"}
MOST = {"key": "most", "kind": "mean", "event": "buy", "aggregation": "max"}
MIDDLE = {"key": "middle", "kind": "quantile", "event": "buy", "quantile": 0.5}
RATIO = {"key": "each", "kind": "ratio", "numerator": "spend", "denominator": "most"}


@pytest.mark.parametrize("value", [1e300, -1e300, math.inf])
def test_a_value_too_large_to_be_added_up_is_left_out_and_counted(counted: Count, value: float) -> None:
    records = [shown("u"), shown("v"), did("u", value=5.0), did("u", value=3.0), did("v", value=value)]
    for more in ([], [MIDDLE]):  # in memory, and by the statement
        seen = counted(records, question([SPEND, MOST, RATIO, *more]))
        records = []
        assert seen.moments["spend"]["new"].value == 4.0
        assert seen.moments["most"]["new"].value == 2.5
        assert seen.quality.unreadable == dict.fromkeys(("spend", "most", *(each["key"] for each in more)), 1)
    assert seen.quantiles["middle"]["new"].values == 2


def test_the_largest_value_that_comes_in_is_added_up(counted: Count) -> None:
    seen = counted([shown("u"), shown("v"), did("u", value=1e100)], question([SPEND]))
    assert seen.moments["spend"]["new"].value == 5e99
    assert math.isfinite(seen.moments["spend"]["new"].variance)
    assert seen.quality.unreadable == {}


def test_a_unit_with_a_million_events_is_added_up_and_seen_to_hold_nearly_everything() -> None:
    asked = question([SPEND, {**SPEND, "key": "visits", "aggregation": "count"}, MIDDLE])
    with duckdb.connect() as connection:
        for name, columns in COLUMNS.items():
            described = ", ".join(
                f"{column} {'VARCHAR' if kind == UNIT else kind}" for column, kind in columns.items()
            )
            connection.execute(f"CREATE TABLE {name} ({described})")
        connection.execute(
            "INSERT INTO exposure SELECT range, 'checkout', 'u' || range, NULL, 'new', "
            f"{NOON}, {NOON}, NULL, NULL FROM range(100)"
        )
        connection.execute(
            "INSERT INTO event SELECT range, 'u' || CASE WHEN range < 1000000 THEN 7 ELSE range % 100 END, "
            f"NULL, 'buy', 2.0, {NOON} + {HOUR} + range, {NOON}, NULL FROM range(1000100)"
        )
        seen = read_rows(asked, connection.execute(text_of(asked)).fetchall())
    assert seen.moments["visits"]["new"].value == 10_001.0
    assert seen.moments["spend"]["new"].value == 20_002.0
    assert seen.shapes["spend"].largest_share == pytest.approx(1_000_001 / 1_000_100)
    assert seen.quantiles["middle"]["new"].values == 1_000_100
