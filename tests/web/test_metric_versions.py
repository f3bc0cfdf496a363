"""A metric that is edited while an experiment runs: what was read keeps the version that counted."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from experiments.registry import find_metrics, save_metric
from tests.web.conftest import signed_in
from tests.web.scenes import NOW, ONE_PAGE
from web.deployment import Deployment


@pytest.fixture
def edited(gallery_of_ones_own: Flask) -> Flask:
    """The primary metric of an experiment that has been read gets a window."""
    deployment: Deployment = gallery_of_ones_own.extensions["evenhand"]
    with deployment.store.write() as session:
        draft = find_metrics(session=session, keys=["paid"])["paid"].definition
        changed = draft.model_copy(update={"window": "3d"})
        save_metric(session=session, draft=changed, actor="Ada", now=NOW)
    return gallery_of_ones_own


def detail(site: Flask, language: str) -> str:
    reader: FlaskClient = signed_in(site, language)
    return reader.get(f"/experiments/{ONE_PAGE.key}/results/paid").get_data(as_text=True)


def test_the_page_shows_the_definition_that_counted_and_says_that_another_one_came(edited: Flask) -> None:
    text = detail(edited, "en")
    assert "1 counts here, as the experiment began with it. Version 2 is newer" in text
    assert "Window after the exposure" not in text
    assert "此处按版本 1 统计" in detail(edited, "zh-CN")


def test_the_readout_names_the_version_in_json(edited: Flask) -> None:
    reader = signed_in(edited)
    document = reader.get(f"/experiments/{ONE_PAGE.key}/report.json").get_json()
    planned = document["readout"]["plan"]["metrics"]
    assert {each["key"]: each["version"] for each in planned}["paid"] == 1
