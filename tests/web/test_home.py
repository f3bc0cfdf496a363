import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from experiments import conclusions, launch
from experiments.catalog import find_experiment
from experiments.choices import parse_conclusion
from experiments.sheets import keep_sheet
from tests.samples import apply, experiment, metric
from tests.web import scenes
from tests.web.conftest import signed_in
from tests.web.scenes import NOW, stage
from tests.web.test_pages import HOSTILE, deployment_of

PATHS = (
    "/",
    "/experiments?q=touch&status=running&owner=&metric=ctr&tag=",
    "/experiments/touch/decide",
    "/learnings",
    "/learnings/programme",
    "/calendar",
    "/layers",
    "/holdouts",
    "/segments",
    "/segments/new",
    "/alerts",
    "/alerts/harm/refund",
    "/digest?days=7",
)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_overview_page_answers_under_the_strict_policy(gallery: Flask, language: str) -> None:
    client = signed_in(gallery, language)
    for path in PATHS:
        answer = client.get(path)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200, path
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|<style|<script>", text), path
        assert not re.search(r">[^<]*\b(NaN|None|nan|inf)\b", text), path


def test_home_says_first_what_needs_somebody(visitor: FlaskClient) -> None:
    text = visitor.get("/").get_data(as_text=True)
    needs = re.findall(r'<span class="what"><b>(.*?)</b> <span>(.*?)</span>', text)
    assert (
        "Veterans",
        "The data cannot be trusted: do not read the results before this is understood.",
    ) in needs
    assert ("Harm", "Ready to decide. The numbers say: Roll back treatment.") in needs
    assert f"{len(needs)} things need you" in text
    assert "Empty" not in dict(needs), "nothing has gone wrong before the first unit"
    assert text.index("things need you") < text.index("Running (")


def test_an_untrusted_result_shows_no_number_on_the_first_page(visitor: FlaskClient) -> None:
    rows = re.findall(r"<tr>.*?</tr>", visitor.get("/").get_data(as_text=True), re.DOTALL)
    [veterans] = [row for row in rows if "/experiments/veterans/" in row]
    assert "%" not in veterans


def test_an_empty_house_teaches(empty_site: Flask) -> None:
    client = signed_in(empty_site)
    said = {
        path: client.get(path).get_data(as_text=True)
        for path in PATHS
        if "harm" not in path and "touch/" not in path
    }
    assert "Begin with one question" in said["/"]
    assert "Nothing was learnt yet" in said["/learnings"]
    assert "At least two decided experiments" in said["/learnings/programme"]
    assert "Nothing ran in these weeks" in said["/calendar"]
    assert "No layers yet" in said["/layers"]
    assert "No holdouts yet" in said["/holdouts"]
    assert "No segments yet" in said["/segments"]
    assert "No running experiment has a guardrail" in said["/alerts"]


def test_drafts_are_those_of_whoever_looks(empty_site: Flask) -> None:
    drafts = [
        experiment(key, status="draft", owner=owner)
        for key, owner in (("mine", "Ada"), ("theirs", "Bo"), ("ours", ""))
    ]
    apply(deployment_of(empty_site).store, *drafts)
    text = signed_in(empty_site).get("/").get_data(as_text=True)
    assert "My drafts (2)" in text
    assert "/experiments/mine" in text
    assert "/experiments/theirs" not in text


def test_the_list_is_narrowed_by_owner_metric_and_tag_and_paged(empty_site: Flask) -> None:
    many = [
        experiment(
            f"e{n:02d}", status="draft", owner="Ada" if n % 2 else "Bo", tags=["even"] if n % 2 == 0 else []
        )
        for n in range(30)
    ]
    other = experiment("other", status="draft", metrics={"primary": ["visit"]})
    apply(deployment_of(empty_site).store, *many, other, metrics=[metric(), metric("visit")])
    client = signed_in(empty_site)

    def listed(query: str) -> list[str]:
        text = client.get(f"/experiments?{query}").get_data(as_text=True)
        return re.findall(r"<small>([\w-]+)</small>", text)

    assert len(listed("owner=Ada")) == 15
    assert set(listed("tag=even")) == {f"e{n:02d}" for n in range(0, 30, 2)}
    assert listed("metric=visit") == ["other"]
    assert listed("metric=nothing") == []
    first, second = listed("status=draft"), listed("status=draft&page=2")
    assert len(first) == 25
    assert len(second) == 6
    assert not set(first) & set(second)
    assert listed("page=99999999999") == first
    assert listed("page=99") == listed("page=2")
    text = client.get("/experiments?status=draft&owner=").get_data(as_text=True)
    assert 'href="/experiments?status=draft&amp;page=2"' in text


def test_texts_of_strangers_stay_texts_everywhere(empty_site: Flask) -> None:
    scene = scenes.headlines(
        "hostile",
        {"A": (5405, 19), "B": (5379, 79)},
        name=HOSTILE,
        owner=HOSTILE,
        tags=[HOSTILE],
        hypothesis=dict.fromkeys(("change", "audience", "effect", "because"), HOSTILE),
        variants=[{"key": key, "name": key + HOSTILE} for key in "AB"],
    )
    store = deployment_of(empty_site).store
    stage(store, scene)
    client = signed_in(empty_site)
    before = [
        client.get(path).get_data(as_text=True)
        for path in ("/", "/experiments", "/calendar", "/experiments/hostile/decide")
    ]
    document = {
        "choice": "ship",
        "variant": "B",
        "learning": HOSTILE,
        "reason": HOSTILE,
        "follow_ups": [{"task": HOSTILE, "owner": HOSTILE, "due": NOW}],
    }
    with store.write() as session:
        draft = parse_conclusion(document)
        conclusions.conclude(
            session=session, key="hostile", draft=draft, actor=HOSTILE, now=NOW - timedelta(days=40)
        )
    paths = (
        "/",
        "/learnings",
        "/digest?days=7",
        "/experiments/hostile/decide",
        "/experiments/hostile",
        "/experiments/hostile/retrospective",
    )
    for text in [*before, *(client.get(path).get_data(as_text=True) for path in paths)]:
        assert "<script>alert" not in text
        assert "{{ 7 * 7 }}" in text
        assert ">49<" not in text


def test_the_timeline_tells_what_an_edit_changed(empty_site: Flask) -> None:
    store = deployment_of(empty_site).store
    stage(store, scenes.TOUCH)
    with store.write() as session:
        before = find_experiment(session=session, key="touch")
        changed = before.definition.model_copy(update={"owner": "Bo", "tags": ("one", "two")})
        launch.edit(session=session, draft=changed, actor="Bo", now=NOW)
    text = signed_in(empty_site).get("/experiments/touch").get_data(as_text=True)
    assert "Bo changed the definition" in text
    assert "<dt>Tags</dt><dd><ins>one, two</ins></dd>" in text


def test_what_is_typed_and_not_written_down_is_among_ones_drafts(empty_site: Flask) -> None:
    client = signed_in(empty_site)
    for key, author, name in (
        ("half", "Ada", "Half a thought"),
        ("bare", "Ada", ""),
        ("other", "Bo", "Bo's"),
    ):
        with deployment_of(empty_site).store.write() as session:
            typed = {"texts": {"name": name}}
            keep_sheet(session=session, key=key, typed=typed, actor=author, now=NOW, revision=0)
    text = client.get("/").get_data(as_text=True)
    assert "My drafts (2)" in text
    assert '<a href="/experiments/half/edit/believe">Half a thought</a>' in text
    assert '<a href="/experiments/bare/edit/believe">bare</a>' in text
    assert "Begin with one question" not in text
    assert "/experiments/other/" not in text


def test_a_sheet_of_an_experiment_is_no_second_draft(empty_site: Flask) -> None:
    client = signed_in(empty_site)
    stage(deployment_of(empty_site).store, scenes.TOUCH)
    with deployment_of(empty_site).store.write() as session:
        keep_sheet(session=session, key="touch", typed={}, actor="Ada", now=NOW, revision=0)
    assert "/experiments/touch/edit" not in client.get("/").get_data(as_text=True)
