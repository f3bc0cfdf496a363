"""Sums that stand are moved on with the log, to what a look at all of it would give."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import Observation
from experiments.metrics import MetricDraft
from experiments.observe import Bots, Question, layout, moving, standing
from experiments.observe.counting import read_rows
from experiments.observe.readied import answer_all
from experiments.store.ledger import Event, Exposure
from tests.experiments.observe.logs import DAY, HOUR, NOON, did, question, shown
from tests.experiments.observe.test_columns import same

METRICS: list[dict[str, Any]] = [
    {"key": "buys", "kind": "proportion", "event": "buy"},
    {"key": "buys_twice", "kind": "proportion", "event": "buy", "at_least": 2, "window": "3d"},
    {"key": "spend", "kind": "mean", "event": "buy"},
    {"key": "orders", "kind": "mean", "event": "buy", "aggregation": "count", "scale": 0.5},
    {"key": "order_value", "kind": "ratio", "numerator": "spend", "denominator": "orders"},
    {"key": "largest", "kind": "mean", "event": "buy", "aggregation": "max", "value": "price"},
    {"key": "d2", "kind": "retention", "event": "visit", "from": "1d", "to": "3d"},
]


@dataclass
class Copy:
    """A copy of a log that grows."""

    connection: duckdb.DuckDBPyConnection
    ids: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**6)))

    def append(self, *records: Exposure | Event) -> None:
        for name, kind in (("exposure", Exposure), ("event", Event)):
            rows = [
                [
                    next(self.ids) if column == "id" else getattr(each, column)
                    for column in layout.COLUMNS[name]
                ]
                for each in records
                if isinstance(each, kind)
            ]
            if rows:
                layout.stage(self.connection, name)
                layout.arrive(self.connection, name, np.array(rows, dtype=object))
                layout.settle(self.connection, name)

    def ask(self, asked: Question) -> Observation:
        (rows,) = answer_all(self.connection, [asked])
        return read_rows(asked, rows)

    def ask_anew(self, asked: Question) -> Observation:
        """By a look at all of the log; what stands stays as it is."""
        stood = self.connection.execute("SELECT * FROM standing").fetchall()
        self.connection.execute("DELETE FROM standing")
        seen = self.ask(asked)
        self.connection.execute("DELETE FROM standing")
        self.connection.executemany("INSERT INTO standing VALUES (?, ?, ?, ?, ?)", stood)
        return seen

    def move(self, asked: Question) -> Observation | None:
        """From what stands alone, or not at all."""
        with ThreadPoolExecutor(1) as pool:
            rows = moving.answer(self.connection, asked, pool)
        return None if rows is None else read_rows(asked, rows)


@contextmanager
def growing(share: float = 2.0) -> Iterator[Copy]:
    """A copy of which even the sums of all units are moved on."""
    with duckdb.connect() as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(moving, "MANY", share)
        connection.execute("SET pandas_analyze_sample = 0")
        layout.create(connection)
        yield Copy(connection)


def asked(*keys: str, **changes: Any) -> Question:
    """About some of the metrics, with all that sums can be asked for."""
    chosen = [each for each in METRICS if not keys or each["key"] in keys]
    plan: dict[str, Any] = {"back": 2 * DAY, "segments": ("size", "rfm"), "horizon": NOON + DAY}
    plan["others"] = [MetricDraft.model_validate(each) for each in METRICS if each not in chosen]
    return question(chosen, **{**plan, "aged": frozenset({"buys", "order_value"}), **changes})


units = st.sampled_from(["a", "b", "c", "d", "e", "f"])
times = st.integers(-3 * DAY, 6 * DAY) | st.integers(-4, 12).map(lambda n: n * DAY // 2)
sizes = st.sampled_from([None, '{"size":"s"}', '{"size":"l"}'])
exposures = st.builds(
    lambda unit, variant, at, size: shown(unit, variant, at, attributes=size),
    units,
    st.sampled_from(["old", "new", "new"]),
    times,
    sizes,
)
events = st.builds(
    lambda unit, name, at, value, price: did(unit, name, at, value, properties=price),
    units,
    st.sampled_from(["buy", "buy", "visit"]),
    times,
    st.sampled_from([None, 1.0, 2.5, -3.0, 7.25]),
    st.sampled_from([None, '{"price": 2}', '{"price": "3.5"}', '{"price": "dear"}']),
)
pieces = st.lists(st.lists(exposures | events, max_size=12), min_size=2, max_size=3)


def crowd(count: int, variant: str = "new") -> list[Exposure | Event]:
    """Units of which each has bought something else."""
    records: list[Exposure | Event] = []
    for place in range(count):
        unit = f"{variant}{place}"
        records += [shown(unit, variant, place * HOUR), did(unit, "visit", (place - 6) * 9 * HOUR)]
        records += [
            did(unit, "buy", (place + each * 7) * HOUR, value=1.5 + place % 5) for each in range(place % 4)
        ]
    return records


NEWS: dict[str, list[Exposure | Event]] = {
    "nothing": [],
    "an event": [did("new3", "buy", 20 * HOUR, value=4.0)],
    "an event that came late": [did("old2", "buy", 3 * HOUR, value=4.0)],
    "an event before the exposure": [did("new5", "buy", -HOUR, value=9.0)],
    "an event of nobody": [did("other", "buy", 0)],
    "an event that takes something back": [did("old1", "buy", 20 * HOUR, value=-2.0)],
    "a unit": [shown("late", "old", 12 * HOUR), did("late", "buy", 13 * HOUR, value=2.0)],
    "a second variant": [shown("new4", "old", 20 * HOUR)],
    "an earlier exposure": [shown("new6", "new", -2 * HOUR)],
}


def test_only_units_to_which_something_happened_are_looked_at() -> None:
    now = asked(horizon=NOON + 4 * DAY)
    with growing() as copy:
        copy.append(*crowd(12, "old"), *crowd(12))
        copy.ask(now)
        for hours, (name, news) in enumerate(NEWS.items()):
            copy.append(*news)
            now = replace(now, horizon=now.horizon + hours * HOUR)
            moved = copy.move(now)
            assert moved is not None, name
            assert same(moved, copy.ask_anew(now)), name


def test_what_has_aged_is_looked_at_without_anything_new() -> None:
    now = asked(horizon=NOON + 4 * DAY)
    with growing() as copy:
        copy.append(*crowd(12, "old"), *crowd(36))
        copy.ask(now)
        later = replace(now, horizon=now.horizon + DAY)
        moved = copy.move(later)
        assert moved is not None
        assert same(moved, copy.ask_anew(later))
        assert moved.immature["d2"] < copy.ask_anew(now).immature["d2"]


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces, st.lists(st.integers(0, 2 * DAY), min_size=4, max_size=4))
def test_what_was_moved_on_equals_a_look_at_all(
    pieces: list[list[Exposure | Event]], passed: list[int]
) -> None:
    now = asked()
    with growing() as copy:
        for records, later in zip(pieces, passed, strict=False):
            copy.append(*records)
            now = replace(now, horizon=now.horizon + later)
            assert same(copy.ask(now), copy.ask_anew(now))


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": [MetricDraft.model_validate({**METRICS[2], "cap": {"quantile": 0.9}})]},
        {"bots": Bots(events_per_day=3)},
        {"past": True},
        {"channel": "channel"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_depends_on_everybody_does_not_stand(changes: dict[str, Any]) -> None:
    assert standing.can_stand(asked())
    assert not standing.can_stand(replace(asked(), **changes))


def test_sums_are_taken_anew_when_the_question_is_another_or_many_units_have_news() -> None:
    now = asked("spend", segments=())
    with growing(share=0.25) as copy:
        copy.append(*crowd(8))
        copy.ask(now)
        assert copy.move(now) is not None
        assert copy.move(replace(now, back=DAY)) is None
        assert copy.move(replace(now, horizon=now.horizon - 1)) is None
        copy.append(*(did(f"new{place}", value=1.0) for place in range(3)))
        assert copy.move(now) is None


def test_nothing_stands_when_records_are_gone_or_what_was_kept_is_damaged() -> None:
    now = asked("spend", segments=())
    with growing() as copy:
        copy.append(*crowd(4))
        for go in (layout.prune, layout.empty):
            copy.ask(now)
            go(copy.connection)
            assert copy.move(now) is None
        copy.ask(now)
        copy.connection.execute("UPDATE standing SET summed = left(summed, 40)")
        assert copy.move(now) is None
        copy.ask(now)
        assert copy.move(now) is not None


def test_a_largest_value_that_is_gone_is_looked_for_among_all() -> None:
    now = asked("spend", segments=(), back=0)
    with growing() as copy:
        copy.append(*crowd(12), did("new3", "buy", HOUR * 20, value=500.0))
        copy.ask(now)
        copy.append(did("new3", "buy", HOUR * 21, value=-400.0))
        assert copy.move(now) is None
        assert same(copy.ask(now), copy.ask_anew(now))


def test_segments_with_more_values_than_are_told_apart_are_cut_anew() -> None:
    now = asked("buys", segments=("size",), back=0)

    def sized(values: range) -> list[Exposure | Event]:
        return [shown(f"u{each}", attributes=json.dumps({"size": f"s{each}"})) for each in values]

    with growing() as copy:
        copy.append(*sized(range(20)))
        copy.ask(now)
        assert copy.move(now) is not None
        copy.append(*sized(range(20, 21)))
        assert copy.move(now) is None
        assert same(copy.ask(now), copy.ask_anew(now))
        assert copy.move(now) is None


def test_a_move_that_fails_leaves_the_log_under_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    with growing() as copy:
        copy.append(shown("a", "old", 0), shown("b", "new", 0), did("a", "buy", HOUR))
        copy.ask(asked("buys"))
        copy.append(did("b", "buy", HOUR))
        monkeypatch.setattr(moving, "_summed", fail)
        with pytest.raises(MemoryError):
            copy.move(asked("buys", horizon=NOON + 2 * DAY))
        assert copy.connection.execute("SELECT COUNT(*) FROM event").fetchone() == (2,)
