"""Filters on properties mean what targeting means."""

import json
from typing import Any

import pytest

from analysis import Moments
from assignment import condition_from_json, matches
from tests.experiments.observe.by_hand import observe
from tests.experiments.observe.logs import did, question, shown


@pytest.mark.parametrize("operator", ["eq", "ne", "in", "not_in", "gt", "le", "exists", "not_exists"])
@pytest.mark.parametrize("value", [2, "2", True])
def test_filters_say_what_targeting_says_where_types_agree(operator: str, value: Any) -> None:
    if operator in ("gt", "le") and value != 2:
        return
    written: dict[str, Any] = {"attribute": "p", "operator": operator}
    if "exists" not in operator:
        written["value"] = [value, value] if "in" in operator else value
    kept = [value, None, 7 if value == 2 else "other"]
    metric = {"key": "m", "kind": "mean", "aggregation": "count", "event": "buy", "where": written}
    log = [did("u", properties=json.dumps({} if each is None else {"p": each})) for each in kept]
    seen = observe(question([metric]), [shown("u")], log)
    condition = condition_from_json(written)
    assert seen.moments["m"]["new"].mean[0] == sum(matches(condition, {"p": each}) for each in kept)


@pytest.mark.parametrize(
    ("operator", "value", "meant"),
    [
        ("starts_with", "ab", ["abc", "ab"]),
        ("ends_with", "bc", ["abc", "bc"]),
        ("contains", "b", ["abc", "ab", "bc"]),
        ("ends_with", "%c", []),
    ],
)
def test_filters_on_parts_of_texts(operator: str, value: str, meant: list[str]) -> None:
    where = {"attribute": "p", "operator": operator, "value": value}
    metric = {
        "key": "m",
        "kind": "mean",
        "aggregation": "count_distinct",
        "event": "buy",
        "value": "p",
        "where": where,
    }
    log = [did("u", properties=json.dumps({"p": each})) for each in ("abc", "ab", "bc", "c", "")]
    moments = observe(question([metric]), [shown("u")], log).moments["m"]["new"]
    assert isinstance(moments, Moments)
    assert moments.mean[0] == len(meant)
