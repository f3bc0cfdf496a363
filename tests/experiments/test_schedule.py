from datetime import timedelta

import pytest

from assignment import BUCKETS
from experiments import launch
from experiments.allotment import allotments, standings
from experiments.definition import Definitions
from experiments.schedule import schedule_of
from experiments.store import Store
from tests.samples import DAY, NOW, experiment, metric

WINDOW = {"since": NOW - 30 * DAY, "until": NOW + 30 * DAY}


@pytest.fixture
def shop(store: Store) -> Store:
    document = {
        "metrics": [metric(), metric("refund")],
        "layers": [{"key": "checkout"}, {"key": "unused"}],
        "holdouts": [{"key": "2026", "share": 500}],
        "experiments": [
            experiment("left", layer="checkout", slots=[[0, 3_000]], plan={"days": 7}),
            experiment("right", layer="checkout", slots=[[6_000, 8_000]]),
            experiment("later", layer="checkout", slots=[[2_000, 4_000]], status="draft"),
            experiment("alone", metrics={"primary": ["refund"]}, holdouts=[]),
            experiment("devices", unit="anonymous_id"),
            experiment("outside", assignment="external"),
            experiment(
                "past",
                starts=(NOW - 90 * DAY).isoformat(),
                ends=(NOW - 60 * DAY).isoformat(),
                status="stopped",
            ),
            experiment("someday", status="draft", starts=(NOW + 5 * DAY).isoformat()),
        ],
    }
    with store.write() as session:
        file = Definitions.model_validate(document)
        launch.apply(session=session, definitions=file, actor="ada", now=NOW)
    return store


def test_lanes_hold_what_runs_in_the_window_layer_by_layer(shop: Store) -> None:
    with shop.read() as session:
        schedule = schedule_of(session=session, **WINDOW)
    lanes = {lane.layer: [span.experiment.key for span in lane.spans] for lane in schedule.lanes}
    assert lanes == {"checkout": ["left", "right"], "": ["alone", "devices", "outside", "someday"]}
    ends = {span.experiment.key: span.end for lane in schedule.lanes for span in lane.spans}
    assert ends["left"] == NOW + 7 * DAY
    assert ends["right"] is None


def test_only_those_meet_that_can_share_a_unit(shop: Store) -> None:
    with shop.read() as session:
        overlaps = schedule_of(session=session, **WINDOW).overlaps
    met = {frozenset((each.one.key, each.other.key)) for each in overlaps}
    assert frozenset(("left", "right")) not in met, "one layer"
    assert frozenset(("left", "alone")) in met
    assert frozenset(("left", "someday")) in met, "it begins before the other ends"
    assert not any({"devices", "outside"} & pair for pair in met), "other units, or not ours to assign"
    assert overlaps[0].metrics == ("purchase",), "the same goal comes first"


def test_a_layer_is_laid_out_from_its_first_bucket_to_its_last(shop: Store) -> None:
    with shop.read() as session:
        checkout, unused = allotments(session=session)
    assert [(b.start, b.end, b.experiment.key if b.experiment else None) for b in checkout.blocks] == [
        (0, 3_000, "left"),
        (3_000, 6_000, None),
        (6_000, 8_000, "right"),
        (8_000, 10_000, None),
    ]
    assert checkout.free == 5_000
    assert [each.key for each in checkout.waiting] == ["later"]
    assert unused.free == BUCKETS


def test_a_holdout_names_those_that_really_honour_it(shop: Store) -> None:
    with shop.read() as session:
        [standing] = standings(session=session)
    assert {each.key for each in standing.experiments} == {"devices", "left", "right"}


def test_what_ended_before_the_window_is_not_in_it(shop: Store) -> None:
    with shop.read() as session:
        early = schedule_of(session=session, since=NOW - 80 * DAY, until=NOW - 70 * DAY)
        between = schedule_of(session=session, since=NOW - 50 * DAY, until=NOW - timedelta(days=40))
    assert [span.experiment.key for lane in early.lanes for span in lane.spans] == ["past"]
    assert between.lanes == ()
