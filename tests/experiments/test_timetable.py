"""Scheduled starts and ends: nothing happens before its time, and everything can be taken back."""

from datetime import timedelta
from typing import Any

import pytest

from assignment import Decision, decide
from experiments import approvals, audit, launch, timetable
from experiments.attention import Need, gather
from experiments.catalog import Experiment, find_experiment, require_row
from experiments.definition import LayerDraft
from experiments.eligibility import save_layer
from experiments.errors import InvalidInput, NotAllowed
from experiments.lifecycle import Status
from experiments.project import ProjectDraft, save_project
from experiments.publishing import latest_ruleset
from experiments.schedule import schedule_of
from experiments.store import Store
from tests.samples import DAY, NOW, apply, draft, experiment

SOON = NOW + timedelta(hours=3)


def stand(store: Store, key: str = "checkout") -> Experiment:
    with store.read() as session:
        return find_experiment(session=session, key=key)


def keep(store: Store, now: Any) -> list[Status]:
    """Do what is due at a moment."""
    with store.write() as session:
        keys = timetable.due(session=session, now=now)
        return [timetable.keep_time(session=session, key=key, now=now) for key in keys]


def decided(store: Store, unit: str = "alice@example.com") -> Decision:
    with store.read() as session:
        return decide(latest_ruleset(session=session), "checkout", unit=unit)


def test_a_later_start_is_scheduled_and_gives_the_controls_value_until_then(store: Store) -> None:
    apply(store, experiment(starts=SOON.isoformat()))
    assert stand(store).status is Status.SCHEDULED
    assert stand(store).started_at is None
    assert (decided(store).value, decided(store).detail) == ("v1", "not_running")
    assert keep(store, SOON - timedelta(seconds=1)) == []


def test_it_starts_by_itself_when_its_time_has_come(store: Store) -> None:
    apply(store, experiment(starts=SOON.isoformat()))
    assert keep(store, SOON) == [Status.RUNNING]
    assert keep(store, SOON) == []
    assert stand(store).started_at == SOON
    assert decided(store).in_experiment
    with store.read() as session:
        told = [(each.actor, each.action) for each in audit.history(session=session, object="checkout")]
    assert (timetable.ACTOR, "running") in told


def test_it_stops_by_itself_only_where_that_is_meant(store: Store) -> None:
    ending = {"ends": SOON.isoformat()}
    apply(store, experiment(**ending, stops_at_end=True), experiment("goes-on", **ending))
    assert keep(store, SOON - timedelta(seconds=1)) == []
    assert keep(store, SOON) == [Status.STOPPED]
    assert (stand(store).status, stand(store).stopped_at) == (Status.STOPPED, SOON)
    assert stand(store, "goes-on").status is Status.RUNNING


def test_stopping_by_itself_needs_an_end() -> None:
    with pytest.raises(ValueError, match="ends: expected the moment"):
        draft(stops_at_end=True)


def test_a_scheduled_start_can_be_cancelled_and_made_again(store: Store) -> None:
    apply(store, experiment(starts=SOON.isoformat()))
    with store.write() as session:
        assert launch.cancel(session=session, key="checkout", actor="ada", now=NOW).status is Status.DRAFT
    assert keep(store, SOON) == []
    with store.write() as session, pytest.raises(NotAllowed):
        launch.cancel(session=session, key="checkout", actor="ada", now=NOW)
    with store.write() as session:
        again = launch.start(session=session, key="checkout", actor="ada", now=NOW)
    assert again.status is Status.SCHEDULED


def test_a_change_takes_the_scheduled_start_back(store: Store) -> None:
    apply(store, experiment(starts=SOON.isoformat()))
    changed = draft(starts=SOON.isoformat(), name="Other")
    with store.write() as session:
        launch.edit(session=session, draft=changed, actor="ada", now=NOW)
    assert stand(store).status is Status.DRAFT
    assert keep(store, SOON) == []


def test_applying_the_same_file_leaves_it_scheduled_and_a_changed_one_schedules_it_anew(store: Store) -> None:
    apply(store, experiment(starts=SOON.isoformat()))
    before = stand(store).revision
    apply(store, experiment(starts=SOON.isoformat()))
    assert (stand(store).status, stand(store).revision) == (Status.SCHEDULED, before)
    apply(store, experiment(starts=(SOON + DAY).isoformat()))
    assert stand(store).status is Status.SCHEDULED
    assert keep(store, SOON) == []


def test_a_start_that_has_become_impossible_is_taken_back_with_its_reason(store: Store) -> None:
    with store.write() as session:
        save_layer(session=session, draft=LayerDraft(key="pricing"), actor="ada", now=NOW)
    apply(store, experiment(starts=SOON.isoformat(), segments=["vip"]))
    with store.write() as session:
        row = require_row(session=session, key="checkout")
        row.definition = row.definition.replace('"layer":null', '"layer":"gone"').replace(
            '"slots":[]', '"slots":[[0,10]]'
        )
        session.add(row)
    assert keep(store, SOON) == [Status.DRAFT]
    with store.read() as session:
        told = {each.action: each.after for each in audit.history(session=session, object="checkout")}
    assert "there is no layer 'gone'" in (told["not_started"] or "")
    with store.read() as session:
        asked = [(each.need, each.experiment.key) for each in gather(session=session, now=SOON)]
    assert asked == [(Need.NOT_STARTED, "checkout")]
    apply(store, experiment(status="draft"))
    with store.read() as session:
        assert gather(session=session, now=SOON) == []


def test_one_that_cannot_be_read_keeps_no_other_from_its_time(store: Store) -> None:
    starts = {"starts": SOON.isoformat()}
    apply(store, experiment("broken", **starts), experiment(**starts))
    with store.write() as session:
        row = require_row(session=session, key="broken")
        row.definition = "{}"
        session.add(row)
    assert keep(store, SOON) == [Status.RUNNING]
    assert stand(store).status is Status.RUNNING


def test_a_scheduled_experiment_holds_its_place(store: Store) -> None:
    with store.write() as session:
        save_layer(session=session, draft=LayerDraft(key="pricing"), actor="ada", now=NOW)
    apply(store, experiment(layer="pricing", slots=[[0, 5_000]], starts=SOON.isoformat()))
    with pytest.raises(Exception, match="checkout holds the buckets"):
        apply(store, experiment("other", layer="pricing", slots=[[4_000, 9_000]]))


def test_an_approval_given_before_scheduling_is_enough_at_the_start(store: Store) -> None:
    with store.write() as session:
        save_project(session=session, draft=ProjectDraft(approval=True), actor="ada", now=NOW)
    far = NOW + 10 * DAY
    apply(store, experiment(status="draft", starts=far.isoformat()))
    with store.write() as session, pytest.raises(NotAllowed):
        launch.start(session=session, key="checkout", actor="ada", now=NOW)
    with store.write() as session:
        launch.submit(session=session, key="checkout", actor="t", now=NOW)
        approvals.approve(session=session, key="checkout", actor="bo", now=NOW)
        launch.start(session=session, key="checkout", actor="t", now=NOW)
    assert keep(store, far) == [Status.RUNNING]


def test_the_calendar_knows_when_it_will_start(store: Store) -> None:
    apply(store, experiment(starts=SOON.isoformat(), plan={"days": 14}))
    with store.read() as session:
        found = schedule_of(session=session, since=NOW - DAY, until=NOW + 60 * DAY)
    (span,) = found.lanes[0].spans
    assert (span.start, span.end, span.certain) == (SOON, SOON + 14 * DAY, False)


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="later than starts"):
        draft(starts=SOON.isoformat(), ends=NOW.isoformat())


def test_missing_ground_is_told_when_it_is_scheduled(store: Store) -> None:
    with pytest.raises(InvalidInput):
        apply(store, experiment(starts=SOON.isoformat(), layer="gone", slots=[[0, 10]]))
