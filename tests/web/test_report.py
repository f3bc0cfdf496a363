"""The report: written, exported, shared; and what hostile texts become on the way."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from experiments import audit, readouts
from tests.web import scenes
from tests.web.conftest import link_for, send, signed_in
from tests.web.scenes import ONE_PAGE, TOUCH, stage
from tests.web.test_pages import HOSTILE, deployment_of
from web.app import create_app
from web.deployment import open_deployment
from web.settings import Settings

KEY = ONE_PAGE.key
REPORT = f"/experiments/{KEY}/report"
TEXTS = {
    "background": "A **third** leave.",
    "insight": "It moved by {{paid.treatment.lift}}.",
    "actions": "- Roll out",
}


@pytest.fixture
def writer(empty_site: Flask) -> FlaskClient:
    stage(deployment_of(empty_site).store, ONE_PAGE)
    return signed_in(empty_site)


def text_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def numbers_in(page: str) -> list[str]:
    """What a person reads of the results: every line of the scorecard and every detail."""
    cells = re.findall(r"<(?:td|dd|th)[^>]*>(.*?)</(?:td|dd|th)>", page, re.DOTALL)
    return [re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in cells if re.search(r"\d", cell)]


def shared_link(page: str) -> str:
    found: list[str] = re.findall(r'id="link"[^>]* value="http://localhost(/s/[\w-]+)"', page)
    return found[0]


def test_a_report_is_told_in_the_order_that_people_expect(visitor: FlaskClient) -> None:
    text = text_of(visitor, REPORT)
    parts = re.findall(r'<h2 class="part" id="(\w+)">', text)
    assert parts == ["summary", "background", "data", "analysis", "insight", "actions", "appendix"]


def test_numbers_are_filled_into_the_texts(writer: FlaskClient) -> None:
    assert send(writer, f"{REPORT}/edit", {**TEXTS, "revision": "0"}).status_code == 303
    for path in (REPORT, f"/experiments/{KEY}/results"):
        text = text_of(writer, path)
        assert "A <strong>third</strong> leave." in text
        assert "It moved by <span" in text
        assert "+7.6% (+3.8% … +11.6%)" in text
        assert "{{paid" not in text


def test_an_unknown_number_is_named_and_nothing_typed_is_lost(writer: FlaskClient) -> None:
    typed = {**TEXTS, "insight": "By {{paid.nobody.lift}} & <b>more</b>", "revision": "0"}
    answer = send(writer, f"{REPORT}/edit", typed)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "There is no number called {{paid.nobody.lift}}." in text
    assert "By {{paid.nobody.lift}} &amp; &lt;b&gt;more&lt;/b&gt;" in text
    assert "A **third** leave." in text


def test_two_writers_see_each_other(writer: FlaskClient) -> None:
    send(writer, f"{REPORT}/edit", {**TEXTS, "revision": "0"})
    answer = send(writer, f"{REPORT}/edit", {**TEXTS, "background": "Mine", "revision": "0"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Mine</textarea>" in text
    assert "A **third** leave.</pre>" in text
    assert 'name="revision" value="1"' in text
    assert send(writer, f"{REPORT}/edit", {**TEXTS, "revision": "x"}).status_code == 400


def test_every_export_is_an_attachment_that_cannot_run_here(visitor: FlaskClient) -> None:
    for form, media_type in (("html", "text/html"), ("csv", "text/csv"), ("json", "application/json")):
        answer = visitor.get(f"{REPORT}.{form}")
        assert answer.status_code == 200
        assert answer.mimetype == media_type
        assert answer.headers["Content-Disposition"] == (
            f'attachment; filename="evenhand-{KEY}-2026-03-16.{form}"'
        )
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert visitor.get(f"{REPORT}.exe").status_code == 404
    assert visitor.get("/experiments/..%2F..%2Fetc/report.html").status_code == 404


def test_the_file_holds_everything_and_asks_for_nothing(visitor: FlaskClient) -> None:
    text = text_of(visitor, f"{REPORT}.html")
    page, *scripts = re.split(r"<script>.*?</script>", text, flags=re.DOTALL)
    body = "".join([page, *scripts])
    assert len(re.findall(r"<script>", text)) == 4
    assert not re.search(r"<(?:link|img|iframe|base)\b|\ssrc=|url\(|@import", body)
    assert not re.search(r'href="(?!#)', body)
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', body)[0]
    assert policy.startswith("default-src")
    assert policy.count("sha256-") == 4
    assert "connect-src" not in policy
    assert (
        body.count('<details class="statement">') == text_of(visitor, f"{REPORT}.json").count('"sql": ') > 2
    )


def test_page_file_and_link_show_the_same_numbers(writer: FlaskClient, empty_site: Flask) -> None:
    page = text_of(writer, REPORT)
    made = send(writer, f"{REPORT}/share", {"days": "7"}).get_data(as_text=True)
    link = empty_site.test_client().get(shared_link(made)).get_data(as_text=True)
    file = text_of(writer, f"{REPORT}.html")
    written = numbers_in(page.partition('id="export"')[0])
    assert len(written) > 40
    assert numbers_in(link) == written
    assert numbers_in(file) == written


def test_a_link_stays_as_it_was_when_everything_moves_on(writer: FlaskClient, empty_site: Flask) -> None:
    made = send(writer, f"{REPORT}/share", {"days": "7"}).get_data(as_text=True)
    stranger = empty_site.test_client()
    before = numbers_in(stranger.get(shared_link(made)).get_data(as_text=True))
    store = deployment_of(empty_site).store
    send(writer, f"{REPORT}/edit", {**TEXTS, "revision": "0"})
    with store.write() as session:
        newest = readouts.latest(session=session, key=KEY)
        assert newest is not None
        observation = readouts.observation_of(session=session, snapshot=newest)
        document = json.loads(newest.text.replace("0.1270", "0.9270"))
        changed = type(newest.readout).from_json(document)
        readouts.keep(session=session, readout=changed, observation=observation)
    deployment_of(empty_site).shelf.__init__()  # type: ignore[misc]  # nothing is remembered
    after = stranger.get(shared_link(made)).get_data(as_text=True)
    assert numbers_in(after) == before
    assert "A <strong>third</strong>" not in after


def test_a_link_is_read_by_strangers_and_tells_nobody_where_it_is(
    writer: FlaskClient, empty_site: Flask
) -> None:
    made = send(writer, f"{REPORT}/share", {"days": "30"}).get_data(as_text=True)
    answer = empty_site.test_client().get(shared_link(made), headers={"Accept-Language": "zh-CN"})
    text = answer.get_data(as_text=True)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "数据概览" in text
    assert "/experiments" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert shared_link(made).rsplit("/", 1)[1] not in text_of(writer, REPORT)


def test_a_withdrawn_link_and_a_made_up_one_look_alike(writer: FlaskClient, empty_site: Flask) -> None:
    made = send(writer, f"{REPORT}/share", {"days": "7"}).get_data(as_text=True)
    number = re.findall(r"/report/share/(\d+)/revoke", made)[0]
    assert send(writer, f"{REPORT}/share/{number}/revoke", {}).status_code == 303
    stranger = empty_site.test_client()
    pages = [stranger.get(path) for path in (shared_link(made), "/s/nonsense", "/s/%00%ed%a0%80")]
    assert [page.status_code for page in pages] == [404] * 3
    assert len({re.sub(r'value="[^"]+"', "", page.get_data(as_text=True)) for page in pages[:2]}) == 1
    assert "withdrawn" in text_of(writer, REPORT)
    with deployment_of(empty_site).store.read() as session:
        actions = [entry.action for entry in audit.history(session=session, object=KEY)]
    assert actions[:2] == ["unshare", "share"]


def test_a_link_ends_by_itself(tmp_path: Path) -> None:
    moment = [scenes.NOW]
    opened = open_deployment(Settings(data_dir=tmp_path), now=lambda: moment[0])
    stage(opened.store, ONE_PAGE)
    app = create_app(opened)
    made = send(signed_in(app), f"{REPORT}/share", {"days": "7"}).get_data(as_text=True)
    assert app.test_client().get(shared_link(made)).status_code == 200
    moment[0] += timedelta(days=7)
    assert app.test_client().get(shared_link(made)).status_code == 404
    opened.close()


def test_a_link_needs_a_person_a_readout_and_a_length(writer: FlaskClient, empty_site: Flask) -> None:
    assert send(writer, f"{REPORT}/share", {"days": "9999"}).status_code == 400
    assert send(writer, "/experiments/nowhere/report/share", {"days": "7"}).status_code == 404
    assert empty_site.test_client().post(f"{REPORT}/share", data={"days": "7"}).status_code in (400, 401)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_hostile_texts_are_texts_everywhere(empty_site: Flask, language: str) -> None:
    hostile = HOSTILE + "\u202e\u200b"
    scene = scenes.headlines(
        "hostile",
        {"A": (5405, 19), "B": (5379, 79)},
        name=hostile,
        source=hostile,
        hypothesis=dict.fromkeys(("change", "audience", "effect", "because"), hostile),
        variants=[{"key": key, "name": key + hostile} for key in "AB"],
    )
    stage(deployment_of(empty_site).store, scene)
    client = signed_in(empty_site, language)
    texts = {
        "background": hostile,
        "insight": f"[x](javascript:alert(1)) {hostile}",
        "actions": f"- {hostile}",
    }
    known = {name: text.replace("{{ 7 * 7 }}", "") for name, text in texts.items()}
    assert send(client, "/experiments/hostile/report/edit", {**known, "revision": "0"}).status_code == 303
    paths = (
        "report",
        "report/edit",
        "results",
        "health",
        "explore",
        "results/ctr",
        "snapshots",
        "report.html",
    )
    for path in paths:
        text = text_of(client, f"/experiments/hostile/{path}")
        written = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
        assert "<script>alert" not in text.replace("<script>(", "")
        assert "javascript:" not in re.sub(r"\[x\]\(javascript:alert\(1\)\)", "", written)
        assert ">49<" not in text


def test_a_name_of_ten_thousand_letters_is_refused_with_its_place(writer: FlaskClient) -> None:
    answer = send(writer, f"{REPORT}/edit", {**TEXTS, "actions": "x" * 20_001, "revision": "0"})
    assert answer.status_code == 422
    assert 'id="actions-problem"' in answer.get_data(as_text=True)


def test_any_two_readouts_are_compared(empty_site: Flask) -> None:
    store = deployment_of(empty_site).store
    stage(store, TOUCH)
    stage(store, TOUCH)
    client = signed_in(empty_site)
    with store.read() as session:
        newest = readouts.latest_id(session=session, key="touch") or 0
    compared = text_of(client, f"/experiments/touch/snapshots/{newest}/{newest - 1}")
    assert compared.count("Ship B.") == 2
    assert "+318%" in compared
    assert "an earlier readout" in text_of(client, f"/experiments/touch/results?snapshot={newest - 1}")
    assert client.get(f"/experiments/touch/snapshots/{newest}/999").status_code == 404
    assert client.get("/experiments/touch/results?snapshot=999").status_code == 404


def test_readouts_are_listed_with_the_words_of_their_verdicts(visitor: FlaskClient) -> None:
    assert "<td>Your call</td>" in text_of(visitor, "/experiments/rich/snapshots")
    assert "<td>Keep running</td>" in text_of(visitor, "/experiments/few/snapshots")


def test_another_variant_may_be_the_baseline(visitor: FlaskClient) -> None:
    text = text_of(visitor, "/experiments/touch/results?against=B")
    assert "Seen against B, for looking closer." in text
    assert 'class="card verdict' not in text
    assert '<option value="B" selected>' in text
    assert visitor.get("/experiments/touch/results?against=Z").status_code == 404


def test_a_page_that_was_drawn_once_is_not_drawn_again(
    gallery: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(gallery)
    first = text_of(client, "/experiments/touch/results")

    def drawing(*_: object, **__: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr("web.pages.results.results_of", drawing)
    again = text_of(client, "/experiments/touch/results")
    assert numbers_in(again) == numbers_in(first)


def test_what_is_kept_holds_nothing_of_a_person(gallery: Flask) -> None:
    client = gallery.test_client()
    client.get(link_for(gallery, "Zacharias"))
    text_of(client, "/experiments/rich/results")
    text_of(client, "/experiments/rich/report")
    kept = "".join(deployment_of(gallery).shelf._kept.values())
    assert "Zacharias" not in kept
    assert "csrf" not in kept
    assert "nonce" not in kept
