"""A shop: a deployment of its own with nothing in it but metrics, where whole journeys are made."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from experiments.definition import parse_metric
from experiments.people import KeyKind
from experiments.project import ProjectDraft, save_project
from experiments.registry import save_metric
from tests.browser.dress import Dress
from tests.browser.soundness import listen, unexpected
from tests.served import wait_for
from tests.web.conftest import link_for, make_key
from tests.web.scenes import METRICS
from web.app import create_app
from web.deployment import Deployment, clock, open_deployment
from web.settings import Settings
from web.worker import Worker


@dataclass
class Shop:
    """Where it is served, and what it can be told from outside."""

    app: Flask
    deployment: Deployment
    url: str
    key: str
    said: list[str] = field(default_factory=list)
    windows: list[BrowserContext] = field(default_factory=list)

    def visitor(self, chromium: Browser, dress: Dress, name: str = "Ada") -> Page:
        """Somebody's own window, signed in."""
        window = chromium.new_context(base_url=self.url, **dress.to_context())
        self.windows.append(window)
        page = window.new_page()
        listen(page, self.url, self.said)
        page.goto(link_for(self.app, name))
        return page

    def ask_for_approval(self) -> None:
        """From now on a start takes two people."""
        with self.deployment.store.write() as session:
            project = ProjectDraft(approval=True)
            save_project(session=session, draft=project, actor="test", now=clock())

    def send_traffic(self, experiment: str, units: int) -> None:
        """Let units ask for their variant, and those of the treatment pay more often, all over HTTP."""
        self.deployment.mirror.refresh()
        paid = []
        for number in range(units):
            unit = f"user-{number}"
            context = {"context": {"targetingKey": unit}}
            decision = self.post(f"/ofrep/v1/evaluate/flags/{experiment}", context)
            if number % (2 if decision["variant"] == "treatment" else 6) == 0:
                paid.append({"type": "track", "userId": unit, "event": "pay", "messageId": f"pay-{number}"})
        assert self.post("/v1/batch", {"batch": paid})["accepted"] == len(paid)

    def analyse(self) -> None:
        """What the worker does when it looks for new data, once every message is written."""
        worker = Worker(self.deployment.settings, self.deployment.store, now=clock)
        wait_for(lambda: worker.look() > 0)

    def post(self, path: str, document: Any) -> Any:
        request = urllib.request.Request(
            self.url + path, json.dumps(document).encode(), {"Authorization": f"Bearer {self.key}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def opened_shop(ledger: Path, folder: Path) -> Iterator[Shop]:
    """Open a shop; at the end no browser may have complained of it."""
    (folder / "evenhand.sqlite3").write_bytes(ledger.read_bytes())
    deployment = open_deployment(Settings(data_dir=folder))
    with deployment.store.write() as session:
        for metric in METRICS:
            save_metric(session=session, draft=parse_metric(metric), actor="test", now=clock())
    app = create_app(deployment)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    shop = Shop(app, deployment, address, make_key(deployment, KeyKind.SERVER))
    try:
        yield shop
    finally:
        for window in shop.windows:
            window.close()
        server.shutdown()
        thread.join()
        server.server_close()
        deployment.close()
    assert unexpected(shop.said) == []
