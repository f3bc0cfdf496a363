import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from experiments.catalog import find_experiment, save_metric
from experiments.definition import parse_metric
from tests.web.conftest import send, signed_in
from tests.web.scenes import METRICS, NOW
from web.deployment import Deployment

GOOD: dict[str, str | list[str]] = {
    "name": "Größe & Farbe",
    "key": "colour",
    "change": "paint it",
    "audience": "everybody",
    "effect": "more pay",
    "because": "blue calms",
    "control": "old",
    "unit": "user_id",
    "variant_key": ["old", "new"],
    "variant_name": ["Old", "New"],
    "variant_weight": ["3", "1"],
    "variant_value": ["", '{"colour": "blue"}'],
    "role:paid": "primary",
    "role:refund": "guardrail",
    "margin:refund": "7,5",
    "role:revenue": "secondary",
    "traffic": "12.5",
    "days": "14",
    "mde": "5",
    "confidence": "95",
    "inference": "",
    "size": "",
}


@pytest.fixture
def author(empty_site: Flask) -> FlaskClient:
    deployment: Deployment = empty_site.extensions["evenhand"]
    with deployment.store.write() as session:
        for metric in METRICS:
            save_metric(session=session, draft=parse_metric(metric), actor="test", now=NOW)
    return signed_in(empty_site)


def problems(text: str) -> dict[str, str]:
    return dict(re.findall(r'<p class="wrong" id="wrong-([^"]+)">([^<]*)</p>', text))


def test_a_draft_is_written_down_as_typed(author: FlaskClient) -> None:
    answer = send(author, "/experiments/new", GOOD)
    assert (answer.status_code, answer.location) == (303, "/experiments/colour")
    deployment: Deployment = author.application.extensions["evenhand"]
    with deployment.store.read() as session:
        experiment = find_experiment(session=session, key="colour")
    draft = experiment.definition
    assert (experiment.status, draft.name, draft.traffic) == ("draft", "Größe & Farbe", 1250)
    assert [(each.key, each.weight, each.value) for each in draft.variants] == [
        ("old", 3, None),
        ("new", 1, {"colour": "blue"}),
    ]
    assert draft.metrics.guardrails[0].margin == 0.075
    assert (draft.plan.days, draft.plan.mde, draft.plan.confidence) == (14, 0.05, 0.95)
    page = author.get("/experiments/colour").get_data(as_text=True)
    assert "If we paint it for everybody, then more pay, because blue calms." in page
    assert "/experiments/colour/start" in page


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"key": "no spaces"}, "key", "Use letters, digits"),
        ({"key": ""}, "key", "Use letters, digits"),
        ({"name": "n" * 201}, "name", "at most 200 characters"),
        ({"change": "n" * 2001}, "change", "at most 2000 characters"),
        ({"control": "third"}, "control", "not the key of any variant"),
        ({"variant_key": ["old", "old"]}, "variants", "same key"),
        ({"variant_key": ["old", "bad key"]}, "variant_key:1", "Use letters, digits"),
        ({"variant_weight": ["1", "half"]}, "variant_weight:1", "Write a number."),
        ({"variant_weight": ["1", "0.5"]}, "variant_weight:1", "Write a whole number."),
        ({"variant_weight": ["1", "-1"]}, "variant_weight:1", "from 0"),
        ({"variant_weight": ["1", "0"]}, "variants", "weight above 0"),
        ({"variant_value": ["", "{blue}"]}, "variant_value:1", "not JSON"),
        ({"role:paid": ""}, "metrics", "at least one primary"),
        ({"role:unheard": "secondary"}, "metrics", "does not exist"),
        ({"margin:refund": "none"}, "margin:refund", "Write a number."),
        ({"margin:refund": "0"}, "margin:refund", "above 0"),
        ({"margin:refund": "2000"}, "margin:refund", "below 1000"),
        ({"traffic": "101"}, "traffic", "up to 100"),
        ({"traffic": "NaN"}, "traffic", "Write a number."),
        ({"days": "0"}, "days", "from 1"),
        ({"mde": "-3"}, "mde", "above 0"),
        ({"confidence": "100"}, "confidence", "below 100"),
        ({"confidence": "20"}, "confidence", "from 50"),
        ({"inference": "sequential"}, "size", "needs that size"),
        ({"inference": "guess"}, "inference", ""),
        ({"unit": "session"}, "unit", "Choose one"),
    ],
)
def test_each_problem_stands_beside_its_field_and_nothing_is_lost(
    author: FlaskClient, changed: dict[str, str | list[str]], field: str, message: str
) -> None:
    sent = {**GOOD, **changed}
    answer = send(author, "/experiments/new", sent)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert message in problems(text)[field]
    assert 'value="blue calms"' in text
    assert "Größe &amp; Farbe" in text or field == "name"
    for name in set(changed) & {"name", "key", "control", "traffic", "days", "mde", "confidence"}:
        assert f'name="{name}" value="{changed[name]}"' in text


def test_a_key_is_never_used_twice(author: FlaskClient) -> None:
    send(author, "/experiments/new", GOOD)
    answer = send(author, "/experiments/new", GOOD)
    assert answer.status_code == 409
    assert "never used twice" in problems(answer.get_data(as_text=True))["key"]


def test_another_variant_can_be_added_without_scripts(author: FlaskClient) -> None:
    answer = send(author, "/experiments/new", {**GOOD, "more": "variant"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert text.count('name="variant_key"') == 3
    assert 'value="blue calms"' in text
    lines = {"variant_key": ["old", "new", ""], "variant_name": ["", "", ""]}
    more = {**GOOD, **lines, "variant_weight": ["1", "1", "1"], "variant_value": ["", "", ""]}
    assert send(author, "/experiments/new", more).status_code == 303


def test_hostile_text_comes_back_as_text(author: FlaskClient) -> None:
    hostile = '"><script>alert(1)</script>'
    text = send(author, "/experiments/new", {**GOOD, "key": hostile, "name": hostile}).get_data(as_text=True)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_without_metrics_the_form_says_how_to_bring_them(empty_site: Flask) -> None:
    text = signed_in(empty_site).get("/experiments/new").get_data(as_text=True)
    assert "There are no metrics yet." in text
