from dataclasses import replace
from datetime import timedelta

import pytest

from analysis.readout import Ground
from experiments import readouts
from experiments.errors import NotFound
from experiments.readouts import Snapshot
from experiments.store import Store
from tests.web.scenes import ONE_PAGE, START, TOUCH, Scene, stage


def newest(store: Store, scene: Scene) -> Snapshot:
    with store.read() as session:
        found = readouts.latest(session=session, key=scene.key)
    assert found is not None
    return found


def test_another_baseline_is_the_same_difference_seen_from_the_other_side(store: Store) -> None:
    stage(store, ONE_PAGE)
    snapshot = newest(store, ONE_PAGE)
    with store.read() as session:
        turned = readouts.against(session=session, snapshot=snapshot, control="treatment")
    planned, seen = snapshot.readout.finding("paid", "treatment"), turned.finding("paid", "control")
    assert planned is not None
    assert planned.difference is not None
    assert seen is not None
    assert seen.difference is not None
    assert seen.difference.estimate == pytest.approx(-planned.difference.estimate)
    assert (seen.difference.low, seen.difference.high) == pytest.approx(
        (-planned.difference.high, -planned.difference.low)
    )
    assert seen.p_value == pytest.approx(planned.p_value)


def test_any_treatment_is_read_against_any_other(store: Store) -> None:
    stage(store, TOUCH)
    with store.read() as session:
        readout = readouts.against(session=session, snapshot=newest(store, TOUCH), control="B")
        with pytest.raises(NotFound, match="'Z'"):
            readouts.against(session=session, snapshot=newest(store, TOUCH), control="Z")
    assert {(finding.variant, finding.control) for finding in readout.comparisons} == {
        ("A", "B"),
        ("C", "B"),
        ("D", "B"),
    }


def test_a_snapshot_is_found_under_its_own_experiment_only(store: Store) -> None:
    stage(store, ONE_PAGE, TOUCH)
    snapshot = newest(store, TOUCH)
    with store.read() as session:
        assert readouts.find_snapshot(session=session, key="touch", id=snapshot.id) == snapshot
        assert readouts.latest_id(session=session, key="touch") == snapshot.id
        assert readouts.latest_id(session=session, key="nowhere") is None
        with pytest.raises(NotFound):
            readouts.find_snapshot(session=session, key=ONE_PAGE.key, id=snapshot.id)


def test_of_each_day_the_last_readout_is_offered(store: Store) -> None:
    stage(store, TOUCH)
    first = newest(store, TOUCH)
    with store.write() as session:
        observation = readouts.observation_of(session=session, snapshot=first)
        for hours in (1, 2, 30):
            readout = replace(first.readout, as_of=first.readout.as_of + timedelta(hours=hours))
            readouts.keep(session=session, readout=readout, observation=observation)
        found = readouts.list_snapshots(session=session, key="touch")
        few = readouts.list_snapshots(session=session, key="touch", limit=1)
    assert [each.id - first.id for each in found] == [3, 2]
    assert found[0].as_of > found[1].as_of > START
    assert few == found[:1]


def test_a_ground_of_the_verdict_leaves_it_to_people_and_no_name_does(store: Store) -> None:
    stage(store, TOUCH)
    first = newest(store, TOUCH)
    verdict = first.readout.verdict
    left = replace(verdict, grounds=(*verdict.grounds, Ground("your_call")))
    readings = (replace(first.readout, verdict=left), replace(first.readout, version="your_call"))
    with store.write() as session:
        observation = readouts.observation_of(session=session, snapshot=first)
        for days, readout in enumerate(readings, 1):
            later = replace(readout, as_of=readout.as_of + timedelta(days=days))
            readouts.keep(session=session, readout=later, observation=observation)
        found = readouts.list_snapshots(session=session, key="touch")
    assert [each.left_to_people for each in found] == [False, True, False]
