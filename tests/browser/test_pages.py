import re
from pathlib import Path

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


def test_a_decision_is_made_with_the_keyboard_and_found_among_the_learnings(open_page: OpenPage) -> None:
    page = open_page("/")
    page.locator("a.button", has_text=re.compile("Decide.*Nothing")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Stop and keep the control")).to_be_checked()
    expect(page.get_by_label("Variant", exact=True)).to_be_hidden()
    page.get_by_role("radio", name="Stop and keep the control").press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Variant", exact=True)).to_be_visible()
    page.get_by_role("radio", name="Stop and keep the control").check()
    page.get_by_label("Follow-up", exact=True).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was recorded yet")
    page.get_by_label("What was learnt").fill("A colour alone moves nobody.")
    page.get_by_label("Follow-up", exact=True).first.fill("Tell the others")
    page.keyboard.press("Enter")
    expect(page.get_by_text("As it was decided")).to_be_visible()
    page.get_by_role("link", name="All learnings").click()
    page.locator("#q").fill("COLOUR alone")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="A colour alone moves nobody.")).to_be_visible()


def test_the_exported_file_shows_the_same_numbers_from_the_disk(
    open_page: OpenPage, chromium: Browser, tmp_path: Path
) -> None:
    page = open_page("/experiments/rich/report")
    path = tmp_path / "report.html"
    path.write_bytes(page.context.request.get("/experiments/rich/report.html").body())
    context, asked, said = chromium.new_context(offline=True), [], []
    file = context.new_page()
    file.on("request", lambda it: asked.append(it.url))
    file.on("console", lambda it: said.append(it.text) if it.type in ("error", "warning") else None)
    file.goto(path.as_uri())
    file.wait_for_selector("html[data-figures-ready]", state="attached")
    for part in (".verdict", ".facts", "#changed", "#split", "#methods"):
        assert file.locator(part).inner_text() == page.locator(part).inner_text()
    assert file.locator(".canvas .bk-Figure").count() == page.locator(".canvas .bk-Figure").count() > 5
    assert asked == [path.as_uri()]
    assert [each for each in said if "willReadFrequently" not in each] == []
    context.close()


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
