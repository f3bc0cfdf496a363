import gzip
import json
import re
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient

from experiments import launch
from experiments.catalog import find_experiment
from experiments.definition import Definitions
from experiments.errors import Unavailable
from experiments.store import Store
from tests.web import scenes
from tests.web.conftest import link_for, send, signed_in
from tests.web.scenes import NOW, stage
from web.deployment import Deployment

HOSTILE = "\"><script>alert(1)</script>{{ 7 * 7 }}$$x$$'"
RESULTS = [f"/experiments/{scene.key}/results" for scene in scenes.SCENES]


def deployment_of(app: Flask) -> Deployment:
    found: Deployment = app.extensions["evenhand"]
    return found


CLOSER = [
    f"/experiments/rich/{path}"
    for path in (
        "results/paid",
        "health",
        "explore",
        "explore?tab=retention",
        "explore?tab=segments",
        "explore?tab=channels",
        "report",
        "report/edit",
        "snapshots",
    )
]


@pytest.mark.parametrize(
    "path", ["/experiments", "/experiments/new", "/experiments/touch", *RESULTS, *CLOSER]
)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_page_answers_under_the_strict_policy(gallery: Flask, path: str, language: str) -> None:
    answer = signed_in(gallery, language).get(path)
    text = answer.get_data(as_text=True)
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|<style|https?://(?!127)", text)
    assert [
        tag
        for tag in re.findall(r"<script[^>]*>", text)
        if "src=" not in tag and "application/json" not in tag
    ] == []
    assert re.search(r"<html lang=\"(zh-Hans-CN|en)\">", text)
    assert not re.search(r">[^<]*\bNaN\b", text)
    assert "None" not in re.sub(r"<script type=\"application/json\".*?</script>", "", text, flags=re.DOTALL)


def test_each_answer_has_its_own_nonce(visitor: FlaskClient) -> None:
    nonces = {
        re.findall(r"nonce-([\w-]+)", visitor.get("/experiments").headers["Content-Security-Policy"])[0]
        for _ in "ab"
    }
    assert len(nonces) == 2


@pytest.mark.parametrize("path", RESULTS)
def test_figures_are_json_that_keeps_its_order(visitor: FlaskClient, path: str) -> None:
    text = visitor.get(path).get_data(as_text=True)
    for item in re.findall(r"<script type=\"application/json\"[^>]*>(.*?)</script>", text, re.DOTALL):
        assert list(json.loads(item)) == ["target_id", "root_id", "doc", "version"]
    labels = re.findall(r"role=\"img\" aria-label=\"([^\"]+)\"", text)
    assert len(labels) == text.count("data-figure=")


def test_the_list_can_be_searched_and_filtered(visitor: FlaskClient) -> None:
    def listed(query: str) -> list[str]:
        return re.findall(
            r"<small>([\w-]+)</small>", visitor.get(f"/experiments?{query}").get_data(as_text=True)
        )

    assert sorted(listed("q=checkout+pay")) == ["checkout-onepage", "rich"]
    assert len(listed("status=running")) == len(scenes.SCENES)
    assert listed("status=draft") == []
    assert "Nothing matches" in visitor.get("/experiments?status=draft").get_data(as_text=True)
    assert len(listed("status=unheard-of")) == len(scenes.SCENES)


def test_the_list_teaches_when_it_is_empty(empty_site: Flask) -> None:
    text = signed_in(empty_site).get("/experiments").get_data(as_text=True)
    assert "No experiments yet" in text
    assert "evenhand apply" in text


def test_an_untrusted_result_shows_no_number_in_the_list(visitor: FlaskClient) -> None:
    text = visitor.get("/experiments?q=veterans").get_data(as_text=True)
    assert "Do not read" in text
    assert "+25%" not in text


def test_results_that_do_not_exist_yet_are_a_calm_state(empty_site: Flask) -> None:
    with deployment_of(empty_site).store.write() as session:
        launch.apply(session=session, definitions=scenes.TOUCH.definitions(), actor="Ada", now=NOW)
    text = signed_in(empty_site).get("/experiments/touch/results").get_data(as_text=True)
    assert "Not analysed yet" in text
    assert "evenhand analyze touch" in text


def test_p_values_stay_in_the_detail(visitor: FlaskClient) -> None:
    text = visitor.get("/experiments/touch/results").get_data(as_text=True)
    before, _, after = text.partition("Every comparison in detail")
    assert "p-value" not in before
    assert "If nothing had changed" in after


def test_another_comparison_can_be_shown_over_time(visitor: FlaskClient) -> None:
    text = visitor.get("/experiments/touch/results?show=ctr:C").get_data(as_text=True)
    assert '<option value="ctr:C" selected>' in text
    assert visitor.get("/experiments/touch/results?show=nonsense").status_code == 200


def test_the_source_of_foreign_data_is_named(visitor: FlaskClient) -> None:
    text = visitor.get("/experiments/checkout-onepage/results").get_data(as_text=True)
    assert "Source of the data: Invented numbers." in text


def test_hostile_names_are_text(empty_site: Flask) -> None:
    scene = scenes.headlines(
        "hostile",
        {"A": (5405, 19), "B": (5379, 79), "C": (5374, 78)},
        name=HOSTILE,
        description=HOSTILE,
        owner=HOSTILE,
        tags=[HOSTILE],
        source=HOSTILE,
        hypothesis=dict.fromkeys(("change", "audience", "effect", "because"), HOSTILE),
        variants=[{"key": key, "name": key + HOSTILE, "value": HOSTILE} for key in "ABC"],
    )
    stage(deployment_of(empty_site).store, scene)
    client = signed_in(empty_site)
    for path in ("/experiments", "/experiments/hostile", "/experiments/hostile/results"):
        text = client.get(path).get_data(as_text=True)
        assert "<script>alert" not in text
        assert "{{ 7 * 7 }}" in text
        assert ">49<" not in text


def test_a_missing_page_is_a_page(visitor: FlaskClient) -> None:
    for path in (
        "/nowhere",
        "/experiments/nowhere",
        "/experiments/nowhere/results",
        "/experiments/touch/start",
    ):
        answer = visitor.get(path)
        assert answer.status_code == 404
        assert "There is nothing here" in answer.get_data(as_text=True)
        assert "Content-Security-Policy" in answer.headers


def test_starting_is_confirmed_and_bound_to_what_was_seen(empty_site: Flask) -> None:
    document = scenes.TOUCH.definitions().model_dump(mode="json")
    document["experiments"][0]["status"] = "draft"
    with deployment_of(empty_site).store.write() as session:
        launch.apply(session=session, definitions=Definitions.model_validate(document), actor="Ada", now=NOW)
    client = signed_in(empty_site, "en")
    asked = client.get("/experiments/touch/start").get_data(as_text=True)
    revision = re.findall(r'name="revision" value="(\d+)"', asked)[0]
    assert send(client, "/experiments/touch/start", {"revision": "99"}).status_code == 409
    assert send(client, "/experiments/touch/start", {}).status_code == 400
    assert send(client, "/experiments/touch/start", {"revision": revision}).status_code == 303
    with deployment_of(empty_site).store.read() as session:
        assert find_experiment(session=session, key="touch").status == "running"
    text = client.get("/experiments/touch").get_data(as_text=True)
    assert "Ada started it" in text
    assert "/experiments/touch/stop" in text


def test_assets_are_kept_for_good_and_packed(visitor: FlaskClient) -> None:
    text = visitor.get("/experiments/touch/results").get_data(as_text=True)
    addresses = re.findall(r"(?:src|href)=\"(/(?:assets|vendor)/[^\"]+)\"", text)
    assert len(addresses) >= 6
    for address in addresses:
        answer = visitor.get(address, headers={"Accept-Encoding": "gzip"})
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
        plain = visitor.get(address)
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(answer.data) == plain.data


def test_an_old_or_foreign_asset_address_is_not_kept(visitor: FlaskClient) -> None:
    assert visitor.get("/assets/0000/evenhand.css").headers["Cache-Control"] == "no-cache"
    assert visitor.get("/assets/0000/..%2Fauth.py").status_code == 404
    assert visitor.get("/vendor/bokeh/0.0.1/bokeh.min.js").status_code == 404


def test_a_sign_in_link_in_another_language_is_enough(gallery: Flask) -> None:
    client = gallery.test_client()
    client.get(link_for(gallery))
    answer = client.get("/experiments", headers={"Accept-Language": "zh-TW,zh;q=0.9"})
    assert 'lang="zh-Hans-CN"' in answer.get_data(as_text=True)


def test_a_database_that_is_away_is_said_on_a_page(
    empty_site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(empty_site)

    def away(_: Store) -> NoReturn:
        raise Unavailable("the database cannot be used right now")

    monkeypatch.setattr(Store, "read", away)
    answer = client.get("/experiments")
    assert answer.status_code == 503
    assert "The database cannot be reached" in answer.get_data(as_text=True)


def test_a_definition_that_cannot_be_read_is_named_and_hides_no_other(empty_site: Flask) -> None:
    store = deployment_of(empty_site).store
    stage(store, scenes.SCENES[0])
    broken = scenes.SCENES[0].key
    with store.write() as session:
        session.connection().exec_driver_sql("UPDATE experiment SET definition = '{'")
    client = signed_in(empty_site)
    text = client.get("/experiments").get_data(as_text=True)
    assert f"cannot be read: {broken}." in text
    assert "No experiments yet" not in text
    answer = client.get(f"/experiments/{broken}")
    assert answer.status_code == 409
    assert "apply it again" in answer.get_data(as_text=True)
    named = client.get("/api/v1/experiments").get_json()
    assert named["experiments"] == []
    assert named["illegible"][0].startswith(f"experiment {broken}: ")


def test_nothing_is_asked_for_where_another_system_decides(gallery: Flask) -> None:
    text = signed_in(gallery).get("/experiments/touch/why?unit=user-1").get_data(as_text=True)
    assert "Another system assigns it" in text
    assert 'name="unit"' not in text
