import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from experiments import conclusions
from experiments.catalog import find_experiment
from experiments.roles import Role
from tests.web import scenes
from tests.web.conftest import send, signed_in
from tests.web.scenes import stage
from tests.web.test_pages import deployment_of
from tests.web.test_settings_pages import somebody

PATH = "/experiments/checkout-onepage/decide"


@pytest.fixture
def client(empty_site: Flask) -> FlaskClient:
    stage(deployment_of(empty_site).store, scenes.WON)
    return signed_in(empty_site)


def asked(client: FlaskClient) -> dict[str, Any]:
    """The form as it is offered, with what a person adds at least."""
    text = client.get(PATH).get_data(as_text=True)
    hidden = dict(re.findall(r'name="(revision|snapshot)" value="(\d*)"', text))
    return {
        **hidden,
        "choice": "ship",
        "variant": "treatment",
        "rollout": "50",
        "holdout": "5",
        "learning": "经验。",
    }


def test_the_verdict_is_what_is_proposed(client: FlaskClient) -> None:
    text = client.get(PATH).get_data(as_text=True)
    assert "Ship One page." in text
    assert re.search(r'id="choice-ship"[^>]*checked', text)
    assert '<option value="treatment" selected>One page</option>' in text


def test_a_decision_is_recorded_and_carried_out_once(client: FlaskClient, empty_site: Flask) -> None:
    form = {
        **asked(client),
        "follow_up_task": ["Delete the old pages", ""],
        "follow_up_owner": ["Bo", ""],
        "follow_up_due": ["2026-04-01", ""],
    }
    assert send(client, PATH, form).status_code == 303
    assert send(client, PATH, form).status_code == 409, "sent twice"
    with deployment_of(empty_site).store.read() as session:
        assert find_experiment(session=session, key="checkout-onepage").shipped == "treatment"
        [kept] = conclusions.history_of(session=session, key="checkout-onepage")
    assert (kept.rollout, kept.holdout, kept.learning, kept.actor) == (5_000, 500, "经验。", "Ada")
    assert str(kept.snapshot) == form["snapshot"]
    text = client.get(PATH).get_data(as_text=True)
    assert "As it was decided" in text
    assert "planned for 50%; 5% stay without it" in text
    assert "Delete the old pages" in text
    assert (
        send(client, f"/experiments/checkout-onepage/follow-ups/{kept.follow_ups[0].id}", {}).status_code
        == 303
    )
    assert "✓</span> Done" in client.get(PATH).get_data(as_text=True)


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"choice": ""}, "choice", "Choose what happens now."),
        ({"learning": " "}, "learning", "in one sentence"),
        ({"choice": "stop"}, "reason", "departs from the recommendation"),
        ({"choice": "continue", "until": ""}, "until", "has not come yet"),
        ({"choice": "continue", "until": "31.12.2026"}, "until", "Write a day"),
        ({"rollout": "0"}, "rollout", "from 0.01 to 100"),
        ({"holdout": "nan"}, "holdout", "from 0 to 50"),
        ({"variant": "nobody"}, "variant", "Choose the variant"),
        ({"learning": "x" * 10_000}, "learning", "too long"),
    ],
)
def test_what_is_missing_stands_beside_its_field_and_nothing_typed_is_lost(
    client: FlaskClient, changes: dict[str, str], field: str, sentence: str
) -> None:
    form = {
        **asked(client),
        "reason": "",
        "follow_up_task": "Typed",
        "follow_up_owner": "",
        "follow_up_due": "",
        **changes,
    }
    answer = send(client, PATH, form)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    [said] = re.findall(rf'id="wrong-{field}">(.*?)</p>', text)
    assert sentence in said
    assert 'value="Typed"' in text
    assert f'aria-describedby="wrong-{field}' in text


def test_a_change_meanwhile_keeps_what_was_typed_and_takes_it_the_second_time(client: FlaskClient) -> None:
    form = {**asked(client), "revision": "99"}
    answer = send(client, PATH, form)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "经验。" in text
    [revision] = re.findall(r'name="revision" value="(\d+)"', text)
    assert send(client, PATH, {**form, "revision": revision}).status_code == 303


def test_another_line_for_a_follow_up_keeps_the_form(client: FlaskClient) -> None:
    form = {
        **asked(client),
        "more": "task",
        "follow_up_task": ["One"],
        "follow_up_owner": [""],
        "follow_up_due": [""],
    }
    text = send(client, PATH, form).get_data(as_text=True)
    assert text.count('name="follow_up_task"') == 2
    assert "经验。" in text


def test_a_draft_has_nothing_to_decide(client: FlaskClient, empty_site: Flask) -> None:
    from tests.samples import apply, experiment

    apply(deployment_of(empty_site).store, experiment("idea", status="draft"))
    assert client.get("/experiments/idea/decide").status_code == 409


def test_a_month_later_the_gain_is_asked_for_and_kept(client: FlaskClient, empty_site: Flask) -> None:
    assert send(client, PATH, asked(client)).status_code == 303
    path = "/experiments/checkout-onepage/retrospective"
    assert send(client, path, {"held": "maybe"}).status_code == 422
    assert send(client, path, {"held": "partly", "note": "Half of it."}).status_code == 303
    text = client.get(PATH).get_data(as_text=True)
    assert "Part of the gain held" in text
    assert "Half of it." in text
    assert "Part of the gain held" in client.get("/learnings").get_data(as_text=True)
    assert send(client, path, {"held": "no"}).status_code == 409
    assert "This was answered already" in client.get(path).get_data(as_text=True)


def test_learnings_are_searched_in_both_languages(client: FlaskClient) -> None:
    form = {**asked(client), "learning": "合并结账页面能减少流失。"}
    assert send(client, PATH, form).status_code == 303

    def found(query: str) -> bool:
        return "合并结账页面" in client.get(f"/learnings?{query}").get_data(as_text=True)

    assert found("q=减少流失")
    assert found("q=checkout+PAY")
    assert found("outcome=ship&metric=paid")
    assert not found("outcome=stop")
    assert not found("q=nothing-like-it")
    assert found("outcome=nonsense")


def test_a_viewer_sees_the_verdict_and_decides_nothing(client: FlaskClient, empty_site: Flask) -> None:
    form = asked(client)
    viewer = somebody(empty_site, "Vi", Role.VIEWER)
    assert "Your role may look, not decide." in viewer.get(PATH).get_data(as_text=True)
    assert send(viewer, PATH, form).status_code == 403
