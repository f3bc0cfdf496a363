"""The pages of the data in a real browser: sound in every dress, and live."""

from flask import Flask
from playwright.sync_api import expect

from experiments.people import KeyKind, create_key
from tests.browser.conftest import OpenPage
from tests.web.scenes import NOW
from web.deployment import Deployment


def send_event(app: Flask, name: str, message_id: str) -> None:
    deployment: Deployment = app.extensions["evenhand"]
    with deployment.store.write() as session:
        _, key = create_key(session=session, kind=KeyKind.SERVER, name="test", actor="test", now=NOW)
    deployment.mirror.refresh()
    message = {"userId": "user-1", "event": name, "messageId": message_id, "properties": {"revenue": 12.5}}
    answer = app.test_client().post("/v1/track", json=message, headers={"X-API-Key": key})
    assert answer.get_json()["success"]


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
