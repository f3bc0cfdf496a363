"""Every kind of metric, covariate and cut against counting by hand, on random small logs."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analysis import Observation
from assignment import condition_from_json
from experiments.metrics import MetricDraft
from experiments.observe import Bots, Question
from experiments.observe.sheets import is_plain
from experiments.store.ledger import Event, Exposure
from tests.experiments.observe.by_hand import Hand, agree, day_of, end_of, observe, observe_in_memory
from tests.experiments.observe.logs import DAY, HOUR, NOON, did, question, shown

LARGE = {"attribute": "size", "operator": "gt", "value": 2}
PLAIN = {"not": {"attribute": "colour", "operator": "in", "value": ["red", "blue"]}}

METRICS: list[dict[str, Any]] = [
    {"key": "buys", "kind": "proportion", "event": "buy"},
    {"key": "buys_twice", "kind": "proportion", "event": "buy", "at_least": 2, "window": "3d"},
    {"key": "spend", "kind": "mean", "event": "buy", "cap": {"quantile": 0.8}},
    {"key": "orders", "kind": "mean", "event": "buy", "aggregation": "count", "scale": 0.5},
    {"key": "order_value", "kind": "ratio", "numerator": "spend", "denominator": "orders"},
    {"key": "soon", "kind": "ratio", "numerator": "spend_soon", "denominator": "buys_twice"},
    {"key": "largest", "kind": "mean", "event": "buy", "aggregation": "max", "value": "price"},
    {"key": "latest", "kind": "mean", "event": "buy", "aggregation": "last", "window": "4d"},
    {"key": "days", "kind": "mean", "aggregation": "days"},
    {"key": "sessions", "kind": "mean", "aggregation": "sessions", "window": "5d"},
    {"key": "colours", "kind": "mean", "event": "visit", "aggregation": "count_distinct", "value": "colour"},
    {"key": "large", "kind": "mean", "event": "buy", "value": "price", "where": LARGE},
    {"key": "plain", "kind": "proportion", "event": "visit", "where": PLAIN},
    {"key": "d2", "kind": "retention", "event": "visit", "from": "1d", "to": "3d"},
    {"key": "lost", "kind": "retention", "from": "12h", "to": "4d", "lost": True},
    {"key": "path", "kind": "funnel", "steps": ["visit", "cart", "buy"], "window": "4d"},
    {"key": "path_ever", "kind": "funnel", "steps": ["visit", "buy"]},
    {"key": "until", "kind": "time_to_event", "event": "buy", "window": "5d"},
    {"key": "typical", "kind": "quantile", "event": "buy", "value": "price", "quantile": 0.5},
    {"key": "whole", "kind": "quantile", "event": "buy", "quantile": 0.75, "per": "unit", "window": "3d"},
    {"key": "never", "kind": "mean", "event": "never"},
]
OTHERS = [{"key": "spend_soon", "kind": "mean", "event": "buy", "window": "2d"}]

units = st.sampled_from(["a", "b", "c", "d", "e"])
times = st.integers(-3 * DAY, 6 * DAY) | st.integers(-4, 12).map(lambda n: n * DAY // 2) | st.just(HOUR)
properties = st.fixed_dictionaries(
    {},
    optional={
        "price": st.sampled_from([1, 2.5, -3.0, "7.25", "dear", 1e300, True]),
        "size": st.sampled_from([1, 3, "4", "large"]),
        "colour": st.sampled_from(["red", "green", 'o"k', "größe"]),
        "channel": st.sampled_from(["mail", "search"]),
    },
).map(json.dumps)
exposures = st.builds(
    shown,
    units,
    st.sampled_from(["old", "new", "new"]),
    st.integers(-DAY, 2 * DAY) | st.just(0),
    attributes=st.sampled_from([None, '{"country":"NO"}', '{"country":"SE","vip":true}']),
    mark=st.sampled_from([None, None, None, None, "override"]),
)
events = st.builds(
    did,
    units,
    st.sampled_from(["buy", "buy", "visit", "cart", "other"]),
    times,
    st.none() | st.sampled_from([0.0, 1.5, -2.0, 100.0]),
    properties=st.none() | properties,
)


BY_KEY = {each["key"]: each for each in (*METRICS, *OTHERS)}
PAIRS = {"order_value": ("spend", "orders"), "soon": ("spend_soon", "buys_twice")}


def asked(*keys: str, **changes: Any) -> Question:
    """A question about some of the metrics, with everything that can be asked beside them."""
    named = ["buys", *(key for key in keys if key != "buys")]
    parts = [part for key in named for part in PAIRS.get(key, ())] + ["plain"]
    plan: dict[str, Any] = {
        "back": 2 * DAY,
        "also": ("plain",),
        "others": [MetricDraft.model_validate(BY_KEY[key]) for key in parts if key not in named],
        "segments": ("country", "vips", "lifecycle", "rfm"),
        "saved": {"vips": condition_from_json({"attribute": "vip", "operator": "eq", "value": True})},
        "aged": frozenset({"spend", "buys"}),
        "channel": "channel",
    }
    return question([BY_KEY[key] for key in named], **{**plan, **changes})


questions = st.builds(
    lambda keys, **changes: asked(*keys, **changes),
    st.lists(st.sampled_from([each["key"] for each in METRICS]), min_size=2, max_size=3, unique=True),
    segments=st.sampled_from([(), ("country", "rfm"), ("vips", "lifecycle")]),
    channel=st.sampled_from([None, "channel"]),
    horizon=st.sampled_from([NOON + 10 * DAY, NOON + 3 * DAY]),
    back=st.sampled_from([0, 2 * DAY]),
    bots=st.sampled_from([None, Bots(events_per_day=3)]),
)


PLAIN_KEYS = ("spend", "orders", "order_value", "soon", "largest", "large", "plain", "d2", "lost", "never")
plain_questions = st.builds(
    lambda keys, **changes: asked(*keys, channel=None, **changes),
    st.lists(st.sampled_from(PLAIN_KEYS), min_size=2, max_size=4, unique=True),
    segments=st.sampled_from([(), ("country", "rfm"), ("vips", "lifecycle", "country")]),
    also=st.sampled_from([(), ("plain",)]),
    horizon=st.sampled_from([NOON + 10 * DAY, NOON + 3 * DAY]),
    back=st.sampled_from([0, 2 * DAY]),
    aged=st.sampled_from([frozenset({"spend", "buys"}), frozenset({"buys", "order_value", "largest"})]),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(plain_questions, st.lists(exposures, max_size=9), st.lists(events, max_size=24))
def test_a_plain_question_is_counted_in_memory_as_by_hand(
    asked: Question, exposures: list[Exposure], events: list[Event]
) -> None:
    assert is_plain(asked)
    agree_on_everything(Hand(asked, exposures, events), observe_in_memory(asked, exposures, events))


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(questions, st.lists(exposures, max_size=9), st.lists(events, max_size=24))
@example(asked("spend"), [shown("a"), shown("b", "old")], [did("a", at=0, value=1.5), did("b", at=-HOUR)])
def test_every_kind_is_what_a_person_would_count(
    asked: Question, exposures: list[Exposure], events: list[Event]
) -> None:
    hand = Hand(asked, exposures, events)
    for seen in (observe(asked, exposures, events), observe_in_memory(asked, exposures, events)):
        agree_on_everything(hand, seen)


def agree_on_everything(hand: Hand, seen: Observation) -> None:
    asked = hand.asked
    for metric in asked.metrics:
        old_enough = hand.matured(metric)
        assert seen.immature[metric.key] == len(hand.kept) - len(old_enough)
        if metric.kind == "quantile":
            agree_on_quantile(hand, metric, seen.quantiles[metric.key])
            continue
        for variant in asked.variants:
            mine = [unit for unit in old_enough if hand.kept[unit][0] == variant]
            agree(seen.moments[metric.key].get(variant), hand.rows(metric, mine))
            agree_by_day(hand, metric, mine, seen.daily[metric.key].get(variant, ()))
        assert seen.quality.unreadable.get(metric.key, 0) == hand.unreadable(metric)
    agree_on_stages(hand, seen)
    agree_on_cuts(hand, seen)
    agree_on_lifetable(hand, seen)
    agree_on_ages(hand, seen)
    agree_on_credits(hand, seen)


def agree_on_quantile(hand: Hand, metric: MetricDraft, seen: Any) -> None:
    quantile = metric.quantile or 0
    for variant in hand.asked.variants:
        drawn = hand.values(metric, variant)
        if not drawn:
            assert variant not in seen
            continue
        values = np.array([value for _, value in drawn])
        step = 1.959963984540054 * math.sqrt(quantile * (1 - quantile) / len(values))
        levels = [quantile, max(0.0, quantile - step), min(1.0, quantile + step)]
        found = seen[variant]
        assert found.values == len(values)
        np.testing.assert_allclose(
            (found.value, found.low, found.high), np.quantile(values, levels), atol=1e-12
        )
        per_unit = {
            unit: (sum(v <= found.value for u, v in drawn if u == unit), sum(u == unit for u, _ in drawn))
            for unit, _ in drawn
        }
        agree(found.below, [list(map(float, each)) for each in per_unit.values()])


def agree_by_day(hand: Hand, metric: MetricDraft, mine: list[str], days: Any) -> None:
    for each in days:
        end, span = end_of(each.day), hand.span(metric)
        counted = [unit for unit in mine if day_of(hand.kept[unit][1] + span) <= each.day]
        rows = hand.rows(metric, counted, end if hand.asked.grows(metric) else math.inf)
        agree(each.moments, rows)


def agree_on_stages(hand: Hand, seen: Any) -> None:
    stages = {stage.name: sum(stage.units.values()) for stage in seen.stages}
    reasons = list(hand.left_out.values())
    left = len(hand.kept) + len(reasons)
    assert stages["recorded"] == left
    for name, reason in (
        ("exposed", "unexposed"),
        ("not_override", "override"),
        ("not_bot", "bot"),
        ("not_crossed", "crossover"),
    ):
        left -= reasons.count(reason)
        assert stages[name] == left
    assert stages["matured"] == len(hand.matured(hand.asked.metrics[0]))
    assert seen.excluded["crossover"] == reasons.count("crossover")
    assert seen.excluded["override"] == reasons.count("override")


def agree_on_cuts(hand: Hand, seen: Any) -> None:
    buys = hand.asked.metrics[0]
    found = {(cut.segment, cut.value): cut for cut in seen.cuts}
    expected: dict[tuple[str, str | None], list[str]] = {}
    for unit, (_, first) in hand.kept.items():
        for name, value in traits(hand, unit, first).items():
            if name not in hand.asked.segments:
                continue
            expected.setdefault((name, value), []).append(unit)
    assert {key: sum(cut.units.values()) for key, cut in found.items()} == {
        key: len(members) for key, members in expected.items()
    }
    for key, members in expected.items():
        for variant in hand.asked.variants:
            mine = [unit for unit in members if hand.kept[unit][0] == variant]
            agree(found[key].moments.get("buys", {}).get(variant), hand.rows(buys, mine))


def traits(hand: Hand, unit: str, first: int) -> dict[str, str | None]:
    met = [each for each in hand.exposures if each.user_id == unit and each.occurred_at == first]
    attributes = [json.loads(each.attributes or "{}") for each in met]
    countries = sorted(each["country"] for each in attributes if "country" in each)
    before = [each for each in hand.of(unit) if each.occurred_at < first]
    last = max((each.occurred_at - first for each in before), default=None)
    letters = ""
    if last is not None:
        letters += "R" if last >= -14 * DAY else ""
        letters += "F" if len(before) >= 4 else ""
        letters += "M" if sum(each.value or 0 for each in before) > 0 else ""
    return {
        "country": countries[0] if countries else None,
        "vips": min("true" if each.get("vip") is True else "false" for each in attributes),
        "lifecycle": "new" if last is None else "active",
        "rfm": "new" if last is None else letters or "none",
    }


def agree_on_lifetable(hand: Hand, seen: Any) -> None:
    metric = next((each for each in hand.asked.metrics if each.kind == "time_to_event"), None)
    if metric is None:
        return
    window, grid = 5 * DAY, 5 * DAY // 1_000
    for variant in hand.asked.variants:
        counted: dict[int, list[int]] = {}
        for unit, (where, first) in hand.kept.items():
            if where != variant:
                continue
            hits = hand.hits(metric, unit)
            time = hits[0].occurred_at - first if hits else min(window, hand.asked.horizon - first)
            counted.setdefault(time // grid * grid, [0, 0])[0 if hits else 1] += 1
        table = seen.lifetables["until"].get(variant)
        if not counted:
            assert table is None
            continue
        assert dict(zip(table.times, zip(table.events, table.censored, strict=True), strict=True)) == {
            time: tuple(each) for time, each in counted.items()
        }


def agree_on_ages(hand: Hand, seen: Any) -> None:
    orders = next(each for each in hand.asked.metrics if each.key == "buys")
    for variant in hand.asked.variants:
        mine = [unit for unit, (where, _) in hand.kept.items() if where == variant]
        for age in seen.ages["buys"].get(variant, ()):
            lived = [unit for unit in mine if hand.kept[unit][1] + (age.day + 1) * DAY <= hand.asked.horizon]
            rows, active = [], 0
            for unit in lived:
                start = hand.kept[unit][1] + age.day * DAY
                today = [each for each in hand.of(unit) if start <= each.occurred_at < start + DAY]
                active += bool(today)
                rows.append([float(any(each.event == orders.event for each in today))])
            agree(age.moments, rows)
            assert age.active == active


def agree_on_credits(hand: Hand, seen: Any) -> None:
    """Whatever the rule, every conversion is credited once."""
    if hand.asked.channel is None:
        return
    sales = {
        variant: sum(
            len(hand.hits(hand.asked.metrics[0], unit))
            for unit, (where, _) in hand.kept.items()
            if where == variant
        )
        for variant in hand.asked.variants
    }
    for variant, number in sales.items():
        for rule in ("first", "last", "linear", "time_decay", "position"):
            credited = [each for each in seen.credits if (each.rule, each.variant) == (rule, variant)]
            assert math.fsum(each.conversions for each in credited) == pytest.approx(number)


def test_credit_is_shared_among_the_touches_before_a_conversion() -> None:
    def touched(channel: str, at: int) -> Event:
        return did("u", "visit", at, properties=json.dumps({"channel": channel}))

    week = 7 * DAY
    log = [touched("a", -week), touched("b", 0), touched("c", 0), touched("d", 0), did("u", at=0, value=10.0)]
    seen = observe(asked(), [shown("u")], log)
    shares = {(each.rule, each.channel): (each.conversions, each.value) for each in seen.credits}
    assert shares["first", "a"] == (1.0, 10.0)
    assert shares["last", "d"] == (1.0, 10.0)
    assert shares["linear", "b"] == pytest.approx((0.25, 2.5))
    assert shares["position", "a"] == pytest.approx((0.4, 4.0))
    assert shares["position", "b"] == pytest.approx((0.1, 1.0))
    assert shares["time_decay", "a"] == pytest.approx((0.5 / 3.5, 5 / 3.5))


def test_a_conversion_without_a_touch_is_owed_to_no_channel() -> None:
    seen = observe(asked(), [shown("u")], [did("u", value=3.0)])
    assert {(each.rule, each.channel, each.conversions) for each in seen.credits} == {
        (rule, "", 1.0) for rule in ("first", "last", "linear", "time_decay", "position")
    }


def test_a_unit_with_very_many_events_costs_no_more_than_they_are() -> None:
    busy = [did("u", "buy" if n % 2 else "visit", n, properties='{"channel":"mail"}') for n in range(400)]
    seen = observe(asked("orders", segments=()), [shown("u"), shown("v", "old")], busy)
    assert seen.moments["orders"]["new"].mean[0] == 100.0
    assert [each.conversions for each in seen.credits if each.rule == "linear"] == [pytest.approx(200)]


def test_a_rare_value_of_a_segment_joins_the_remainder() -> None:
    records = [shown(f"u{n}", attributes=json.dumps({"country": f"c{n % 30:02}"})) for n in range(45)]
    seen = observe(asked(segments=("country",)), records, [])
    assert {cut.value: sum(cut.units.values()) for cut in seen.cuts if cut.value in ("c00", "…")} == {
        "c00": 2,
        "…": 10,
    }
    assert len(seen.cuts) == 21


def test_units_known_by_another_id_are_recorded_and_not_exposed() -> None:
    seen = observe(asked(), [shown("u"), shown(None, "old", anonymous_id="x")], [])
    stages = {stage.name: dict(stage.units) for stage in seen.stages}
    assert (stages["recorded"], stages["exposed"]) == ({"old": 1, "new": 1}, {"old": 0, "new": 1})


def test_robots_by_their_attributes_are_left_out_and_counted() -> None:
    robot = condition_from_json({"attribute": "agent", "operator": "contains", "value": "bot"})
    records = [shown("u", attributes='{"agent":"a bot"}'), shown("v", attributes="{}"), shown("w")]
    seen = observe(asked(bots=Bots(where=robot)), records, [])
    assert (seen.units["new"], seen.excluded["bot"]) == (2, 1)


def test_records_of_the_future_are_counted_and_left_out() -> None:
    seen = observe(
        asked(horizon=NOON),
        [shown("u"), shown("v", at=1)],
        [did("u", at=0), did("u", at=5), did("u", "x", 5)],
    )
    assert (seen.units["new"], seen.quality.future, seen.quality.exposures) == (1, 2, 1)


def test_nothing_at_all_is_an_answer_for_every_kind() -> None:
    seen = observe(asked(*(each["key"] for each in METRICS), segments=("country",)), [], [])
    assert set(seen.moments) == {each["key"] for each in METRICS}
    assert all(moments == {} for moments in seen.moments.values())
    assert (seen.quantiles, seen.lifetables) == ({"typical": {}, "whole": {}}, {"until": {}})
    assert not seen.cuts
    assert not seen.credits
