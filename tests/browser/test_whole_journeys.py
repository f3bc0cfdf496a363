"""From a belief to a lesson: written, reviewed, started, met by traffic, decided and found again."""

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.dress import CHINESE, DARK, PHONE, Dress
from tests.browser.shop import Shop

UNITS = 240


def test_an_experiment_is_taken_from_belief_to_lesson_with_the_mouse(chromium: Browser, shop: Shop) -> None:
    shop.ask_for_approval()
    page = shop.visitor(chromium, Dress())
    page.get_by_role("link", name="New experiment").first.click()
    page.get_by_label("Name", exact=True).first.fill("Fewer pages")
    for blank, text in (
        ("If we …", "merge the pages"),
        ("for …", "everybody"),
        ("then …", "more pay"),
        ("because …", "each page loses some"),
    ):
        page.get_by_label(blank).fill(text)
    page.get_by_role("button", name="Save and continue").last.click()
    page.locator("[id='role:paid']").select_option("primary")
    page.get_by_role("button", name="Save and continue").last.click()
    page.get_by_role("button", name="Save and continue").last.click()
    expect(page.get_by_role("button", name="Start now")).to_have_count(0)
    page.get_by_role("button", name="Hand over for review").click()
    expect(page.get_by_text("It waits for somebody who did not write it")).to_be_visible()
    expect(page.get_by_role("link", name="Approve")).to_have_count(0)
    reviewer = shop.visitor(chromium, Dress(), name="Bo")
    reviewer.goto("/")
    reviewer.get_by_role("link", name=re.compile("Fewer pages")).first.click()
    reviewer.get_by_role("link", name="Approve").click()
    reviewer.get_by_role("button", name="Approve").click()
    expect(reviewer.get_by_text("Bo approved it as it stands")).to_be_visible()
    page.goto("/experiments/fewer-pages")
    page.get_by_role("link", name="Start", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Ada started it")).to_be_visible()
    shop.send_traffic("fewer-pages", UNITS)
    page.goto("/experiments/fewer-pages/results")
    expect(page.get_by_role("heading", name="Not analysed yet")).to_be_visible()
    shop.analyse()
    page.reload()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\b240\b")).first).to_be_visible()
    page.get_by_role("link", name="Record decision").click()
    page.get_by_label("Ship a variant").check()
    page.get_by_label("Variant", exact=True).select_option("treatment")
    page.get_by_label("Reason").fill("It is clear enough for us.")
    page.get_by_label("What was learnt, in one sentence").fill("People pay when less stands in their way.")
    page.get_by_role("button", name="Record the decision").last.dblclick()
    expect(page.get_by_text("It is clear enough for us.")).to_be_visible()
    page.get_by_role("link", name="Learnings").first.click()
    expect(page.get_by_text("People pay when less stands in their way.")).to_have_count(1)


def test_an_experiment_is_taken_from_belief_to_lesson_with_the_keyboard_in_chinese(
    chromium: Browser, shop: Shop
) -> None:
    shop.ask_for_approval()
    page = shop.visitor(chromium, Dress(CHINESE, DARK, PHONE))
    follow(page, "新建实验")
    for label, text in (
        ("名称", "少一页"),
        ("标识", "fewer"),
        ("如果我们……", "合并页面"),
        ("面向……", "所有人"),
        ("那么……", "更多人付款"),
        ("因为……", "每一页都会流失用户"),
    ):
        write(page, label, text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_url("**/edit/measure")
    reach(page, "[id='role:paid']")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[id='role:paid']")).to_have_value("primary")
    press(page, "保存并继续", "**/edit/who")
    press(page, "保存并继续", "**/edit/check")
    press(page, "提交评审", "**/experiments/fewer")
    reviewer = shop.visitor(chromium, Dress(CHINESE, DARK, PHONE), name="Bo")
    reviewer.goto("/experiments/fewer")
    follow(reviewer, "审批通过")
    press(reviewer, "审批通过", "**/experiments/fewer")
    expect(reviewer.get_by_text("Bo 已审批当前定义")).to_be_visible()
    page.reload()
    follow(page, "启动")
    press(page, "启动", "**/experiments/fewer")
    shop.send_traffic("fewer", UNITS)
    shop.analyse()
    page.goto("/experiments/fewer/decide")
    reach(page, "#choice-ship")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    write(page, "理由", "差别不够大")
    write(page, "用一句话写下学到的经验", "少一页不等于少一步")
    press(page, "记录决定", "**/decide")
    follow(page, "经验库")
    expect(page.get_by_text("少一页不等于少一步")).to_be_visible()


def follow(page: Page, name: str) -> None:
    """Walk to a link and press Enter."""
    address = page.get_by_role("link", name=name).first.get_attribute("href")
    reach(page, f"a[href='{address}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")


def press(page: Page, name: str, address: str) -> None:
    """Walk to a button and press it."""
    walk(page, lambda: page.evaluate("document.activeElement.textContent.trim()") == name)
    with page.expect_navigation(url=address):
        page.keyboard.press("Enter")


def write(page: Page, label: str, text: str) -> None:
    """Walk to a field and type."""
    field = page.get_by_label(label, exact=True).first.get_attribute("id")
    reach(page, f"[id='{field}']")
    page.keyboard.insert_text(text)


def reach(page: Page, selector: str) -> None:
    """Press Tab until something has the focus."""
    walk(page, lambda: page.evaluate("(it) => document.activeElement.matches(it)", selector))


def walk(page: Page, arrived: Callable[[], bool]) -> None:
    """Press Tab until one has arrived; whoever has to press it more often has no way there."""
    for _ in range(80):
        if arrived():
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not lead there")
