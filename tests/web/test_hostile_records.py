"""What hostile people have stored under valid keys is shown as text on every page, and never runs."""

import csv
import io
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.browser.addresses import SHARED, addresses
from tests.web.conftest import signed_in
from tests.web.scenes import NOW
from tests.web.spoiled import ATTACK, spoil_site
from web.app import create_app
from web.deployment import open_deployment
from web.settings import Settings


class Watcher(HTMLParser):
    """Takes down whatever a browser would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.texts: list[str] = []
        self.script: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.script = given.get("type") or "text/javascript" if tag == "script" else None
        if tag in ("img", "iframe", "object", "embed"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith(("javascript:", "data:")):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.script == "text/javascript" and data.strip():
            self.found.append(f"inline script: {data[:80]}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    deployment = open_deployment(Settings(data_dir=tmp_path_factory.mktemp("spoiled")), now=lambda: NOW)
    app = create_app(deployment)
    yield app, spoil_site(app)
    deployment.close()


@pytest.fixture(scope="module")
def reader(site: tuple[Flask, str]) -> FlaskClient:
    return signed_in(site[0])


def test_no_page_runs_what_was_stored_and_most_show_it(site: tuple[Flask, str], reader: FlaskClient) -> None:
    showing = 0
    for path in addresses():
        answer = reader.get(path.replace(SHARED, site[1]))
        assert answer.status_code in (200, 404), path
        watcher = Watcher()
        watcher.feed(answer.get_data(as_text=True))
        assert watcher.found == [], path
        showing += ATTACK in "".join(watcher.texts)
    assert showing > 30


@pytest.mark.parametrize("form", ["html", "json", "csv"])
def test_no_exported_file_runs_it(reader: FlaskClient, form: str) -> None:
    answer = reader.get(f"/experiments/rich/report.{form}")
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    if form == "html":
        assert "<img src=x" not in text
        assert "<script>alert" not in text
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) for cell in row]
        assert any("HYPERLINK" in cell or "alert(1)" in cell for cell in cells)
        assert not [cell for cell in cells if cell[:1] in "=+@" and cell]


def test_the_api_answers_it_as_json_and_nothing_else(reader: FlaskClient) -> None:
    for path in ("experiments", "metrics", "learnings", "alerts", "messages", "audit", "people"):
        answer = reader.get(f"/api/v1/{path}")
        assert answer.content_type == "application/json", path
