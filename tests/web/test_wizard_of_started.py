"""The form of an experiment that has started, or that was changed through another door meanwhile."""

import re

from flask.testing import FlaskClient

from experiments import launch
from experiments.catalog import find_experiment
from tests.web.conftest import send
from tests.web.scenes import NOW
from tests.web.test_wizard import BELIEVE, author, experiment, save, store_of, through

__all__ = ["author"]


def test_opening_and_saving_a_started_experiment_changes_nothing(author: FlaskClient) -> None:
    through(author)
    save(author, "check", go="start")
    before = experiment(author)
    assert save(author, "check", go="save").location == "/experiments/colour"
    assert experiment(author) == before


def test_what_would_move_units_has_to_be_meant(author: FlaskClient) -> None:
    through(author)
    save(author, "check", go="start")
    save(author, "who", {"variant_weight": ["1", "1"]})
    asked = save(author, "check", go="save")
    text = asked.get_data(as_text=True)
    assert asked.status_code == 409
    assert "Begin a new phase?" in text
    assert experiment(author).phase == 1
    sent = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))
    done = send(author, "/experiments/colour/edit/check", {**sent, "new_phase": "yes"})
    assert done.location == "/experiments/colour"
    assert experiment(author).phase == 2
    assert [each.weight for each in experiment(author).definition.variants] == [1, 1]


def test_more_traffic_is_safe_while_it_runs(author: FlaskClient) -> None:
    through(author)
    save(author, "check", go="start")
    save(author, "who", {"traffic": "50"})
    assert save(author, "check", go="save").status_code == 303
    assert (experiment(author).phase, experiment(author).definition.traffic) == (1, 5_000)


def test_a_sheet_knows_when_the_experiment_was_changed_elsewhere(author: FlaskClient) -> None:
    through(author)
    save(author, "believe")
    with store_of(author).store.write() as session:
        draft = find_experiment(session=session, key="colour").definition
        changed = draft.model_copy(update={"name": "Through another door"})
        launch.edit(session=session, draft=changed, actor="api", now=NOW)
    text = author.get("/experiments/colour/edit/believe").get_data(as_text=True)
    assert "changed elsewhere since this was typed" in text
    assert save(author, "check", go="save").status_code == 422
    assert experiment(author).definition.name == "Through another door"
    send(author, "/experiments/colour/edit/discard", {})
    text = author.get("/experiments/colour/edit/believe").get_data(as_text=True)
    assert "Through another door" in text


def test_who_knows_of_the_other_change_may_put_the_sheet_in_its_place(author: FlaskClient) -> None:
    through(author)
    save(author, "believe")
    with store_of(author).store.write() as session:
        draft = find_experiment(session=session, key="colour").definition
        changed = draft.model_copy(update={"name": "Through another door"})
        launch.edit(session=session, draft=changed, actor="api", now=NOW)
    assert save(author, "believe", go="over").location == "/experiments/colour/edit/believe"
    assert save(author, "check", go="save").status_code == 303
    assert experiment(author).definition.name == BELIEVE["name"]
