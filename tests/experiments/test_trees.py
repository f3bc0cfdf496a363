"""Metric trees: totals, their factors, and what each contributed."""

import math
from typing import Any

import pytest

from experiments.definition import parse_metric
from experiments.observe.flows import Flow
from experiments.pasts import Past
from experiments.registry import Metric
from experiments.trees import tree_of
from tests.samples import NOW

BUY = {"event": "buy"}
RED = {"attribute": "colour", "operator": "eq", "value": "red"}
METRICS: list[dict[str, Any]] = [
    {"key": "revenue", "kind": "mean", **BUY},
    {"key": "orders", "kind": "mean", "aggregation": "count", **BUY},
    {"key": "conversion", "kind": "proportion", **BUY},
    {"key": "margin", "kind": "mean", "scale": 0.3, **BUY},
    {"key": "first_week", "kind": "mean", "window": "7d", **BUY},
    {"key": "order_value", "kind": "ratio", "numerator": "revenue", "denominator": "orders"},
    {"key": "repeat", "kind": "ratio", "numerator": "orders", "denominator": "conversion"},
    {"key": "red_sales", "kind": "mean", "where": RED, **BUY},
    {"key": "visits", "kind": "proportion", "event": "visit"},
    {"key": "d7", "kind": "retention", "from": "7d", "to": "8d"},
    {"key": "most", "kind": "mean", "aggregation": "max", **BUY},
]
KNOWN = {each["key"]: Metric(parse_metric(each), 1) for each in METRICS}
BEFORE, AFTER = Flow(1_000, 100, 120, 2_400.0), Flow(1_100, 121, 150, 2_700.0)


def past(key: str, *flows: Flow, version: int = 1) -> Past:
    return Past(key, "user_id", version, NOW, flows=(flows[0], flows[1]) if flows else None)


PASTS = {
    "revenue": past("revenue", BEFORE, AFTER),
    "visits": past("visits", Flow(10, 5, 9, 5), Flow(20, 9, 9, 9)),
}


@pytest.mark.parametrize("key", ["revenue", "orders", "conversion", "order_value", "repeat"])
def test_a_total_and_all_its_factors_show_the_same_tree(key: str) -> None:
    tree = tree_of(KNOWN[key], KNOWN, PASTS)
    assert tree is not None
    assert tree.root.key == "revenue"
    assert (tree.before, tree.after, tree.change) == (2_400.0, 2_700.0, 300.0)
    measured = [(each.name, each.metric and each.metric.key) for each in tree.branches]
    assert measured == [
        ("visitors", None),
        ("share", "conversion"),
        ("frequency", "repeat"),
        ("worth", "order_value"),
    ]


def test_branches_multiply_to_the_total_and_their_contributions_add_up_to_its_change() -> None:
    tree = tree_of(KNOWN["revenue"], KNOWN, PASTS)
    assert tree is not None
    assert math.prod(each.before for each in tree.branches) == pytest.approx(2_400)
    assert math.prod(each.after for each in tree.branches) == pytest.approx(2_700)
    assert math.fsum(each.contribution for each in tree.branches) == pytest.approx(300)
    visitors, _, _, worth = tree.branches
    assert visitors.change == pytest.approx(0.1)
    assert worth.change == pytest.approx(-0.1)
    assert visitors.contribution > 0 > worth.contribution


def test_a_share_of_an_event_that_nobody_sums_up_has_two_factors() -> None:
    tree = tree_of(KNOWN["visits"], KNOWN, PASTS)
    assert tree is not None
    assert [each.name for each in tree.branches] == ["visitors", "share"]


@pytest.mark.parametrize("key", ["d7", "most", "red_sales"])
def test_what_is_no_product_or_was_not_counted_has_no_tree(key: str) -> None:
    assert tree_of(KNOWN[key], KNOWN, PASTS) is None


def test_a_past_of_another_version_says_nothing_of_this_one() -> None:
    assert tree_of(KNOWN["revenue"], KNOWN, {"revenue": past("revenue", BEFORE, AFTER, version=2)}) is None


def test_with_a_factor_of_nought_nothing_is_shared_out() -> None:
    tree = tree_of(KNOWN["revenue"], KNOWN, {"revenue": past("revenue", Flow(0, 0, 0, 0.0), AFTER)})
    assert tree is not None
    assert (tree.branches, tree.before, tree.after) == ((), 0.0, 2_700.0)
