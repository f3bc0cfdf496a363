from datetime import datetime, timedelta

import pytest

from experiments import catalog, launch, project, registry
from experiments.approvals import LIFETIME, approve, authors_of, find_approval
from experiments.errors import NotAllowed, Outdated
from experiments.project import ProjectDraft, find_project, save_project
from experiments.store import Store
from tests.samples import NOW, draft, metric_draft

LATER = timedelta(minutes=5)


@pytest.fixture
def strict(store: Store) -> Store:
    """A project in which starting takes two people, with a draft by Ada in review."""
    with store.write() as session:
        save_project(session=session, draft=ProjectDraft(approval=True), actor="Ada", now=NOW)
        registry.save_metric(session=session, draft=metric_draft(), actor="Ada", now=NOW)
        catalog.create_experiment(session=session, draft=draft(), actor="Ada", now=NOW)
        launch.submit(session=session, key="checkout", actor="Ada", now=NOW)
    return store


def start(store: Store, now: datetime = NOW) -> str:
    with store.write() as session:
        return launch.start(session=session, key="checkout", actor="Ada", now=now).status


def yes(store: Store, actor: str = "Bo") -> None:
    with store.write() as session:
        approve(session=session, key="checkout", actor=actor, now=NOW)


def test_starting_takes_a_second_person_where_the_project_asks_for_it(strict: Store) -> None:
    with pytest.raises(NotAllowed, match="has not been approved"):
        start(strict)
    with pytest.raises(NotAllowed, match="an author"):
        yes(strict, "Ada")
    yes(strict)
    assert start(strict) == "running"


def test_an_approval_expires(strict: Store) -> None:
    yes(strict)
    with pytest.raises(NotAllowed):
        start(strict, NOW + LIFETIME)
    assert start(strict, NOW + LIFETIME - timedelta(milliseconds=1)) == "running"


def test_an_edit_voids_the_approval_and_makes_its_author_unfit_to_give_it(strict: Store) -> None:
    yes(strict)
    with strict.write() as session:
        launch.edit(session=session, draft=draft(name="Another"), actor="Bo", now=NOW)
        assert find_approval(session=session, key="checkout", now=NOW) is None
        assert authors_of(session=session, key="checkout") == {"Ada", "Bo"}
    with pytest.raises(NotAllowed):
        start(strict)
    with pytest.raises(NotAllowed, match="an author"):
        yes(strict)
    yes(strict, "Cy")
    assert start(strict) == "running"


def test_only_what_waits_for_it_can_be_approved_and_only_as_it_was_read(strict: Store) -> None:
    with strict.write() as session, pytest.raises(Outdated):
        approve(session=session, key="checkout", actor="Bo", now=NOW, revision=1)
    yes(strict)
    start(strict)
    with pytest.raises(NotAllowed, match="is running"):
        yes(strict)


def test_stopping_needs_nobody_else_but_going_on_does(strict: Store) -> None:
    yes(strict)
    start(strict)
    late = NOW + LIFETIME
    with strict.write() as session:
        launch.stop(session=session, key="checkout", actor="Ada", now=late)
    with pytest.raises(NotAllowed):
        start(strict, late)


def test_lots_are_not_drawn_again_behind_the_second_persons_back(strict: Store) -> None:
    yes(strict)
    start(strict)
    moved = draft(variants=[{"key": "old"}, {"key": "new", "weight": 3}])
    with strict.write() as session, pytest.raises(NotAllowed, match="has to be approved"):
        launch.edit(session=session, draft=moved, actor="Ada", now=NOW, new_phase=True)
    with strict.write() as session:
        calm = draft(description="words only")
        assert launch.edit(session=session, draft=calm, actor="Ada", now=NOW, new_phase=True).phase == 1


def test_without_the_rule_nobody_is_asked(store: Store) -> None:
    with store.write() as session:
        registry.save_metric(session=session, draft=metric_draft(), actor="Ada", now=NOW)
        catalog.create_experiment(session=session, draft=draft(), actor="Ada", now=NOW)
    assert start(store) == "running"


def test_the_project_keeps_its_revisions_and_refuses_lost_updates(store: Store) -> None:
    with store.write() as session:
        assert find_project(session=session).revision == 0
        first = save_project(session=session, draft=ProjectDraft(name="Shop"), actor="a", now=NOW, revision=0)
        same = save_project(session=session, draft=ProjectDraft(name="Shop"), actor="a", now=NOW)
        assert first == same
        assert project.find_project(session=session).definition.name == "Shop"
        with pytest.raises(Outdated):
            save_project(session=session, draft=ProjectDraft(), actor="a", now=NOW, revision=0)


def test_a_stopped_experiment_can_draw_lots_again(store: Store) -> None:
    with store.write() as session:
        registry.save_metric(session=session, draft=metric_draft(), actor="Ada", now=NOW)
        catalog.create_experiment(session=session, draft=draft(), actor="Ada", now=NOW)
    start(store)
    with store.write() as session:
        before = launch.stop(session=session, key="checkout", actor="Ada", now=NOW)
        after = launch.start(session=session, key="checkout", actor="Ada", now=NOW + LATER, new_phase=True)
        assert (after.phase, after.salt != before.salt) == (2, True)


def test_a_copy_asks_the_same_under_its_own_key(store: Store) -> None:
    with store.write() as session:
        registry.save_metric(session=session, draft=metric_draft(), actor="Ada", now=NOW)
        model = draft(starts="2026-03-01", overrides={"tester": "new"}, description="why")
        catalog.create_experiment(session=session, draft=model, actor="Ada", now=NOW)
        copy = catalog.clone_experiment(
            session=session, key="checkout", copy="checkout-2", name="Again", actor="Bo", now=NOW
        )
        assert (copy.status, copy.definition.description, copy.definition.name) == ("draft", "why", "Again")
        assert (copy.definition.starts, copy.definition.overrides) == (None, {})
        assert copy.salt != catalog.find_experiment(session=session, key="checkout").salt
