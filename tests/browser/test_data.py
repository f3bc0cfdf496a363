"""The pages of the data in a real browser: sound in every dress, and live."""

import pytest
from flask import Flask
from playwright.sync_api import expect

from experiments.people import KeyKind, create_key
from tests.browser.conftest import OpenPage
from tests.browser.test_pages import DRESSES, violations
from tests.web.scenes import NOW
from web.deployment import Deployment

PAGES = ("/data", "/data/live", "/data/compare", "/settings/tracking")


def send_event(app: Flask, name: str, message_id: str) -> None:
    deployment: Deployment = app.extensions["evenhand"]
    with deployment.store.write() as session:
        _, key = create_key(session=session, kind=KeyKind.SERVER, name="test", actor="test", now=NOW)
    deployment.mirror.refresh()
    message = {"userId": "user-1", "event": name, "messageId": message_id, "properties": {"revenue": 12.5}}
    answer = app.test_client().post("/v1/track", json=message, headers={"X-API-Key": key})
    assert answer.get_json()["success"]


@pytest.mark.parametrize(("path", "language"), [*((path, "en") for path in PAGES), ("/data", "zh-CN")])
def test_a_page_of_the_data_is_sound_in_every_dress(
    app: Flask, open_page: OpenPage, path: str, language: str
) -> None:
    send_event(app, "Order Completed", "m-1")
    page = open_page(path, language=language)
    for summary in page.locator("summary").all():
        summary.click()
    for theme, width in DRESSES:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == [], (theme, width)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), (theme, width)


def test_an_event_that_is_sent_appears_until_the_page_is_paused(app: Flask, open_page: OpenPage) -> None:
    page = open_page("/data/live")
    send_event(app, "Signed Up", "m-2")
    expect(page.get_by_role("cell", name="Signed Up")).to_be_visible(timeout=10_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()


def test_an_event_is_listed_with_the_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page("/settings/tracking")
    page.get_by_label("Event", exact=True).fill("Order Completed")
    page.get_by_label("Name", exact=True).first.fill("revenue")
    page.get_by_label("Type", exact=True).first.select_option("number")
    page.get_by_label("Required", exact=True).first.check()
    page.keyboard.press("Enter")
    expect(page.get_by_role("cell", name="revenue (number, required)")).to_be_visible()
