"""A system Chromium that looks at the gallery, and fails on anything a browser would complain of."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright
from werkzeug.serving import make_server

from experiments.definition import parse_metric
from experiments.registry import save_metric
from tests.browser.dress import Dress
from tests.browser.furniture import furnish
from tests.browser.shop import Shop, opened_shop
from tests.browser.soundness import listen, unexpected, wait_for_figures, watch_for_shifts
from tests.web.conftest import link_for
from tests.web.scenes import METRICS, NOW, SCENES, stage
from web.app import create_app
from web.deployment import open_deployment
from web.settings import Settings

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
)
OpenPage = Callable[..., Page]
Wear = Callable[[Dress], BrowserContext]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the browser tests; without Chromium they are skipped, except where they must run.

    What is marked ``wardrobe`` (every page in the dresses that the common run leaves out) is only for those
    who ask for it.
    """
    if "wardrobe" not in config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("wardrobe")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    skip = pytest.mark.skip(
        reason="no system Chromium (apt-get install chromium); CI=true makes this a failure"
    )
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM and os.environ.get("CI") != "true":
                item.add_marker(skip)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application with all scenes."""
    deployment = open_deployment(Settings(data_dir=tmp_path_factory.mktemp("pages")), now=lambda: NOW)
    stage(deployment.store, *SCENES)
    with deployment.store.write() as session:
        for metric in METRICS:
            save_metric(session=session, draft=parse_metric(metric), actor="test", now=NOW)
    yield create_app(deployment)
    deployment.close()


@pytest.fixture(scope="session")
def shared(app: Flask) -> str:
    """The application with one of everything; the path of a shared report."""
    return furnish(app)


@pytest.fixture(scope="session")
def origin(app: Flask) -> Iterator[str]:
    """Where it is served."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM or None, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def signed_in(chromium: Browser, origin: str, app: Flask) -> StorageState:
    """The cookies of somebody who redeemed a link."""
    context = chromium.new_context()
    context.new_page().goto(origin + link_for(app))
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="session")
def wardrobe(chromium: Browser, origin: str, signed_in: StorageState) -> Iterator[Wear]:
    """A browser window for each dress, kept so that what every page shares is loaded once."""
    windows: dict[Dress, BrowserContext] = {}

    def worn(dress: Dress) -> BrowserContext:
        if dress not in windows:
            windows[dress] = chromium.new_context(
                base_url=origin, storage_state=signed_in, **dress.to_context()
            )
            watch_for_shifts(windows[dress])
        return windows[dress]

    yield worn
    for window in windows.values():
        window.close()


@pytest.fixture
def open_page(chromium: Browser, origin: str, signed_in: StorageState) -> Iterator[OpenPage]:
    """Open pages in a language, theme and width; at the end nothing may have been complained of."""
    said: list[str] = []
    contexts: list[BrowserContext] = []

    def opened(path: str, *, language: str = "en", theme: str = "light", width: int = 1360) -> Page:
        dress = Dress(language, theme, width)
        context = chromium.new_context(base_url=origin, storage_state=signed_in, **dress.to_context())
        contexts.append(context)
        page = context.new_page()
        listen(page, origin, said)
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok
        wait_for_figures(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert unexpected(said) == []


@pytest.fixture
def shop(empty_ledger: Path, tmp_path: Path) -> Iterator[Shop]:
    """A deployment of one's own, served."""
    with opened_shop(empty_ledger, tmp_path) as opened:
        yield opened
