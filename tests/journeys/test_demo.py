"""The demo: five real headline tests whose answers are known, and a synthetic shop whose effects are."""

import sqlite3
from typing import Any

import pytest

from experiments import demo_shop
from experiments.demo import HEADLINE_TESTS
from tests.journeys.conftest import Trip


@pytest.fixture(scope="module")
def demo(trip: Trip) -> Trip:
    trip.start("demo", "--no-serve")
    return trip


@pytest.fixture(scope="module")
def readouts(demo: Trip) -> dict[str, Any]:
    return {test.key: demo.json("readout", test.key) for test in HEADLINE_TESTS}


def counts(demo: Trip) -> list[tuple[int, ...]]:
    connection = sqlite3.connect(demo.data_dir / "evenhand.sqlite3")
    found = [
        connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
        for table in ("exposure", "event", "snapshot", "ruleset", "experiment", "phase")
    ]
    connection.close()
    return found


def better(document: Any) -> set[str]:
    return {row["variant"] for row in document["comparisons"] if row["reading"] == "better"}


def test_units_and_clicks_are_the_published_ones(readouts: dict[str, Any]) -> None:
    for test in HEADLINE_TESTS:
        document = readouts[test.key]
        assert document["units"] == {variant: shown for variant, (shown, _) in test.counts.items()}
        for row in document["comparisons"]:
            for side, variant in (("treatment", row["variant"]), ("control", row["control"])):
                shown, clicked = test.counts[variant]
                assert row[f"{side}_n"] == shown
                assert row[f"{side}_value"] == pytest.approx(clicked / shown, rel=1e-12)


def test_touch_says_that_b_and_c_beat_a_and_claims_nothing_for_d(readouts: dict[str, Any]) -> None:
    touch = readouts["touch"]
    assert better(touch) == {"B", "C"}
    assert touch["verdict"]["recommendation"] == "ship"
    assert touch["verdict"]["variant"] in ("B", "C")


def test_veterans_is_not_to_be_read(readouts: dict[str, Any]) -> None:
    veterans = readouts["veterans"]
    (srm,) = [check for check in veterans["checks"] if check["name"] == "srm"]
    assert veterans["verdict"]["recommendation"] == "do_not_read"
    assert not srm["passed"]
    assert srm["p_value"] == pytest.approx(2.43e-41, rel=0.01)


@pytest.mark.parametrize("key", ["third-grader", "getup"])
def test_where_chance_explains_everything_nothing_is_claimed(readouts: dict[str, Any], key: str) -> None:
    assert not any(row["significant"] for row in readouts[key]["comparisons"])
    assert readouts[key]["verdict"]["recommendation"] not in ("ship", "roll_back")
    assert readouts[key]["verdict"]["variant"] is None


def test_the_shop_finds_what_was_put_into_it_and_fills_every_part(demo: Trip) -> None:
    shop = demo.json("readout", demo_shop.KEY)
    lift = next(row["lift"] for row in shop["comparisons"] if row["metric"] == "purchase")
    assert lift["low"] < demo_shop.MORE_PAY - 1 < lift["high"]
    assert (shop["verdict"]["recommendation"], shop["verdict"]["variant"]) == ("ship", demo_shop.TREATMENT)
    assert sum(shop["units"].values()) == demo_shop.PEOPLE
    assert all(
        shop[part] for part in ("series", "split", "funnels", "segments", "returns", "mixes", "stages")
    )


def test_every_readout_can_be_computed_again(demo: Trip) -> None:
    for key in (*(test.key for test in HEADLINE_TESTS), demo_shop.KEY):
        demo.run("verify", key)


def test_running_it_twice_adds_nothing(demo: Trip) -> None:
    before = counts(demo)
    demo.run("demo", "--no-serve")
    assert counts(demo) == before


def test_a_demo_whose_readouts_were_lost_is_completed_from_the_same_data(demo: Trip) -> None:
    before = counts(demo)
    connection = sqlite3.connect(demo.data_dir / "evenhand.sqlite3")
    connection.execute("DELETE FROM snapshot WHERE experiment = 'george'")
    connection.commit()
    connection.close()
    demo.run("demo", "--no-serve")
    assert counts(demo) == before


def test_the_live_experiment_assigns(demo: Trip) -> None:
    decision = demo.json("assign", "checkout", "somebody")
    assert decision["detail"] == "assigned"
    assert decision["variant"] in ("three_pages", "one_page")
