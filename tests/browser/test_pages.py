import re

from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import OpenPage
from tests.browser.soundness import violations
from web.scorecard import HEIGHTS

RESULTS = "/experiments/checkout-onepage/results"
INK = """() => {
  const canvasIn = (root) => root.querySelector("canvas") ?? [...root.querySelectorAll("*")]
    .filter((each) => each.shadowRoot)
    .map((each) => canvasIn(each.shadowRoot))
    .find(Boolean);
  const canvas = canvasIn(document.querySelector("#canvas-intervals"));
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, 60);
  let ink = 0, count = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 128) { ink += data[i]; count += 1; }
  return ink / count;
}"""


def repainted(page: Page, before: float) -> bool:
    for _ in range(40):
        if abs(page.evaluate(INK) - before) > 15:
            return True
        page.wait_for_timeout(50)
    return False


def test_axe_would_notice(open_page: OpenPage) -> None:
    page = open_page("/sign-in")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any(each.startswith("image-alt") for each in violations(page))


def test_lines_of_the_table_meet_lines_of_the_canvas(open_page: OpenPage) -> None:
    page = open_page(RESULTS)
    for kind in ("role", "comparison"):
        for row in page.locator(f".lines tr.{kind}").all():
            box = row.bounding_box()
            assert box is not None
            assert abs(box["height"] - HEIGHTS[kind]) < 0.51
    table = page.locator(".beside table").bounding_box()
    canvas = page.locator("#canvas-intervals").bounding_box()
    assert table is not None
    assert canvas is not None
    assert abs(table["y"] - canvas["y"]) < 1
    assert abs(table["height"] - canvas["height"]) < 2


def test_metrics_of_many_treatments_keep_their_height(open_page: OpenPage) -> None:
    page = open_page("/experiments/touch/results")
    box = page.locator(".lines tr.metric").first.bounding_box()
    assert box is not None
    assert abs(box["height"] - HEIGHTS["metric"]) < 0.51


def test_canvases_are_repainted_when_the_system_changes_its_theme(open_page: OpenPage) -> None:
    page = open_page(RESULTS)
    before = page.evaluate(INK)
    page.emulate_media(color_scheme="dark")
    assert repainted(page, before)


def test_canvases_are_repainted_by_the_button_and_the_choice_is_kept(open_page: OpenPage) -> None:
    page = open_page(RESULTS)
    before = page.evaluate(INK)
    page.get_by_role("button", name="Light or dark").click()
    assert repainted(page, before)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_language_is_changed_by_picking_it(open_page: OpenPage) -> None:
    page = open_page(RESULTS)
    page.get_by_label("Language").select_option("简体中文")
    expect(page.get_by_role("heading", name="哪些指标变了")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans-CN")


def test_a_figure_tells_its_numbers_under_the_pointer(open_page: OpenPage) -> None:
    page = open_page(RESULTS)
    place = page.locator("#canvas-lift")
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(page.locator(".bk-Tooltip").filter(has_text="Interval").first).to_be_visible()


def test_an_experiment_is_written_in_four_steps_and_started_by_hand(open_page: OpenPage) -> None:
    page = open_page("/experiments/new")
    page.get_by_label("Name", exact=True).first.fill("By hand")
    page.get_by_label("If we …").fill("draw by hand")
    page.get_by_label("then …").fill("more look")
    expect(page.locator("[data-sentence]")).to_contain_text("draw by hand")
    expect(page.locator("[data-said]")).to_have_text("Kept.")
    expect(page).to_have_url(re.compile("/experiments/by-hand/edit/believe$"))
    page.reload()
    expect(page.get_by_label("If we …")).to_have_value("draw by hand")
    page.get_by_label("for …").fill("everybody")
    page.get_by_label("because …").fill("hands are human")
    page.get_by_role("button", name="Save and continue").last.click()
    page.locator("[id='role:paid']").select_option("primary")
    page.get_by_role("button", name="Save and continue").last.click()
    page.get_by_role("button", name="Save and continue").last.click()
    expect(page.get_by_role("heading", name="Checklist")).to_be_visible()
    page.get_by_role("button", name="Start now").click()
    expect(page.get_by_text("Ada started it")).to_be_visible()


def test_pages_work_without_scripts(chromium: Browser, origin: str, signed_in: StorageState) -> None:
    context = chromium.new_context(java_script_enabled=False, base_url=origin, storage_state=signed_in)
    page = context.new_page()
    page.goto(RESULTS)
    expect(page.get_by_role("button", name="Change")).to_be_visible()
    page.get_by_text("Show as table").first.click()
    expect(page.get_by_role("table", name="Change over time")).to_be_visible()
    context.close()
