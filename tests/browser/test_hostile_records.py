"""What hostile people have stored, met by a real browser: nothing runs, nothing breaks out of its place."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from tests.browser.addresses import addresses
from tests.browser.dress import ENGLISH, LIGHT, PHONE, Dress
from tests.browser.rounds import faults_at
from tests.browser.soundness import watch_for_shifts
from tests.web.conftest import link_for
from tests.web.scenes import NOW
from tests.web.spoiled import spoil_site
from web.app import create_app
from web.deployment import open_deployment
from web.settings import Settings

COMMON = (
    "/",
    "/alerts",
    "/learnings",
    "/data/live",
    "/experiments/rich",
    "/experiments/rich/results",
    "/experiments/rich/explore?tab=segments",
    "/experiments/rich/report",
)
"""Pages of the common run; the wardrobe has them all."""


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Where a spoiled site is served, its shared report, and a link to sign in."""
    folder: Path = tmp_path_factory.mktemp("spoiled")
    deployment = open_deployment(Settings(data_dir=folder), now=lambda: NOW)
    app = create_app(deployment)
    shared = spoil_site(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", shared, link_for(app)
    server.shutdown()
    thread.join()
    server.server_close()
    deployment.close()


def faults_in(
    chromium: Browser, spoiled: tuple[str, str, str], paths: Iterator[str] | tuple[str, ...]
) -> list[str]:
    """Everything that is wrong with the pages, on a phone."""
    origin, shared, link = spoiled
    dress = Dress(ENGLISH, LIGHT, PHONE)
    window = chromium.new_context(base_url=origin, **dress.to_context())
    watch_for_shifts(window)
    page = window.new_page()
    page.goto(link)
    page.close()
    found = [f"{path}: {fault}" for path in paths for fault in faults_at(window, origin, path, dress, shared)]
    window.close()
    return found


def test_the_pages_that_people_open_most_stay_sound(chromium: Browser, spoiled: tuple[str, str, str]) -> None:
    assert faults_in(chromium, spoiled, COMMON) == []


@pytest.mark.wardrobe
def test_every_page_stays_sound(chromium: Browser, spoiled: tuple[str, str, str]) -> None:
    assert faults_in(chromium, spoiled, addresses()) == []
