"""Soundness: what has to hold for every page, whatever it shows, looked at once it is drawn."""

from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Dialog, Page

from tests.browser.leftovers import leftovers

EXPECTED = ("willReadFrequently", "status of 401", "status of 409", "status of 422")
"""Canvas pixels are read back by the tests themselves, and a form is refused with one of these."""

LARGEST_SHIFT = 0.005
"""Of the window times the way: the places of figures are as high as the figures, so this is rounding."""

WATCH = """
window.shifted = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) {
    const moved = each.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
    if (!each.hadRecentInput) window.shifted.push([each.value, String(moved)]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
UNFOLD = """() => {
  for (const each of [...document.querySelectorAll("details")].slice(0, 20)) each.open = true;
}"""
"""As many as are enough: the page of the doors folds away one form for each operation."""

CROWDED = """() => [...document.querySelectorAll(".top > div > *")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1)
  .map((each) => each.textContent.trim().slice(0, 40))"""
"""What has too little place at the head of a page, and so stands on its neighbour."""

WIDER = "document.documentElement.scrollWidth > innerWidth"


def listen(page: Page, origin: str, said: list[str]) -> None:
    """Take down what a browser complains of, a refusal by the policy included, and what it asks elsewhere."""
    page.on("console", lambda it: said.append(it.text) if it.type in ("error", "warning") else None)
    page.on("pageerror", lambda problem: said.append(str(problem)))
    page.on("request", lambda it: said.append(it.url) if _is_foreign(it.url, origin) else None)

    def close(dialog: Dialog) -> None:
        said.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", close)


def unexpected(said: list[str]) -> list[str]:
    """What nobody has counted on."""
    return [each for each in said if not any(part in each for part in EXPECTED)]


def watch_for_shifts(context: BrowserContext) -> None:
    """Let every page of a window take down what moves after it was drawn."""
    context.add_init_script(WATCH)


def wait_for_figures(page: Page) -> None:
    """Wait until the canvases are drawn, where there are any."""
    if page.locator("[data-figure]").count():
        page.wait_for_selector("html[data-figures-ready]", state="attached")


def faults(page: Page, language: str) -> list[str]:
    """Everything that is wrong with a page as it stands there, with all that is folded unfolded."""
    wait_for_figures(page)
    shifts: list[tuple[float, str]] = page.evaluate("window.shifted")
    found = [f"moves by {value:.4f}: {what}" for value, what in shifts if value > LARGEST_SHIFT]
    page.evaluate(UNFOLD)
    if page.evaluate(WIDER):
        found.append("scrolls sideways")
    found += [f"stands on its neighbour: {each}" for each in page.evaluate(CROWDED)]
    if language != "en":
        found += [f"not translated: {each}" for each in leftovers(page)]
    return found + violations(page)


def violations(page: Page) -> list[str]:
    """What axe finds."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']} at {node['target']}" for each in found for node in each["nodes"]]


def _is_foreign(url: str, origin: str) -> bool:
    return urlsplit(url).scheme in ("http", "https") and not url.startswith(origin)
