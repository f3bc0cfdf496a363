from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from assignment import (
    BUCKETS,
    Detail,
    Holdout,
    Layer,
    Range,
    Rule,
    Ruleset,
    State,
    Variant,
    decide,
    slot_conflicts,
)

ARMS = (Variant("old", 1), Variant("new", 1))
UNITS = [f"user-{number}" for number in range(2_000)]


def rule(key: str, *slots: Range) -> Rule:
    return Rule(key, f"salt-of-{key}", "old", ARMS, layer="pricing", slots=slots)


def test_experiments_with_disjoint_slots_never_share_a_unit() -> None:
    rules = [
        rule("a", Range(0, 3_000)),
        rule("b", Range(3_000, 5_000), Range(8_000, 9_000)),
        rule("c", Range(9_000, 10_000)),
    ]
    ruleset = Ruleset(
        rules={each.key: each for each in rules}, layers={"pricing": Layer("pricing", "layer-1")}
    )
    seen = {each.key: 0 for each in rules}
    for unit in UNITS:
        inside = [key for key in ruleset.rules if decide(ruleset, key, unit=unit).in_experiment]
        assert len(inside) <= 1
        for key in inside:
            seen[key] += 1
    assert all(seen.values())
    assert slot_conflicts(rules) == ()


def test_overlapping_slots_are_reported_with_the_buckets_they_share() -> None:
    found = slot_conflicts([rule("a", Range(0, 3_000)), rule("b", Range(5_000, 6_000), Range(2_500, 4_000))])
    assert [(each.one, each.other, each.buckets) for each in found] == [("a", "b", Range(2_500, 3_000))]


def test_only_running_experiments_of_one_layer_conflict() -> None:
    a = rule("a", Range(0, 3_000))
    elsewhere = replace(rule("b", Range(0, 3_000)), layer="search")
    over = replace(rule("c", Range(0, 3_000)), state=State.STOPPED)
    shipped = replace(rule("d", Range(0, 3_000)), state=State.SHIPPED, shipped="new")
    assert slot_conflicts([a, elsewhere, over, shipped]) == ()


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)).map(sorted), max_size=6))
def test_a_conflict_is_found_whenever_a_bucket_is_held_twice(slots: list[list[int]]) -> None:
    rules = [rule(f"r{index}", Range(start, end)) for index, (start, end) in enumerate(slots)]
    held = [bucket for start, end in slots for bucket in range(start, end)]
    assert bool(slot_conflicts(rules)) == (len(set(held)) < len(held))


def test_the_units_of_a_holdout_appear_in_no_experiment() -> None:
    holdout = Holdout("year", "holdout-1", 2_000)
    rules = [Rule(f"e{number}", f"s{number}", "old", ARMS, holdouts=("year",)) for number in range(5)]
    ruleset = Ruleset(rules={each.key: each for each in rules}, holdouts={"year": holdout})
    held = [unit for unit in UNITS if holdout.keeps_out(unit)]
    assert 0.17 < len(held) / len(UNITS) < 0.23
    for unit in UNITS:
        details = {decide(ruleset, key, unit=unit).detail for key in ruleset.rules}
        assert details == ({Detail.HELD_OUT} if unit in held else {Detail.ASSIGNED})


def test_an_experiment_that_honours_no_holdout_ignores_it() -> None:
    everyone = Holdout("year", "holdout-1", 10_000)
    free = Rule("free", "s", "old", ARMS)
    assert decide(Ruleset(rules={"free": free}, holdouts={"year": everyone}), "free", unit="u").in_experiment


def test_a_layer_without_slots_lets_nobody_in() -> None:
    ruleset = Ruleset(rules={"a": rule("a")}, layers={"pricing": Layer("pricing", "layer-1")})
    assert {decide(ruleset, "a", unit=unit).detail for unit in UNITS[:50]} == {Detail.LAYER_EXCLUDED}


def test_a_layer_places_units_by_its_own_salt() -> None:
    assert Layer("pricing", "layer-1").position("user-7") == 4897
    assert 0 <= Layer("other", "layer-2").position("user-7") < BUCKETS
