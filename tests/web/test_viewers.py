"""What a viewer's role refuses is not offered: one sweep over the pages, beside those of an editor."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from experiments import eligibility, launch
from experiments.definition import Definitions, parse_holdout, parse_layer, parse_segment
from experiments.readouts import latest
from experiments.roles import Role
from experiments.shares import create_share
from tests.samples import experiment
from tests.web import scenes
from tests.web.test_settings_pages import somebody
from web.app import create_app
from web.deployment import open_deployment
from web.settings import Settings

PATHS = (
    "/",
    "/experiments",
    "/experiments/new",
    "/experiments/harm",
    "/experiments/harm/results",
    "/experiments/harm/report",
    "/experiments/fresh",
    "/experiments/fresh/edit/believe",
    "/experiments/fresh/edit/measure",
    "/experiments/fresh/edit/who",
    "/experiments/fresh/edit/check",
    "/metrics/",
    "/metrics/paid",
    "/layers",
    "/holdouts",
    "/segments",
    "/alerts",
    "/calculator",
)
REFUSED = (
    "/experiments/harm/stop",
    "/experiments/fresh/start",
    "/experiments/harm/report/edit",
    "/metrics/new",
    "/metrics/paid/edit",
    "/layers/page/place",
    "/segments/new",
    "/segments/nordic/edit",
    "/alerts/harm/refund",
)
EVERYBODY = ("/language", "/sign-out")
"""Forms that stand on every page."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A site in which every page has something to offer."""
    deployment = open_deployment(Settings(data_dir=tmp_path_factory.mktemp("house")), now=lambda: scenes.NOW)
    scenes.stage(deployment.store, scenes.HARM)
    terms: dict[str, Any] = {"actor": "Ada", "now": scenes.NOW}
    condition = {"attribute": "country", "operator": "eq", "value": "NO"}
    with deployment.store.write() as session:
        eligibility.create(session=session, draft=parse_layer({"key": "page"}), **terms)
        eligibility.create(session=session, draft=parse_holdout({"key": "spring", "share": 500}), **terms)
        nordic = parse_segment({"key": "nordic", "condition": condition})
        eligibility.create(session=session, draft=nordic, **terms)
        fresh = experiment("fresh", status="draft", metrics={"primary": ["paid"]})
        definitions = Definitions.model_validate({"experiments": [fresh]})
        launch.apply(session=session, definitions=definitions, **terms)
        snapshot = latest(session=session, key="harm")
        assert snapshot is not None
        create_share(session=session, snapshot=snapshot, frozen={}, days=30, **terms)
    yield create_app(deployment)
    deployment.close()


def offered(client: FlaskClient, path: str) -> set[str]:
    """What a page lets one do: addresses of forms, buttons that send them, and links to pages that change."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    page = answer.get_data(as_text=True)
    main = page[page.index("<main") : page.index("</main>")]
    forms = {
        action.group(1) if (action := re.search(r'action="([^"?]*)', form)) else path
        for form, inside in re.findall(r"(<form[^>]*method=\"post\"[^>]*>)(.*?)</form>", main, re.DOTALL)
        if "<button" in inside
    }
    links = set(re.findall(r'<a [^>]*href="([^"?#]*)', main))
    changing = {link for link in links if link in (*REFUSED, "/experiments/new") or link.endswith("/edit")}
    return forms | changing - set(EVERYBODY)


def test_no_page_offers_a_viewer_what_their_role_refuses(house: Flask) -> None:
    viewer = somebody(house, "Vi", Role.VIEWER)
    editor = somebody(house, "Ed", Role.EDITOR)
    assert {path: offered(viewer, path) for path in PATHS if offered(viewer, path)} == {}
    to_editors = set().union(*(offered(editor, path) for path in PATHS))
    assert to_editors >= {*REFUSED, "/experiments/new", "/experiments/fresh/edit", "/layers", "/holdouts"}
    assert "/experiments/harm/report/share" in to_editors
    assert "/experiments/harm/report/share/1/revoke" in to_editors
    assert [path for path in PATHS if not offered(editor, path)] == []


@pytest.mark.parametrize("path", REFUSED)
def test_a_page_that_only_changes_something_is_closed_to_viewers(house: Flask, path: str) -> None:
    answer = somebody(house, "Vi", Role.VIEWER).get(path)
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.get_data(as_text=True)


def test_a_viewer_reads_a_form_without_being_able_to_send_it(house: Flask) -> None:
    viewer = somebody(house, "Vi", Role.VIEWER)
    page = viewer.get("/experiments/fresh/edit/measure").get_data(as_text=True)
    assert "Your role may look, not change." in page
    assert "data-autosave" not in page
    assert '<a href="/experiments/fresh/edit/who">' in page
