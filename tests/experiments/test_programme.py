from typing import Any

import pytest
from sqlmodel import Session

from experiments import conclusions, launch
from experiments.choices import Choice, RetrospectiveDraft, parse_conclusion
from experiments.programme import programme_of
from experiments.registry import Metric
from experiments.retrospectives import look_back
from experiments.store import Store
from experiments.timeline import timeline_of
from tests import samples
from tests.web import scenes
from tests.web.scenes import NOW, START, stage


def conclude(session: Session, key: str, choice: str, **fields: Any) -> None:
    draft = parse_conclusion({"choice": choice, "learning": "So.", "reason": "So.", **fields})
    conclusions.conclude(session=session, key=key, draft=draft, actor="ada", now=NOW)


def test_an_empty_programme_claims_nothing(store: Store) -> None:
    with store.read() as session:
        programme = programme_of(session=session, now=NOW)
    assert programme.concluded == 0
    assert programme.wins is None
    assert not programme.effects
    assert not programme.impacts
    assert programme.days is None
    assert len(programme.months) == 12
    assert programme.months[-1].first.isoformat() == "2026-03-01"


def test_effects_are_shrunk_and_only_what_was_shipped_adds_up(store: Store) -> None:
    stage(store, scenes.WON, scenes.HARM, scenes.NOTHING, scenes.VETERANS)
    with store.write() as session:
        conclude(session, "checkout-onepage", "ship", variant="treatment", rollout=5_000)
        conclude(session, "harm", "roll_back")
        conclude(session, "nothing", "stop")
        conclude(session, "veterans", "stop")
        look_back(
            session=session,
            key="checkout-onepage",
            draft=RetrospectiveDraft(held="yes"),
            actor="ada",
            now=NOW,
        )
        programme = programme_of(session=session, now=NOW)
    assert programme.outcomes == {Choice.SHIP: 1, Choice.ROLL_BACK: 1, Choice.STOP: 2}
    assert programme.wins is not None
    assert programme.wins.estimate == 0.25
    assert {each.experiment for each in programme.effects} == {"checkout-onepage", "harm", "nothing"}
    best = programme.effects[0]
    assert best.experiment == "checkout-onepage"
    assert 0 < best.expected.estimate < best.measured.estimate
    [impact] = programme.impacts
    assert impact.metric == "paid"
    assert impact.measured == pytest.approx(0.5 * best.measured.estimate)
    assert impact.expected == pytest.approx(0.5 * best.expected.estimate)
    assert programme.held == {"yes": 1}
    assert programme.months[-1].concluded == 4
    assert programme.months[-1].started == 4
    assert programme.guarded == (2, 4)


def test_a_metric_that_should_fall_counts_its_fall_as_a_gain(store: Store) -> None:
    arms = {"refund": {"control": scenes.counted(900, 20_000), "treatment": scenes.counted(700, 20_000)}}
    less = scenes.Scene("less", {"control": 20_000, "treatment": 20_000}, arms)
    stage(store, less, scenes.NOTHING)
    with store.write() as session:
        conclude(session, "less", "ship", variant="treatment")
        conclude(session, "nothing", "stop")
        best = programme_of(session=session, now=NOW).effects[0]
    assert best.experiment == "less"
    assert best.measured.estimate > 0.1


def test_coverage_counts_the_roles_of_a_metric(store: Store) -> None:
    stage(store, scenes.ONE_PAGE, scenes.HARM)
    with store.read() as session:
        rows = programme_of(session=session, now=NOW).coverage

    def row(key: str) -> tuple[int, int, int, int]:
        [found] = [each for each in rows if each.metric.key == key]
        assert isinstance(found.metric, Metric)
        return found.primary, found.guardrail, found.secondary, found.running

    assert row("paid") == (2, 0, 0, 2)
    assert row("refund") == (0, 2, 0, 2)
    assert row("revenue") == (0, 0, 1, 1)
    assert row("ctr") == (0, 0, 0, 0)


def test_the_timeline_names_the_very_fields_that_changed(store: Store) -> None:
    samples.apply(store, samples.experiment(plan={"days": 7}))
    with store.write() as session:
        changed = samples.draft(plan={"days": 7}, traffic=10_000, name="Cart", tags=["shop"])
        launch.edit(session=session, draft=changed, actor="bo", now=NOW)
        edited, started, created = timeline_of(session=session, key="checkout")
    assert (edited.actor, edited.action) == ("bo", "edit")
    assert {each.field: (each.before, each.after) for each in edited.changes} == {
        "name": ("", "Cart"),
        "tags": ([], ["shop"]),
    }
    assert (started.action, created.action) == ("running", "create")
    assert started.changes == created.changes == ()
    assert START < NOW
