from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from analysis import Recommendation, Verdict
from analysis.readout import Ground
from experiments import conclusions, launch
from experiments.catalog import find_experiment
from experiments.choices import Choice, ConclusionDraft, RetrospectiveDraft, follows, parse_conclusion
from experiments.concluded import Conclusion
from experiments.errors import Conflict, InvalidInput, NotAllowed, NotFound
from experiments.learnings import search_learnings
from experiments.publishing import latest_ruleset
from experiments.readouts import latest
from experiments.retrospectives import (
    RETROSPECTIVE_AFTER,
    finish_follow_up,
    follow_ups_due,
    look_back,
    retrospectives_due,
)
from experiments.store import Store
from tests import samples
from tests.samples import DAY
from tests.web import scenes
from tests.web.scenes import NOW, stage

SHIP = {"choice": "ship", "variant": "treatment", "learning": "One page sells more."}


def conclude(session: Session, key: str = "checkout-onepage", **fields: Any) -> Conclusion:
    draft = parse_conclusion({**SHIP, **fields})
    return conclusions.conclude(session=session, key=key, draft=draft, actor="ada", now=NOW)


def places(store: Store, key: str = "checkout-onepage", **fields: Any) -> list[str]:
    with pytest.raises(InvalidInput) as refused, store.write() as session:
        conclude(session, key, **fields)
    return [each.place for each in refused.value.problems]


def test_shipping_ends_the_experiment_and_gives_everybody_the_variant(store: Store) -> None:
    stage(store, scenes.WON)
    with store.write() as session:
        conclusion = conclude(session, rollout=5_000, holdout=500)
        experiment = find_experiment(session=session, key="checkout-onepage")
        seen = latest(session=session, key="checkout-onepage")
    assert (experiment.status, experiment.shipped) == ("concluded", "treatment")
    assert seen is not None
    assert conclusion.snapshot == seen.id
    assert conclusion.recommendation == "ship"
    assert (conclusion.rollout, conclusion.holdout) == (5_000, 500)


def test_a_running_experiment_of_ours_is_stopped_and_rolled_back_in_the_rules(store: Store) -> None:
    samples.apply(store, samples.experiment())
    with store.write() as session:
        conclude(session, "checkout", choice="roll_back", reason="It broke the cart.")
        rule = latest_ruleset(session=session).rules["checkout"]
    assert rule.state == "stopped"
    assert rule.shipped is None


def test_the_snapshot_that_was_seen_is_kept_though_a_newer_one_came(store: Store) -> None:
    stage(store, scenes.WON)
    with store.read() as session:
        seen = latest(session=session, key="checkout-onepage")
    stage(store, scenes.WON)
    assert seen is not None
    with store.write() as session:
        assert conclude(session, snapshot=seen.id).snapshot == seen.id
    stage(store, scenes.TOUCH)
    assert places(store, "touch", snapshot=seen.id, variant="B") == ["snapshot"]


def test_a_decision_that_departs_from_the_verdict_needs_its_reason(store: Store) -> None:
    stage(store, scenes.WON, scenes.VETERANS)
    assert places(store, choice="stop") == ["reason"]
    assert places(store, variant="control") == ["reason"]
    assert places(store, "veterans", choice="ship", variant="B") == ["reason"]
    with store.write() as session:
        conclusion = conclude(session, choice="stop", reason="We leave this market.")
    assert conclusion.reason == "We leave this market."


def test_what_is_missing_is_named_all_at_once(store: Store) -> None:
    stage(store, scenes.WON)
    assert places(store, variant="nobody", learning=" ") == ["variant", "learning", "reason"]
    assert places(store, choice="continue", until=NOW - DAY) == ["until", "reason"]


@pytest.mark.parametrize(
    ("recommendation", "codes", "choice", "agrees"),
    [
        ("ship", [], "ship", True),
        ("roll_back", [], "roll_back", True),
        ("roll_back", [], "ship", False),
        ("stop", [], "stop", True),
        ("keep_running", [], "continue", True),
        ("keep_running", ["your_call"], "continue", False),
        ("do_not_read", ["srm_failed"], "stop", False),
    ],
)
def test_a_decision_follows_the_verdict_or_departs(
    recommendation: str, codes: list[str], choice: str, agrees: bool
) -> None:
    grounds = tuple(Ground(code) for code in codes)
    verdict = Verdict(Recommendation(recommendation), "treatment", grounds)
    draft = ConclusionDraft(choice=Choice(choice), variant="treatment")
    assert follows(verdict, draft) is agrees
    assert not follows(None, draft)


def test_going_on_moves_the_end_and_starts_what_was_stopped(store: Store) -> None:
    stage(store, scenes.WON)
    later = NOW + 7 * DAY
    with store.write() as session:
        launch.stop(session=session, key="checkout-onepage", actor="ada", now=NOW)
        conclude(session, choice="continue", until=later, reason="One more week.", learning="")
        experiment = find_experiment(session=session, key="checkout-onepage")
        assert conclusions.going_on(session=session, now=NOW) == {"checkout-onepage"}
        assert conclusions.going_on(session=session, now=later) == frozenset()
        assert conclusions.ending_of(session=session, key="checkout-onepage") is None
    assert (experiment.status, experiment.definition.ends) == ("running", later)


def test_what_has_not_started_or_is_over_cannot_be_concluded(store: Store) -> None:
    samples.apply(store, samples.experiment("draft", status="draft"))
    stage(store, scenes.WON)
    with store.write() as session:
        conclude(session)
    for key in ("draft", "checkout-onepage"):
        with pytest.raises(NotAllowed), store.write() as session:
            conclude(session, key)


def test_a_decision_made_on_an_old_page_is_refused(store: Store) -> None:
    stage(store, scenes.WON)
    with pytest.raises(Conflict), store.write() as session:
        conclusions.conclude(
            session=session,
            key="checkout-onepage",
            draft=parse_conclusion(SHIP),
            actor="ada",
            now=NOW,
            revision=99,
        )
    with store.read() as session:
        assert conclusions.history_of(session=session, key="checkout-onepage") == []


def test_a_month_later_it_is_asked_once_whether_the_gain_held(store: Store) -> None:
    stage(store, scenes.WON, scenes.TOUCH)
    asked = NOW + RETROSPECTIVE_AFTER
    draft = RetrospectiveDraft(held="partly", note="Half of it.")
    with store.write() as session:
        conclude(session)
        conclude(session, "touch", choice="stop", reason="Enough.")
        assert retrospectives_due(session=session, now=asked - timedelta(minutes=1)) == []
        due = retrospectives_due(session=session, now=asked)
        assert [each.experiment for each in due] == ["checkout-onepage"]
        look_back(session=session, key="checkout-onepage", draft=draft, actor="bo", now=asked)
        assert retrospectives_due(session=session, now=asked) == []
        kept = conclusions.ending_of(session=session, key="checkout-onepage")
        with pytest.raises(Conflict):
            look_back(session=session, key="checkout-onepage", draft=draft, actor="bo", now=asked)
        with pytest.raises(NotAllowed):
            look_back(session=session, key="touch", draft=draft, actor="bo", now=asked)
    assert kept is not None
    assert kept.retrospective is not None
    assert (kept.retrospective.held, kept.retrospective.note) == ("partly", "Half of it.")


def test_follow_ups_are_due_until_they_are_done(store: Store) -> None:
    stage(store, scenes.WON)
    tasks = [
        {"task": "Delete the old pages", "owner": "bo", "due": NOW + DAY},
        {"task": "Tell the others"},
    ]
    with store.write() as session:
        conclude(session, follow_ups=tasks)
        assert follow_ups_due(session=session, by=NOW.date()) == []
        [(task, key)] = follow_ups_due(session=session, by=(NOW + DAY).date())
        assert (task.task, task.owner, key) == ("Delete the old pages", "bo", "checkout-onepage")
        finish_follow_up(session=session, id=task.id, now=NOW)
        assert follow_ups_due(session=session, by=(NOW + DAY).date()) == []
        with pytest.raises(NotFound):
            finish_follow_up(session=session, id=99, now=NOW)


def test_learnings_are_found_by_words_of_both_languages(store: Store) -> None:
    stage(store, scenes.WON, scenes.TOUCH)
    with store.write() as session:
        conclude(session, learning="合并结账页面能减少流失，提升支付转化。")
        conclude(session, "touch", variant="B", learning="100% of_the gain is \\ in the verb.")

        def found(text: str = "", **narrowed: Any) -> list[str]:
            shelf = search_learnings(session=session, text=text, **narrowed)
            assert shelf.count == len(shelf.conclusions)
            return [each.experiment for each in shelf.conclusions]

        assert found() == ["touch", "checkout-onepage"]
        assert found("减少流失") == ["checkout-onepage"]
        assert found("CHECKOUT steps") == ["checkout-onepage"]
        assert found("100%") == ["touch"]
        assert found("f_t") == ["touch"]
        assert found("o_t") == []
        assert found("\\") == ["touch"]
        assert found("steps verb") == []
        assert found(outcome=Choice.STOP) == []
        assert found(metric="paid") == ["checkout-onepage"]
        shelf = search_learnings(session=session, page=2)
        assert (shelf.conclusions, shelf.count) == ((), 2)
