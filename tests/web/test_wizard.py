import re
from collections.abc import Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from experiments import launch
from experiments.catalog import Experiment, find_experiment
from experiments.definition import parse_layer, parse_metric
from experiments.eligibility import create
from experiments.project import DefaultPlan, ProjectDraft, save_project
from experiments.registry import save_metric
from experiments.sheets import find_sheet
from tests.web.conftest import send, signed_in
from tests.web.scenes import METRICS, NOW
from web.deployment import Deployment

Fields = Mapping[str, str | list[str]]

BELIEVE: Fields = {
    "name": "Größe & Farbe",
    "key": "colour",
    "owner": "Ada",
    "tags": "shop，summer",
    "change": "paint it",
    "audience": "everybody",
    "effect": "more pay",
    "because": "blue calms",
}
MEASURE: Fields = {
    "role:paid": "primary",
    "role:refund": "guardrail",
    "margin:refund": "7,5",
    "role:revenue": "secondary",
    "mde": "5",
    "confidence": "95",
    "power": "80",
    "inference": "",
}
WHO: Fields = {
    "control": "old",
    "unit": "user_id",
    "variant_key": ["old", "new"],
    "variant_name": ["Old", "New"],
    "variant_weight": ["3", "1"],
    "variant_value": ["", '{"colour": "blue"}'],
    "condition_attribute": ["country", "age"],
    "condition_operator": ["in", "ge"],
    "condition_value": ["NO, SE", "18"],
    "match": "all",
    "traffic": "12.5",
}
CHECK: Fields = {"days": "14", "size": "", "ends": ""}
STEPS: Mapping[str, Fields] = {"believe": BELIEVE, "measure": MEASURE, "who": WHO, "check": CHECK}


@pytest.fixture
def author(empty_site: Flask) -> FlaskClient:
    deployment: Deployment = empty_site.extensions["evenhand"]
    with deployment.store.write() as session:
        for metric in METRICS:
            save_metric(session=session, draft=parse_metric(metric), actor="test", now=NOW)
    return signed_in(empty_site)


def store_of(client: FlaskClient) -> Deployment:
    deployment: Deployment = client.application.extensions["evenhand"]
    return deployment


def revision_of(client: FlaskClient, key: str = "colour") -> str:
    with store_of(client).store.read() as session:
        sheet = find_sheet(session=session, key=key)
    return str(sheet.revision) if sheet else "0"


def save(client: FlaskClient, step: str, changed: Fields | None = None, **more: str) -> TestResponse:
    fields = {**STEPS[step], **(changed or {}), "revision": revision_of(client), **more}
    return send(client, f"/experiments/colour/edit/{step}", fields)


def through(client: FlaskClient) -> TestResponse:
    """All four steps, as typed above."""
    send(client, "/experiments/new", BELIEVE)
    save(client, "measure")
    save(client, "who")
    return save(client, "check", go="save")


def experiment(client: FlaskClient, key: str = "colour") -> Experiment:
    with store_of(client).store.read() as session:
        return find_experiment(session=session, key=key)


def problems(text: str) -> dict[str, str]:
    return dict(re.findall(r'<p class="wrong" id="wrong-([^"]+)">([^<]*)</p>', text))


def test_four_steps_make_a_draft_as_it_was_typed(author: FlaskClient) -> None:
    first = send(author, "/experiments/new", BELIEVE)
    assert (first.status_code, first.location) == (303, "/experiments/colour/edit/measure")
    assert save(author, "measure").location == "/experiments/colour/edit/who"
    assert save(author, "who").location == "/experiments/colour/edit/check"
    assert save(author, "check", go="save").location == "/experiments/colour"
    made = experiment(author)
    draft = made.definition
    assert (made.status, draft.name, draft.traffic, draft.owner) == ("draft", "Größe & Farbe", 1250, "Ada")
    assert draft.tags == ("shop", "summer")
    assert [(each.key, each.weight, each.value) for each in draft.variants] == [
        ("old", 3, None),
        ("new", 1, {"colour": "blue"}),
    ]
    assert draft.targeting == {
        "all": [
            {"attribute": "country", "operator": "in", "value": ["NO", "SE"]},
            {"attribute": "age", "operator": "ge", "value": 18},
        ]
    }
    assert draft.metrics.guardrails[0].margin == 0.075
    assert (draft.plan.days, draft.plan.mde, draft.plan.confidence) == (14, 0.05, 0.95)
    page = author.get("/experiments/colour").get_data(as_text=True)
    assert "If we paint it for everybody, then more pay, because blue calms." in page


def test_what_is_typed_is_kept_before_it_is_complete(author: FlaskClient) -> None:
    send(author, "/experiments/new", {"name": "Half a thought"})
    text = author.get("/experiments/half-a-thought/edit/believe").get_data(as_text=True)
    assert 'value="Half a thought"' in text
    with store_of(author).store.read() as session:
        assert find_sheet(session=session, key="half-a-thought") is not None


def test_a_script_keeps_what_is_typed_and_learns_the_address(author: FlaskClient) -> None:
    page = author.get("/experiments/new").get_data(as_text=True)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    fields = {"name": "颜色", "csrf_token": token}
    told = author.post("/experiments/new", data=fields, headers={"X-Autosave": "1"}).get_json()
    assert told["revision"] == 1
    assert told["address"] == f"/experiments/{told['key']}/edit/believe"
    again = author.post(
        told["address"],
        data={**fields, "change": "涂成蓝色", "revision": "1"},
        headers={"X-Autosave": "1"},
    ).get_json()
    assert again["revision"] == 2
    assert "涂成蓝色" in author.get(told["address"]).get_data(as_text=True)


def test_the_second_of_two_people_is_told_and_nothing_is_overwritten(author: FlaskClient) -> None:
    send(author, "/experiments/new", BELIEVE)
    seen = revision_of(author)
    send(author, "/experiments/colour/edit/believe", {**BELIEVE, "change": "mine", "revision": seen})
    late = send(author, "/experiments/colour/edit/believe", {**BELIEVE, "change": "theirs", "revision": seen})
    text = late.get_data(as_text=True)
    assert late.status_code == 409
    assert "has changed colour meanwhile" in text
    assert 'value="theirs"' in text
    assert 'value="mine"' in author.get("/experiments/colour/edit/believe").get_data(as_text=True)


def test_a_button_that_was_clicked_twice_saves_once(author: FlaskClient) -> None:
    twice = [send(author, "/experiments/new", BELIEVE) for _ in "ab"]
    typed = {**BELIEVE, "change": "mine", "revision": revision_of(author)}
    twice += [send(author, "/experiments/colour/edit/believe", typed) for _ in "ab"]
    assert {(each.status_code, each.location) for each in twice} == {
        (303, "/experiments/colour/edit/measure")
    }
    assert send(author, "/experiments/new", BELIEVE).status_code == 409


@pytest.mark.parametrize(
    ("step", "changed", "field", "message"),
    [
        ("believe", {"name": "n" * 201}, "name", "at most 200 characters"),
        ("believe", {"change": "n" * 2001}, "change", "at most 2000 characters"),
        ("measure", {"role:paid": ""}, "metrics", "at least one primary"),
        ("measure", {"margin:refund": "none"}, "margin:refund", "Write a number."),
        ("measure", {"margin:refund": "0"}, "margin:refund", "above 0"),
        ("measure", {"margin:refund": "2000"}, "margin:refund", "below 1000"),
        ("measure", {"mde": "-3"}, "mde", "above 0"),
        ("measure", {"confidence": "100"}, "confidence", "below 100"),
        ("measure", {"confidence": "20"}, "confidence", "from 50"),
        ("measure", {"inference": "guess"}, "inference", ""),
        ("who", {"control": "third"}, "control", "not the key of any variant"),
        ("who", {"variant_key": ["old", "old"]}, "variants", "same key"),
        ("who", {"variant_key": ["old", "bad key"]}, "variant_key:1", "Use letters, digits"),
        ("who", {"variant_weight": ["1", "half"]}, "variant_weight:1", "Write a number."),
        ("who", {"variant_weight": ["1", "0.5"]}, "variant_weight:1", "Write a whole number."),
        ("who", {"variant_weight": ["1", "-1"]}, "variant_weight:1", "from 0"),
        ("who", {"variant_weight": ["1", "0"]}, "variants", "weight above 0"),
        ("who", {"variant_value": ["", "{blue}"]}, "variant_value:1", "not JSON"),
        (
            "who",
            {"condition_operator": ["in", "version_ge"], "condition_value": ["NO", "young"]},
            "targeting",
            "",
        ),
        ("who", {"traffic": "101"}, "traffic", "up to 100"),
        ("who", {"traffic": "NaN"}, "traffic", "Write a number."),
        ("who", {"unit": "session"}, "unit", "Choose one"),
        ("check", {"days": "0"}, "days", "from 1"),
        ("check", {"ends": "soon"}, "ends", "Write a date"),
    ],
)
def test_each_problem_stands_beside_its_field_and_nothing_is_lost(
    author: FlaskClient, step: str, changed: Fields, field: str, message: str
) -> None:
    through(author)
    answer = save(author, step, changed, **({"go": "save"} if step == "check" else {}))
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert message in problems(text)[field]
    for name in set(changed) & {"control", "traffic", "days", "mde", "confidence", "ends"}:
        assert f'name="{name}" value="{changed[name]}"' in text
    assert 'value="blue calms"' in author.get("/experiments/colour/edit/believe").get_data(as_text=True)


def test_a_key_is_never_used_twice(author: FlaskClient) -> None:
    through(author)
    answer = send(author, "/experiments/new", BELIEVE)
    assert answer.status_code == 409
    assert "never used twice" in problems(answer.get_data(as_text=True))["key"]


def test_lines_can_be_added_without_scripts(author: FlaskClient) -> None:
    through(author)
    text = save(author, "who", go="variant").get_data(as_text=True)
    assert text.count('name="variant_key"') == 3
    text = save(author, "who", go="condition").get_data(as_text=True)
    assert text.count('name="condition_attribute"') == 3
    assert 'value="NO, SE"' in text


def test_hostile_text_comes_back_as_text(author: FlaskClient) -> None:
    hostile = '"><script>alert(1)</script>'
    for key in (hostile, "colour"):
        answer = send(author, "/experiments/new", {**BELIEVE, "key": key, "name": hostile, "change": hostile})
    pages = [answer.get_data(as_text=True)]
    pages += [author.get(f"/experiments/colour/edit/{step}").get_data(as_text=True) for step in STEPS]
    assert not any("<script>alert" in page for page in pages)
    assert "&lt;script&gt;alert(1)" in pages[1]


def test_without_metrics_the_form_says_how_to_bring_them(empty_site: Flask) -> None:
    client = signed_in(empty_site)
    send(client, "/experiments/new", BELIEVE)
    assert "There are no metrics yet." in client.get("/experiments/colour/edit/measure").get_data(
        as_text=True
    )


def test_a_long_rest_of_metrics_is_folded_away_and_never_what_was_chosen(author: FlaskClient) -> None:
    with store_of(author).store.write() as session:
        for number in range(20):
            draft = parse_metric({"key": f"a{number:02}", "kind": "proportion", "event": "visit"})
            save_metric(session=session, draft=draft, actor="test", now=NOW)
    send(author, "/experiments/new", BELIEVE)
    save(author, "measure", {"role:revenue": "", "role:a19": "secondary"})
    page = author.get("/experiments/colour/edit/measure").get_data(as_text=True)
    sight, folded = page.split('<details class="inner">')[:2]
    assert all(f'id="role:{key}"' in sight for key in ("paid", "refund", "a19"))
    assert 'id="role:a12"' in folded
    assert "selected>primary" not in folded
    assert page.count('name="role:') == 20 + len(METRICS)


def test_the_checklist_blocks_until_the_hypothesis_is_complete(author: FlaskClient) -> None:
    through(author)
    save(author, "believe", {"because": ""})
    refused = save(author, "check", go="start")
    assert refused.status_code == 422
    assert "Complete the hypothesis" in refused.get_data(as_text=True)
    save(author, "believe")
    assert save(author, "check", go="start").location == "/experiments/colour"
    assert experiment(author).status == "running"
    with store_of(author).store.read() as session:
        assert find_sheet(session=session, key="colour") is None


def test_a_draft_can_be_handed_over_for_review(author: FlaskClient) -> None:
    through(author)
    save(author, "check", go="review")
    assert experiment(author).status == "review"


def test_the_outlook_is_recomputed_from_what_is_typed(author: FlaskClient) -> None:
    through(author)
    answer = send(author, "/experiments/colour/edit/outlook", {**MEASURE, "step": "measure"})
    assert "Nothing is known of this metric" in answer.get_data(as_text=True)
    answer = send(author, "/experiments/colour/edit/outlook", {**MEASURE, "role:paid": "", "step": "measure"})
    assert "Choose a primary metric" in answer.get_data(as_text=True)


def test_nothing_is_edited_that_does_not_exist_or_is_over(author: FlaskClient) -> None:
    assert author.get("/experiments/nothing/edit/believe").status_code == 404
    assert author.get("/experiments/new/edit/believe").status_code == 404
    through(author)
    with store_of(author).store.write() as session:
        launch.archive(session=session, key="colour", actor="t", now=NOW)
    assert save(author, "believe").status_code == 422


def test_a_new_experiment_begins_with_the_projects_plan(author: FlaskClient) -> None:
    plan = DefaultPlan(
        confidence=0.9, power=0.7, mde=0.025, days=21, inference="fixed", correction="benjamini_hochberg"
    )
    with store_of(author).store.write() as session:
        save_project(session=session, draft=ProjectDraft(plan=plan), actor="Ada", now=NOW)
    send(author, "/experiments/new", BELIEVE)
    page = author.get("/experiments/colour/edit/measure").get_data(as_text=True)
    shown = dict(re.findall(r'<input id="(\w+)" name="\w+"[^>]*? value="([^"]*)"', page))
    assert (shown["confidence"], shown["power"], shown["mde"]) == ("90", "70", "2.5")
    fields = {**MEASURE, "confidence": "90", "power": "70", "mde": "2.5", "inference": "fixed"}
    save(author, "measure", fields)
    save(author, "who")
    save(author, "check", {"days": "21"}, go="save")
    made = experiment(author).definition.plan
    assert (made.confidence, made.power, made.mde, made.days) == (0.9, 0.7, 0.025, 21)
    assert (made.inference, made.correction) == ("fixed", "benjamini_hochberg")


def test_the_correction_of_an_experiment_outlives_its_form(author: FlaskClient) -> None:
    through(author)
    standing = experiment(author).definition
    plan = standing.plan.model_copy(update={"correction": "none"})
    with store_of(author).store.write() as session:
        changed = standing.model_copy(update={"plan": plan})
        launch.edit(session=session, draft=changed, actor="Ada", now=NOW)
    save(author, "check", {"days": "21"}, go="save")
    made = experiment(author).definition.plan
    assert (made.days, made.correction) == (21, "none")


def test_the_layers_of_the_project_are_to_choose_from(author: FlaskClient) -> None:
    with store_of(author).store.write() as session:
        create(session=session, draft=parse_layer({"key": "page"}), actor="Ada", now=NOW)
    send(author, "/experiments/new", BELIEVE)
    page = author.get("/experiments/colour/edit/who").get_data(as_text=True)
    assert '<option value="page"' in page
