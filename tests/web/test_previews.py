"""Preview links at the doors and on the pages: shown to whoever opens them, counted nowhere."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from experiments.previews import Preview
from experiments.project import ProjectDraft, save_project
from experiments.store.tables import ExposureRow
from tests.samples import NOW, apply, experiment
from tests.web import scenes
from tests.web.conftest import send, signed_in
from web.deployment import Deployment

PATH = "/ofrep/v1/evaluate/flags"
SOON = NOW + timedelta(days=7)


def token(deployment: Deployment, key: str = "checkout", variant: str = "new", until: Any = SOON) -> str:
    return deployment.previews.signer.write(Preview(key, variant, until))


def ask(client: FlaskClient, key: str, path: str, **context: str) -> Any:
    asked = {"context": {"targetingKey": "u1", **context}}
    return client.post(path, json=asked, headers={"Authorization": f"Bearer {key}"})


def recorded(deployment: Deployment) -> list[ExposureRow]:
    deployment.writer.close()
    with deployment.store.read() as session:
        return list(session.exec(select(ExposureRow)))


@pytest.mark.parametrize("variant", ["old", "new"])
def test_whoever_comes_by_the_link_sees_its_variant_and_is_not_recorded(
    deployment: Deployment, server_key: str, client: FlaskClient, variant: str
) -> None:
    answer = ask(client, server_key, f"{PATH}/checkout", _variant=token(deployment, variant=variant)).json
    assert (answer["variant"], answer["value"]) == (variant, {"old": "v1", "new": "v2"}[variant])
    assert answer["reason"] == "STATIC"
    assert answer["metadata"]["detail"] == "preview"
    assert (answer["metadata"]["inExperiment"], answer["metadata"]["preview"]) == (False, "shown")
    assert recorded(deployment) == []


def test_a_draft_can_be_looked_at_one_by_one_and_among_all(
    deployment: Deployment, client_key: str, client: FlaskClient
) -> None:
    link = token(deployment, "later")
    assert ask(client, client_key, f"{PATH}/later").status_code == 404
    assert ask(client, client_key, f"{PATH}/later", _variant=link).json["value"] == "v2"
    flags = ask(client, client_key, PATH, _variant=link).json["flags"]
    assert [(each["key"], each["value"]) for each in flags if each["key"] == "later"] == [("later", "v2")]


def test_the_tag_of_all_answers_tells_a_preview_from_none(
    deployment: Deployment, client_key: str, client: FlaskClient
) -> None:
    plain = ask(client, client_key, PATH)
    shown = ask(client, client_key, PATH, _variant=token(deployment, variant="old"))
    other = ask(client, client_key, PATH, _variant=token(deployment, variant="new"))
    assert len({each.headers["ETag"] for each in (plain, shown, other)}) == 3


@pytest.mark.parametrize(
    ("made", "state"),
    [
        (lambda d: token(d, until=NOW), "expired"),
        (lambda d: token(d).replace(":new:", ":old:"), "invalid"),
        (lambda _: "checkout:new", "invalid"),
        (lambda d: token(d, variant="never"), "gone"),
    ],
    ids=["expired", "forged", "unsigned", "gone"],
)
def test_a_link_that_does_not_hold_changes_nothing_and_says_so(
    deployment: Deployment, server_key: str, client: FlaskClient, made: Any, state: str
) -> None:
    plain = ask(client, server_key, f"{PATH}/checkout").json
    answer = ask(client, server_key, f"{PATH}/checkout", _variant=made(deployment)).json
    assert answer["metadata"].pop("preview") == state
    assert answer == plain


def test_other_experiments_are_decided_and_recorded_as_ever(
    deployment: Deployment, server_key: str, client: FlaskClient
) -> None:
    apply(deployment.store, experiment("search"))
    deployment.mirror.refresh()
    answer = ask(client, server_key, f"{PATH}/search", _variant=token(deployment)).json
    assert answer["metadata"]["detail"] == "assigned"
    (row,) = recorded(deployment)
    assert (row.experiment, row.attributes) == ("search", None)


@pytest.mark.parametrize("sent", [7, None, ["checkout:new"], "", ":", "x" * 5_000, "ü:\u202e"])
def test_whatever_else_is_sent_is_no_link(
    deployment: Deployment, server_key: str, client: FlaskClient, sent: Any
) -> None:
    assert ask(client, server_key, f"{PATH}/checkout", _variant=sent).status_code == 200


def test_the_checklist_knows_which_variants_were_looked_at_as_they_are_now(empty_site: Flask) -> None:
    visitor, deployment = signed_in(empty_site), empty_site.extensions["evenhand"]
    apply(deployment.store, experiment(status="draft"))
    path, context = "/api/v1/experiments/checkout", {"targetingKey": "u1"}

    def unseen() -> list[str]:
        points = document(visitor, f"{path}/readiness")["points"]
        return next(each["names"] for each in points if each["code"] == "opened")

    def open_(variant: str) -> None:
        link = {"_variant": token(deployment, variant=variant)}
        assert deployment.previews.look({**context, **link}, deployment.mirror.reflection.ruleset)
        deployment.previews.note()

    assert unseen() == ["old", "new"]
    open_("new")
    open_("new")
    assert unseen() == ["old"]
    assert [each["opened"] for each in document(visitor, f"{path}/previews")["previews"]] == [False, True]
    page = visitor.get("/experiments/checkout/preview").get_data(as_text=True)
    assert (page.count("not opened yet"), page.count("</span> opened")) == (1, 1)
    changed = [{"key": "old", "value": "v1"}, {"key": "new", "value": "v3"}]
    apply(deployment.store, experiment(status="draft", variants=changed))
    assert unseen() == ["old", "new"]
    open_("old")
    open_("new")
    assert unseen() == []


def document(visitor: FlaskClient, path: str, **query: str) -> Any:
    return visitor.get(path, query_string=query).json


def test_links_are_made_over_the_api(deployment: Deployment, client: FlaskClient, empty_site: Flask) -> None:
    visitor, other = signed_in(empty_site), empty_site.extensions["evenhand"]
    apply(other.store, experiment(status="draft"))
    path = "/api/v1/experiments/checkout/previews"
    first = document(visitor, path)["previews"][0]
    assert first["address"] is None
    assert other.previews.signer.read(first["token"]).variant == first["variant"]
    with other.store.write() as session:
        site = ProjectDraft(site="https://shop.example")
        save_project(session=session, draft=site, actor="Ada", now=scenes.NOW)
    second = document(visitor, path, page="/cart")["previews"][1]
    assert second["address"].startswith("https://shop.example/cart?_variant=")
    assert visitor.get(path, query_string={"page": "https://evil.example"}).status_code == 422
    assert visitor.get(path, query_string={"days": "400"}).status_code == 422
    assert client.get(path).status_code == 401


def test_the_pages_show_a_link_for_each_variant(empty_site: Flask) -> None:
    visitor, deployment = signed_in(empty_site), empty_site.extensions["evenhand"]
    apply(deployment.store, experiment(status="draft"))
    address = "/experiments/checkout"
    assert f"{address}/preview" in visitor.get(address).get_data(as_text=True)
    page = visitor.get(f"{address}/preview").get_data(as_text=True)
    tokens = re.findall(r'value="\?_variant=([^"]+)"', page)
    assert len(tokens) == 2
    assert all(deployment.previews.signer.read(each) for each in tokens)
    refused = visitor.get(f"{address}/preview?page=//evil.example")
    assert refused.status_code == 200  # without a site nothing leads anywhere
    with deployment.store.write() as session:
        site = ProjectDraft(site="https://shop.example")
        save_project(session=session, draft=site, actor="Ada", now=scenes.NOW)
    assert 'href="https://shop.example/cart?_variant=' in visitor.get(
        f"{address}/preview?page=/cart"
    ).get_data(as_text=True)
    refused = visitor.get(f"{address}/preview?page=//evil.example")
    assert refused.status_code == 422
    assert "evil.example" not in re.sub(r'value="[^"]*"', "", refused.get_data(as_text=True))


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("site", "javascript:alert(1)"),
        ("site", "https://ada:secret@shop.example/"),
        ("site", "//shop.example"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "Mars/Olympus"),
    ],
)
def test_a_site_or_a_time_zone_that_is_none_is_refused_beside_its_field(
    empty_site: Flask, field: str, typed: str
) -> None:
    visitor = signed_in(empty_site)
    answer = send(visitor, "/settings/project", {"revision": "0", field: typed})
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.get_data(as_text=True)
    assert f'value="{typed}"' in answer.get_data(as_text=True)
