"""Starts that are written down for later: in the project's time zone, on every page, and by a clock."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from experiments.catalog import Experiment, find_experiment
from experiments.lifecycle import Status
from experiments.project import ProjectDraft, save_project
from tests.samples import apply
from tests.samples import experiment as an_experiment
from tests.web.conftest import send, signed_in
from tests.web.scenes import NOW
from web.deployment import Deployment
from web.timekeeper import Timekeeper

STARTS = datetime(2026, 3, 20, 1, 30, tzinfo=UTC)
HYPOTHESIS = {"change": "paint it", "audience": "everybody", "effect": "more pay", "because": "blue calms"}


@pytest.fixture
def deployment(empty_site: Flask) -> Deployment:
    found: Deployment = empty_site.extensions["evenhand"]
    with found.store.write() as session:
        project = ProjectDraft(time_zone="Asia/Shanghai")
        save_project(session=session, draft=project, actor="Ada", now=NOW)
    apply(found.store, an_experiment(status="draft", hypothesis=HYPOTHESIS))
    return found


@pytest.fixture
def visitor(empty_site: Flask, deployment: Deployment) -> FlaskClient:
    return signed_in(empty_site)


def standing(deployment: Deployment) -> Experiment:
    with deployment.store.read() as session:
        return find_experiment(session=session, key="checkout")


def schedule(visitor: FlaskClient, starts: str = "2026-03-20T09:30") -> int:
    fields = {"days": "14", "size": "", "starts": starts, "ends": "", "revision": "0", "go": "start"}
    return send(visitor, "/experiments/checkout/edit/check", fields).status_code


def test_a_start_is_typed_in_the_projects_time_zone(visitor: FlaskClient, deployment: Deployment) -> None:
    assert schedule(visitor) == 303
    found = standing(deployment)
    assert (found.status, found.definition.starts) == (Status.SCHEDULED, STARTS)
    page = visitor.get("/experiments/checkout").get_data(as_text=True)
    assert "It starts by itself at Mar 20, 2026, 9:30" in page
    assert "(Asia/Shanghai)" in page
    form = visitor.get("/experiments/checkout/edit/check").get_data(as_text=True)
    assert 'value="2026-03-20T09:30"' in form
    assert "takes that start back" in form


@pytest.mark.parametrize("path", ["/", "/experiments", "/experiments?status=scheduled"])
def test_it_is_listed_with_the_day_on_which_it_starts(visitor: FlaskClient, path: str) -> None:
    schedule(visitor)
    page = visitor.get(path).get_data(as_text=True)
    assert "Scheduled" in page
    assert "from Mar 20" in page


def test_the_calendar_shows_it(visitor: FlaskClient) -> None:
    schedule(visitor)
    assert "Mar 20\N{THIN SPACE}–\N{THIN SPACE}Apr 3, 2026" in visitor.get("/calendar").get_data(as_text=True)


def test_a_moment_that_is_none_stands_beside_its_field(visitor: FlaskClient, deployment: Deployment) -> None:
    assert schedule(visitor, starts="soon") == 422
    assert standing(deployment).status is Status.DRAFT


def test_a_scheduled_start_is_confirmed_and_can_be_cancelled(
    visitor: FlaskClient, deployment: Deployment
) -> None:
    schedule(visitor)
    page = visitor.get("/experiments/checkout/cancel").get_data(as_text=True)
    assert "does not start by itself" in page
    revision = standing(deployment).revision
    assert send(visitor, "/experiments/checkout/cancel", {"revision": revision}).status_code == 303
    assert standing(deployment).status is Status.DRAFT
    again = visitor.get("/experiments/checkout/start").get_data(as_text=True)
    assert "until then everybody gets the control" in again
    assert "Variants, weights" in again
    assert visitor.get("/experiments/checkout/cancel").status_code == 404


def test_the_api_schedules_and_cancels_alike(visitor: FlaskClient) -> None:
    page = visitor.get("/experiments/new").get_data(as_text=True)
    word = {"X-CSRFToken": page.partition('name="csrf_token" value="')[2].partition('"')[0]}
    path = "/api/v1/experiments/checkout"
    document = (visitor.get(path).json or {})["definition"]
    changed = {**document, "starts": STARTS.isoformat()}
    assert visitor.put(path, json=changed, headers=word).status_code == 200
    started = visitor.post(f"{path}/start", json={}, headers=word)
    assert (started.json or {})["status"] == "scheduled"
    assert (visitor.post(f"{path}/cancel", json={}, headers=word).json or {})["status"] == "draft"
    assert visitor.post(f"{path}/cancel", json={}, headers=word).status_code == 409


def test_the_clock_starts_it_while_everything_goes_on(visitor: FlaskClient, deployment: Deployment) -> None:
    schedule(visitor)
    time = [STARTS - timedelta(seconds=1)]
    keeper = Timekeeper(deployment.store, now=lambda: time[0])
    assert keeper.look() == 0
    deployment.mirror.refresh()
    assert deployment.mirror.reflection.ruleset.rules["checkout"].state == "stopped"
    time[0] = STARTS
    assert (keeper.look(), keeper.look()) == (1, 0)
    deployment.mirror.refresh()
    assert deployment.mirror.reflection.ruleset.rules["checkout"].state == "running"


def test_a_clock_without_a_database_tries_again(deployment: Deployment) -> None:
    deployment.store.close()
    broken = Timekeeper(deployment.store, now=lambda: STARTS)
    assert broken.look() == 0
