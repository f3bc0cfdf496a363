"""The report in a real browser: nothing moves, and a link is read by a stranger."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenPage
from tests.browser.soundness import violations

SHIFTED = """() => new Promise((resolve) => {
  let shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(shifted), 200);
})"""


@pytest.mark.parametrize("width", [1360, 390])
def test_nothing_moves_when_figures_are_drawn(open_page: OpenPage, width: int) -> None:
    page = open_page("/experiments/rich/report", width=width)
    assert page.evaluate(SHIFTED) < 0.01


def test_a_link_is_made_read_by_a_stranger_and_withdrawn(
    open_page: OpenPage, chromium: Browser, origin: str
) -> None:
    page = open_page("/experiments/checkout-onepage/report")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link", exact=True).input_value()
    context = chromium.new_context(locale="zh-CN")
    stranger = context.new_page()
    stranger.goto(link)
    expect(stranger.get_by_role("heading", name="数据概览")).to_be_visible()
    stranger.wait_for_selector("html[data-figures-ready]", state="attached")
    assert violations(stranger) == []
    page.get_by_role("button", name="Withdraw").first.click()
    expect(page.get_by_role("cell", name="withdrawn")).to_be_visible()
    answer = stranger.goto(link)
    assert answer is not None
    assert answer.status == 404
    context.close()
