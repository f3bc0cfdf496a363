"""Pasts: what the last weeks say about metrics of every kind."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.definition import parse_metric
from experiments.errors import InvalidInput
from experiments.observe.engines import Embedded
from experiments.observe.flows import Flow
from experiments.pasts import DAYS, Past, find_pasts, refresh_pasts
from experiments.planning import history_of, level_of
from experiments.registry import save_metric
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, append
from tests.samples import DAY, NOW

BUY = {"event": "buy"}
KINDS: list[dict[str, Any]] = [
    {"key": "bought", "kind": "proportion", **BUY},
    {"key": "spend", "kind": "mean", **BUY},
    {"key": "orders", "kind": "mean", "aggregation": "count", **BUY},
    {"key": "days", "kind": "mean", "aggregation": "days", "event": None},
    {"key": "visits", "kind": "mean", "aggregation": "sessions", "event": None},
    {"key": "aov", "kind": "ratio", "numerator": "spend", "denominator": "orders"},
    {"key": "d1", "kind": "retention", "from": "1d", "to": "2d"},
    {"key": "median", "kind": "quantile", "quantile": 0.5, **BUY},
    {"key": "path", "kind": "funnel", "steps": ["view", "buy"], "window": "7d"},
    {"key": "soon", "kind": "time_to_event", "window": "3d", **BUY},
    {
        "key": "red",
        "kind": "proportion",
        **BUY,
        "where": {"attribute": "colour", "operator": "eq", "value": "red"},
    },
    {"key": "never", "kind": "proportion", "event": "nothing"},
    {"key": "never_spent", "kind": "mean", "event": "nothing"},
    {"key": "yearly", "kind": "retention", "from": "300d", "to": "301d"},
]
UNITS = 120


@pytest.fixture
def engine(store: Store, tmp_path: Path) -> Embedded:
    return Embedded(store, tmp_path / "columns.duckdb")


def did(name: str, unit: int, days_ago: float, value: float | None = None, colour: str = "") -> Event:
    at = to_millis(NOW - days_ago * DAY)
    text = f'{{"colour":"{colour}"}}' if colour else None
    return Event(f"{name}{unit}-{days_ago}", f"u{unit}", None, name, value, at, at, text)


def worth(unit: int) -> float:
    return 10.0 + unit % 7


@pytest.fixture
def pasts(store: Store, engine: Embedded) -> dict[str, Past]:
    """Of 120 units that look 20 days ago every third buys an hour later, and every ninth again."""
    with store.write() as session:
        for each in KINDS:
            draft = parse_metric({name: value for name, value in each.items() if value is not None})
            save_metric(session=session, draft=draft, actor="t", now=NOW)
        events = [did("view", unit, 20) for unit in range(UNITS)]
        colours = ("red", "blue")
        buyers = range(0, UNITS, 3)
        events += [did("buy", unit, 20 - 1 / 24, worth(unit), colours[unit % 2]) for unit in buyers]
        events += [did("buy", unit, 18.5, worth(unit)) for unit in range(0, UNITS, 9)]
        append(session=session, records=events)
    assert refresh_pasts(store=store, engine=engine, now=NOW) == 2 * len(KINDS)
    with store.read() as session:
        return find_pasts(session=session)


def test_metrics_of_every_kind_have_a_level_and_a_variance(pasts: dict[str, Past]) -> None:
    spend = np.array([worth(n) * ((n % 3 == 0) + (n % 9 == 0)) for n in range(UNITS)])
    orders = np.array([float((n % 3 == 0) + (n % 9 == 0)) for n in range(UNITS)])
    level = {key: past.mean for key, past in pasts.items()}
    assert level["bought"] == pytest.approx(1 / 3)
    assert level["red"] == pytest.approx(20 / UNITS)
    assert (level["spend"], pasts["spend"].variance) == pytest.approx((spend.mean(), spend.var(ddof=1)))
    assert level["orders"] == pytest.approx(orders.mean())
    assert level["days"] == pytest.approx(1 + len(range(0, UNITS, 9)) / UNITS)
    assert level["aov"] == pytest.approx(spend.sum() / orders.sum())
    assert level["d1"] == pytest.approx(len(range(0, UNITS, 9)) / UNITS)
    assert level["median"] is not None
    assert 10 < level["median"] < 16
    assert level["path"] == pytest.approx(1 / 3)
    assert level["soon"] is not None
    assert level["soon"] < 3 * 86_400_000


def test_the_variance_of_a_ratio_is_that_of_its_linearised_units(pasts: dict[str, Past]) -> None:
    spend = np.array([worth(n) * ((n % 3 == 0) + (n % 9 == 0)) for n in range(UNITS)])
    orders = np.array([float((n % 3 == 0) + (n % 9 == 0)) for n in range(UNITS)])
    linear = (spend - spend.sum() / orders.sum() * orders) / orders.mean()
    assert pasts["aov"].variance == pytest.approx(linear.var(ddof=1))


def test_a_metric_that_nobody_is_old_enough_for_says_so(pasts: dict[str, Past]) -> None:
    assert (pasts["yearly"].mean, pasts["yearly"].missing) == (None, "nobody")


def test_an_event_that_never_happened_has_a_level_of_nought(pasts: dict[str, Past]) -> None:
    assert (pasts["never"].mean, pasts["never"].variance) == (0.0, 0.0)
    assert (pasts["never_spent"].mean, pasts["never_spent"].units) == (0.0, UNITS)


def test_new_units_are_counted_by_week(pasts: dict[str, Past]) -> None:
    assert sum(pasts["bought"].weekly_units) == UNITS
    assert len(pasts["bought"].weekly_units) == DAYS // 7


def test_nothing_at_all_is_a_reason_and_no_failure(store: Store, engine: Embedded) -> None:
    with store.write() as session:
        for each in KINDS[:6]:
            draft = parse_metric({name: value for name, value in each.items() if value is not None})
            save_metric(session=session, draft=draft, actor="t", now=NOW)
    refresh_pasts(store=store, engine=engine, now=NOW)
    with store.read() as session:
        assert {each.missing for each in find_pasts(session=session).values()} == {"nobody"}


def test_a_past_is_counted_again_when_it_is_old_and_not_before(
    store: Store, engine: Embedded, pasts: dict[str, Past]
) -> None:
    assert pasts
    assert refresh_pasts(store=store, engine=engine, now=NOW + timedelta(hours=1)) == 0
    assert refresh_pasts(store=store, engine=engine, now=NOW + timedelta(hours=6)) == 2 * len(KINDS)


def test_flows_are_counted_in_the_last_weeks_and_in_those_before(store: Store, engine: Embedded) -> None:
    with store.write() as session:
        for each in KINDS[:3]:
            save_metric(session=session, draft=parse_metric(each), actor="t", now=NOW)
        before = [did("view", 1, 40), did("buy", 1, 39, 5.0)]
        after = [did("view", 1, 9), did("view", 2, 9), did("buy", 2, 8, 7.0), did("buy", 2, 7, 8.0)]
        append(session=session, records=[*before, *after])
    refresh_pasts(store=store, engine=engine, now=NOW)
    with store.read() as session:
        found = find_pasts(session=session)
    assert found["spend"].flows == (Flow(1, 1, 1, 5.0), Flow(2, 1, 2, 15.0))
    assert found["orders"].flows == (Flow(1, 1, 1, 1.0), Flow(2, 1, 2, 2.0))
    assert found["bought"].flows == (Flow(1, 1, 1, 1.0), Flow(2, 1, 2, 1.0))


def test_a_history_has_a_number_for_each_unit(store: Store, engine: Embedded, pasts: dict[str, Past]) -> None:
    found = history_of(store=store, engine=engine, key="spend", now=NOW)
    assert len(found.values) == UNITS
    assert math.fsum(found.values) == pytest.approx((pasts["spend"].mean or 0) * UNITS)
    assert found.weekly_units == pasts["spend"].weekly_units
    with pytest.raises(InvalidInput, match="is a ratio, which gives units no number"):
        history_of(store=store, engine=engine, key="aov", now=NOW)


def test_the_level_of_any_kind_is_what_its_past_says(
    store: Store, engine: Embedded, pasts: dict[str, Past]
) -> None:
    for key in ("aov", "median", "path", "spend"):
        level = level_of(store=store, engine=engine, key=key, now=NOW)
        assert (level.baseline.mean, level.baseline.variance) == (pasts[key].mean, pasts[key].variance)
        assert level.daily_units == pasts[key].daily_units
    with pytest.raises(InvalidInput, match="no unit was seen"):
        level_of(store=store, engine=engine, key="yearly", now=NOW)
