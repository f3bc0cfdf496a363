"""The statement against plain Python, on random small logs."""

import math
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analysis import Moments, Observation, Shape
from experiments.observe import Question, count
from experiments.observe.engines import Embedded
from experiments.store import open_store
from experiments.store.ledger import Event, Exposure, append
from tests.experiments.observe.logs import DAY, HOUR, NOON, Expected, brute_force, did, question, shown

METRICS: list[dict[str, Any]] = [
    {"key": "buys", "kind": "proportion", "event": "buy"},
    {"key": "buys_soon", "kind": "proportion", "event": "buy", "window": "36h"},
    {"key": "spend", "kind": "mean", "event": "buy"},
    {"key": "spend_capped", "kind": "mean", "event": "buy", "cap": {"quantile": 0.8}},
    {"key": "spend_soon_capped", "kind": "mean", "event": "buy", "window": "2d", "cap": {"quantile": 0.7}},
    {"key": "visits", "kind": "mean", "event": "visit", "aggregation": "count"},
    {"key": "nothing", "kind": "mean", "event": "never"},
]

units = st.sampled_from(["a", "b", "c", "d", "e", "f"])
ids = st.none() | units
times = st.integers(-10 * DAY, 9 * DAY) | st.integers(-3, 3).map(lambda n: n * DAY) | st.just(HOUR)
exposures = st.builds(
    shown,
    ids,
    st.sampled_from(["old", "old", "new", "new", "third"]),
    times,
    anonymous_id=ids,
    experiment=st.sampled_from(["checkout", "checkout", "checkout", "other"]),
    mark=st.sampled_from([None, None, None, None, "override", "clamped"]),
)
events = st.builds(
    did,
    ids,
    st.sampled_from(["buy", "buy", "visit", "other"]),
    times,
    st.none() | st.sampled_from([0.0, 1.5, -2.0, 100.0]) | st.floats(-1e6, 1e6),
    anonymous_id=ids,
)
questions = st.builds(
    question,
    st.just(METRICS),
    unit_type=st.sampled_from(["user_id", "user_id", "anonymous_id"]),
    since=st.sampled_from([-(2**62), NOON - 3 * DAY]),
    until=st.sampled_from([2**62, NOON + 3 * DAY]),
    horizon=st.sampled_from([NOON + 10 * DAY, NOON + 2 * DAY]),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(questions, st.lists(exposures, max_size=14), st.lists(events, max_size=20))
@example(question(METRICS), [shown("a"), shown("b", "old")], [did("a", at=0, value=1.5)])
def test_the_statement_counts_what_a_person_would_count(
    tmp_path_factory: pytest.TempPathFactory,
    empty_ledger: Path,
    asked: Question,
    exposures: list[Exposure],
    events: list[Event],
) -> None:
    # The same drawn record may stand in a list twice; the ledger keeps it once, and so does the check.
    exposures = list({each.message_id: each for each in exposures}.values())
    events = list({each.message_id: each for each in events}.values())
    seen = observe(tmp_path_factory.mktemp("count"), empty_ledger, asked, exposures, events)
    expected = brute_force(asked, exposures, events)
    assert seen.units == expected.units
    assert seen.excluded == expected.excluded
    assert seen.arrivals == expected.arrivals
    assert seen.immature == expected.immature
    for metric in asked.metrics:
        for variant in asked.variants:
            agree(seen.moments[metric.key].get(variant), expected.values[metric.key][variant])
        agree_in_shape(seen.shapes.get(metric.key), list(chain(*expected.values[metric.key].values())))
        agree_by_day(seen, expected, metric.key, asked)


def observe(
    folder: Path, ledger: Path, asked: Question, exposures: list[Exposure], events: list[Event]
) -> Observation:
    """Count in two steps, so that a copy that grows is part of every example."""
    (folder / "ledger.sqlite3").write_bytes(ledger.read_bytes())
    store = open_store(f"sqlite:///{folder / 'ledger.sqlite3'}")
    for half in (slice(0, None, 2), slice(1, None, 2)):
        with store.write() as session:
            append(session=session, records=[*events[half], *exposures[half]])
        seen = count(engine=Embedded(store, folder / "columns.duckdb"), question=asked)
    store.close()
    return seen


def agree(seen: Moments | None, values: list[float]) -> None:
    seen = seen or Moments.empty()
    expected = Moments.from_values(values) if values else Moments.empty()
    scale = max((abs(value) for value in values), default=0.0)
    assert seen.n == expected.n
    assert math.isclose(seen.mean[0], expected.mean[0], rel_tol=1e-9, abs_tol=1e-9 * max(scale, 1))
    np.testing.assert_allclose(seen.cross, expected.cross, rtol=1e-7, atol=1e-9 * max(scale, 1) ** 2)


def agree_in_shape(seen: Shape | None, values: list[float]) -> None:
    assert (seen is None) == (not values)
    if seen is None:
        return
    scale, total = max(abs(value) for value in values), math.fsum(abs(value) for value in values)
    assert seen.n == len(values)
    assert math.isclose(seen.largest_share, scale / total if total else 0.0, rel_tol=1e-9)
    middle = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - middle) ** 2 for value in values) / len(values))
    # Values that differ by a rounding error have no shape that two ways of adding agree on.
    if spread > 1e-9 * scale:
        skew = math.fsum(((value - middle) / spread) ** 3 for value in values) / len(values)
        assert math.isclose(seen.skewness, skew, rel_tol=1e-6, abs_tol=1e-6)


def agree_by_day(seen: Observation, expected: Expected, metric: str, asked: Question) -> None:
    for variant in asked.variants:
        by_hand = expected.daily[metric][variant]
        days = seen.daily[metric].get(variant, ())
        for each in days:
            agree(each.moments, by_hand[each.day])
        if days:
            agree(days[-1].moments, expected.values[metric][variant])
        else:
            assert expected.values[metric][variant] == []
