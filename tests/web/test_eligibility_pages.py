import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from experiments import launch
from experiments.allotment import allotments
from experiments.catalog import find_experiment
from experiments.definition import Definitions
from experiments.eligibility import list_holdouts, list_segments
from tests.samples import NOW, experiment, metric
from tests.web.conftest import send, signed_in
from tests.web.test_pages import deployment_of
from web.pages.rows_form import RowsForm, TypedRow, condition_of, rows_of

SEGMENT = {
    "key": "nordic",
    "name": "Nordic",
    "joined": "all",
    "row_attribute": ["country", "orders"],
    "row_operator": ["in", "ge"],
    "row_value": ["NO, SE", "2"],
    "condition": "",
}


@pytest.fixture
def client(empty_site: Flask) -> FlaskClient:
    document = {
        "metrics": [metric()],
        "layers": [{"key": "checkout"}],
        "experiments": [
            experiment("left", layer="checkout", slots=[[0, 3_000]]),
            experiment("idea", status="draft"),
        ],
    }
    with deployment_of(empty_site).store.write() as session:
        file = Definitions.model_validate(document)
        launch.apply(session=session, definitions=file, actor="Ada", now=NOW)
    return signed_in(empty_site)


def test_a_free_part_of_a_layer_is_a_way_to_start_there(client: FlaskClient, empty_site: Flask) -> None:
    text = client.get("/layers").get_data(as_text=True)
    assert "70% is free" in text
    [address] = set(re.findall(r'href="(/layers/checkout/place[^"]+)"', text))
    assert "idea" in client.get(address.replace("&amp;", "&")).get_data(as_text=True)
    answer = send(client, "/layers/checkout/place", {"experiment": "idea", "start": "30", "end": "50,5"})
    assert answer.status_code == 303
    with deployment_of(empty_site).store.read() as session:
        placed = find_experiment(session=session, key="idea").definition
        assert (placed.layer, placed.slots) == ("checkout", ((3_000, 5_050),))
        [layer] = allotments(session=session)
    assert [each.key for each in layer.waiting] == ["idea"]


@pytest.mark.parametrize(
    ("experiment", "start", "end"),
    [
        ("left", "30", "50"),
        ("nobody", "30", "50"),
        ("idea", "50", "30"),
        ("idea", "0", "200"),
        ("idea", "-1", "50"),
        ("idea", "half", ""),
    ],
)
def test_only_drafts_go_into_real_parts(client: FlaskClient, experiment: str, start: str, end: str) -> None:
    answer = send(client, "/layers/checkout/place", {"experiment": experiment, "start": start, "end": end})
    assert answer.status_code == 422
    assert f'value="{start}"' in answer.get_data(as_text=True)
    assert client.get("/layers/nowhere/place").status_code == 404
    assert client.get("/layers/checkout/place?from=5000&to=3000").status_code == 400


def test_layers_and_holdouts_are_made_once(client: FlaskClient, empty_site: Flask) -> None:
    assert send(client, "/layers", {"key": "prices", "name": "", "description": ""}).status_code == 303
    assert send(client, "/layers", {"key": "prices", "name": "", "description": ""}).status_code == 409
    assert send(client, "/layers", {"key": "not a key", "name": "", "description": ""}).status_code == 422
    good = {"key": "2026", "name": "", "description": "", "share": "2,5"}
    assert send(client, "/holdouts", good).status_code == 303
    again = send(client, "/holdouts", good)
    assert again.status_code == 409
    assert "This key is in use" in again.get_data(as_text=True)
    for share in ("0", "51", "much"):
        answer = send(client, "/holdouts", {**good, "key": "more", "share": share})
        assert answer.status_code == 422
        assert "from 0.01 to 50" in answer.get_data(as_text=True)
    with deployment_of(empty_site).store.read() as session:
        assert [each.definition.share for each in list_holdouts(session=session)] == [250]
    assert "2.5%" in client.get("/holdouts").get_data(as_text=True)


def test_a_segment_is_written_in_lines_and_told_in_words(client: FlaskClient, empty_site: Flask) -> None:
    assert send(client, "/segments/new", SEGMENT).status_code == 303
    with deployment_of(empty_site).store.read() as session:
        [kept] = list_segments(session=session)
    assert kept.condition == {
        "all": [
            {"attribute": "country", "operator": "in", "value": ["NO", "SE"]},
            {"attribute": "orders", "operator": "ge", "value": 2},
        ]
    }
    assert "country is one of NO or SE and orders is at least 2" in client.get("/segments").get_data(
        as_text=True
    )
    form = client.get("/segments/nordic/edit").get_data(as_text=True)
    assert 'value="NO, SE"' in form
    assert send(client, "/segments/new", SEGMENT).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"row_attribute": ["", ""]},
        {"row_operator": ["in", "unheard_of"]},
        {"condition": "{"},
        {"condition": "[1]"},
        {"condition": '{"segment": "nowhere"}'},
        {"row_value": ["", "2"]},
    ],
)
def test_a_condition_that_cannot_be_keeps_what_was_typed(
    client: FlaskClient, changes: dict[str, Any]
) -> None:
    answer = send(client, "/segments/new", {**SEGMENT, **changes})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'class="wrong"' in text
    assert 'value="Nordic"' in text


def test_who_uses_a_segment_is_named_and_may_rely_on_it(client: FlaskClient, empty_site: Flask) -> None:
    assert send(client, "/segments/new", SEGMENT).status_code == 303
    around = {**SEGMENT, "key": "around", "condition": '{"not": {"segment": "nordic"}}'}
    assert send(client, "/segments/new", around).status_code == 303
    aimed = experiment("aimed", targeting={"segment": "around"})
    with deployment_of(empty_site).store.write() as session:
        file = Definitions.model_validate({"metrics": [metric()], "experiments": [aimed]})
        launch.apply(session=session, definitions=file, actor="Ada", now=NOW)
    text = client.get("/segments").get_data(as_text=True)
    assert text.count('href="/experiments/aimed"') == 2
    refused = send(client, "/segments/nordic/edit", {**SEGMENT, "row_value": ["DK", "2"]})
    assert refused.status_code == 409
    assert "An experiment that has started stands on it." in refused.get_data(as_text=True)
    assert client.get("/segments/nowhere/edit").status_code == 404


SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
        lambda text: text == text.strip()
    ),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.booleans(),
)


@given(value=SCALARS, joined=st.sampled_from(["all", "any"]))
def test_a_condition_comes_back_from_the_form_as_it_was(value: Any, joined: str) -> None:
    condition = {joined: [{"attribute": "a", "operator": "eq", "value": value}]}
    assert condition_of(rows_of(condition)) == condition


def test_what_lines_cannot_say_is_shown_as_json() -> None:
    condition = {"any": [{"segment": "x"}, {"all": [{"attribute": "a", "operator": "exists"}]}]}
    form = rows_of(condition)
    assert form.text
    assert condition_of(form) == condition
    assert condition_of(RowsForm(rows=(TypedRow("a", "exists", "ignored"),))) == {
        "all": [{"attribute": "a", "operator": "exists"}]
    }
