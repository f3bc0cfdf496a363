"""A stored definition that cannot be read: all others go on, and it goes on as it was last published."""

from typing import Any

import pytest
from sqlalchemy import text

from experiments import launch
from experiments.catalog import find_experiment, list_experiments
from experiments.errors import NotAllowed
from experiments.legibility import list_illegible
from experiments.publishing import latest_ruleset, publish
from experiments.registry import list_metrics
from experiments.store import Store
from tests.samples import NOW, applied, apply, definitions, experiment

TARGETED = experiment("targeted", targeting={"segment": "adults"}, layer="l", slots=[[0, 5_000]])
PARTS = {
    "layers": [{"key": "l"}],
    "holdouts": [{"key": "h", "share": 100}],
    "segments": [{"key": "adults", "condition": {"attribute": "age", "operator": "ge", "value": 18}}],
}


def damage(store: Store, table: str, key: str) -> None:
    with store.write() as session:
        session.connection().execute(
            text(f"UPDATE {table} SET definition = :bad WHERE key = :key"), {"bad": "{", "key": key}
        )


@pytest.fixture
def running(store: Store) -> Store:
    with store.write() as session:
        both = definitions(experiment(), experiment("other"), TARGETED)
        file = type(both).model_validate({**both.model_dump(mode="json"), **PARTS})
        launch.apply(session=session, definitions=file, actor="t", now=NOW)
    return store


def test_the_others_are_listed_and_it_is_named(running: Store) -> None:
    damage(running, "experiment", "checkout")
    with running.read() as session:
        assert sorted(each.key for each in list_experiments(session=session)) == ["other", "targeted"]
        (illegible,) = list_illegible(session=session)
        assert str(illegible).startswith("experiment checkout: its stored definition cannot be read (")
        with pytest.raises(NotAllowed, match="apply it again"):
            find_experiment(session=session, key="checkout")


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("experiment", "checkout"),
        ("layer", "l"),
        ("holdout", "h"),
        ("segment", "adults"),
        ("metric", "purchase"),
    ],
)
def test_what_is_served_stays_as_it_was_last_published(running: Store, table: str, key: str) -> None:
    with running.read() as session:
        before = latest_ruleset(session=session)
    damage(running, table, key)
    with running.write() as session:
        after = publish(session=session, now=NOW)
    assert after.digest == before.digest
    with running.write() as session:
        launch.stop(session=session, key="other", actor="t", now=NOW)
        assert latest_ruleset(session=session).rules["checkout"] == before.rules["checkout"]
        assert latest_ruleset(session=session).rules["other"].state == "stopped"


def test_applying_it_again_repairs_it_and_moves_nobody(running: Store) -> None:
    with running.read() as session:
        before = latest_ruleset(session=session).rules["checkout"]
    damage(running, "experiment", "checkout")
    with running.write() as session, pytest.raises(NotAllowed, match="changing traffic"):
        applied(session, experiment(traffic=10))
    with running.write() as session:
        assert applied(session, experiment()) == ["unchanged purchase", "updated checkout"]
    with running.read() as session:
        assert latest_ruleset(session=session).rules["checkout"] == before
        assert not list_illegible(session=session)


def test_where_nothing_tells_what_it_was_only_a_new_phase_repairs_it(running: Store) -> None:
    damage(running, "experiment", "checkout")
    with running.write() as session:
        session.connection().execute(text("UPDATE phase SET definition = '{'"))
    with running.write() as session, pytest.raises(NotAllowed, match="what cannot be read"):
        applied(session, experiment())
    with running.write() as session:
        launch.apply(session=session, definitions=definitions(), actor="t", now=NOW, new_phase=True)
        assert find_experiment(session=session, key="checkout").phase == 2


def test_a_metric_that_cannot_be_read_is_left_out(running: Store) -> None:
    damage(running, "metric", "purchase")
    with running.read() as session:
        assert list_metrics(session=session) == []


def test_a_file_does_not_start_again_what_was_stopped_by_hand(store: Store) -> None:
    apply(store)
    with store.write() as session:
        launch.stop(session=session, key="checkout", actor="ada", now=NOW)
        common: dict[str, Any] = {"session": session, "actor": "t", "now": NOW}
        assert applied(session, experiment()) == [
            "unchanged purchase",
            "unchanged checkout",
            "left stopped checkout",
        ]
        assert find_experiment(session=session, key="checkout").status == "stopped"
        changes = launch.apply(definitions=definitions(), restart=True, **common)
        assert [each.action for each in changes] == ["unchanged", "unchanged", "started"]
        assert find_experiment(session=session, key="checkout").status == "running"
