"""The page of the doors in a real browser: what it sends, and that it is sound."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.soundness import violations


def sent(page: Page, operation: str, **typed: str) -> str:
    """Fill the form of an operation, send it, and read what it shows."""
    page.locator(f"#{operation} summary").click()
    form = page.locator(f"#{operation} form")
    for name, value in typed.items():
        form.locator(f"[name={name}]").fill(value)
    form.get_by_role("button").click()
    expect(form.locator("output b")).to_be_visible()
    return form.locator("output").inner_text()


def test_doors_are_tried_from_the_page(open_page: OpenPage) -> None:
    page = open_page("/api")
    assert sent(page, "list_experiments", q="touch", limit="1").startswith("200")
    assert sent(page, "create_key").startswith("201")
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
