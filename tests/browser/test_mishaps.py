"""What happens to people: somebody else at the same draft, an ended session, a step back, a second click."""

import re
import threading

import pytest
from playwright.sync_api import Browser, Page, expect

from experiments import launch
from tests.browser.dress import Dress
from tests.browser.shop import Shop
from tests.samples import definitions, experiment
from tests.web.conftest import link_for
from web.deployment import clock

DRAFT = "/experiments/by-two/edit/believe"


@pytest.fixture
def ada(chromium: Browser, shop: Shop) -> Page:
    """Somebody who has begun a draft."""
    page = shop.visitor(chromium, Dress())
    page.goto("/experiments/new")
    page.get_by_label("Name", exact=True).first.fill("By two")
    expect(page.locator("[data-said]")).to_have_text("Kept.")
    return page


def test_the_second_of_two_at_a_draft_is_told_and_nothing_is_overwritten(
    ada: Page, chromium: Browser, shop: Shop
) -> None:
    bo = shop.visitor(chromium, Dress(), "Bo")
    bo.goto(DRAFT)
    ada.get_by_label("If we …").fill("ask Ada")
    ada.get_by_role("button", name="Save and continue").last.click()
    ada.wait_for_url("**/edit/measure")
    bo.get_by_label("If we …").fill("ask Bo")
    expect(bo.locator("[data-said]")).to_contain_text("Ada")
    bo.get_by_role("button", name="Save and continue").last.click()
    expect(bo.get_by_role("alert")).to_contain_text("Ada")
    expect(bo.get_by_label("If we …")).to_have_value("ask Bo")
    ada.goto(DRAFT)
    expect(ada.get_by_label("If we …")).to_have_value("ask Ada")


def test_a_session_that_ends_in_mid_form_loses_nothing(ada: Page, shop: Shop) -> None:
    ada.context.clear_cookies(name="evenhand_session")
    ada.get_by_label("If we …").fill("write on without a session")
    expect(ada.locator("[data-said]")).to_contain_text("Your session has ended")
    ada.get_by_role("button", name="Save and continue").last.click()
    expect(ada.get_by_role("heading", name="Your session has ended")).to_be_visible()
    elsewhere = ada.context.new_page()
    elsewhere.goto(link_for(shop.app))
    elsewhere.close()
    ada.get_by_role("button", name="Send it again").click()
    ada.wait_for_url("**/edit/measure")
    ada.goto(DRAFT)
    expect(ada.get_by_label("If we …")).to_have_value("write on without a session")


def test_going_back_shows_what_was_typed_and_saves_again(ada: Page) -> None:
    ada.get_by_label("If we …").fill("go on")
    ada.get_by_role("button", name="Save and continue").last.click()
    ada.wait_for_url("**/edit/measure")
    ada.go_back()
    expect(ada.get_by_label("If we …")).to_have_value("go on")
    ada.get_by_label("If we …").fill("go back")
    ada.get_by_role("button", name="Save and continue").last.dblclick()
    ada.wait_for_url("**/edit/measure")
    ada.goto(DRAFT)
    expect(ada.get_by_label("If we …")).to_have_value("go back")


def test_a_page_reloaded_while_the_worker_analyses_is_whole_each_time(chromium: Browser, shop: Shop) -> None:
    with shop.deployment.store.write() as session:
        file = definitions(experiment(metrics={"primary": ["paid"]}))
        launch.apply(session=session, definitions=file, actor="test", now=clock())
    shop.send_traffic("checkout", 60)
    page = shop.visitor(chromium, Dress())
    analysing = threading.Thread(target=shop.analyse)
    analysing.start()
    while analysing.is_alive():
        answer = page.goto("/experiments/checkout/results")
        assert answer is not None
        assert answer.ok
        expect(page.get_by_role("heading", name=re.compile("Not analysed yet|What changed"))).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()


def test_no_dialog_opens_whatever_people_are_called(chromium: Browser, shop: Shop) -> None:
    hostile = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"
    page = shop.visitor(chromium, Dress(), "Ada")
    page.goto("/experiments/new")
    page.get_by_label("Name", exact=True).first.fill(hostile)
    page.get_by_label("Key", exact=True).first.fill("hostile")
    for blank in ("If we …", "for …", "then …", "because …"):
        page.get_by_label(blank).fill(hostile)
    page.get_by_role("button", name="Save and continue").last.click()
    page.locator("[id='role:paid']").select_option("primary")
    for _ in range(2):
        page.get_by_role("button", name="Save and continue").last.click()
    page.get_by_role("button", name="Start now").click()
    shop.send_traffic("hostile", 40)
    shop.analyse()
    for path in ("", "/results", "/report", "/results/paid", "/decide"):
        page.goto(f"/experiments/hostile{path}")
        expect(page.get_by_text("onerror=alert(1)").first).to_be_visible()
    page.goto("/")
