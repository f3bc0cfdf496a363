"""The pages of administration, and who may do what on every page."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from experiments import launch, members, people, tokens
from experiments.definition import Definitions
from experiments.project import ProjectDraft, find_project, save_project
from experiments.roles import Role
from experiments.tokens import PREFIX
from tests.web import scenes
from tests.web.conftest import form_token, link_for, send, signed_in
from web.api.operations import OPERATIONS
from web.deployment import Deployment

PAGES = [f"/settings/{name}" for name in ("project", "members", "tokens", "language", "audit")]
FOR_ADMINS = ("/settings/members", "/settings/audit")


def deployment_of(app: Flask) -> Deployment:
    found: Deployment = app.extensions["evenhand"]
    return found


def somebody(app: Flask, name: str, role: Role) -> FlaskClient:
    """A browser in which somebody of this role is signed in; Ada is the admin."""
    signed_in(app)
    with deployment_of(app).store.write() as session:
        people.create_link(session=session, name=name, actor="t", now=deployment_of(app).now(), role=role)
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert client.get(link_for(app, name)).status_code == 303
    return client


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


@pytest.fixture
def ada(empty_site: Flask) -> FlaskClient:
    return signed_in(empty_site)


@pytest.mark.parametrize("path", [*PAGES, "/api"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_page_answers_under_the_strict_policy(gallery: Flask, path: str, language: str) -> None:
    answer = signed_in(gallery, language).get(path)
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style", text(answer))
    assert path == "/api" or "None" not in text(answer)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text(answer)))


def test_every_form_of_every_page_is_closed_to_viewers(empty_site: Flask) -> None:
    viewer = somebody(empty_site, "Vi", Role.VIEWER)
    open_to_viewers = {"/settings/tokens", "/settings/tokens/revoke", "/settings/language"}
    before_sign_in = {"/sign-out", "/language"}
    rules = [
        rule.rule
        for rule in empty_site.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and "POST" in (rule.methods or ())
    ]
    word = form_token(viewer)
    for rule in set(rules) - open_to_viewers - before_sign_in:
        path = re.sub(r"<int:\w+>", "1", re.sub(r"<any\((\w+)[^>]*>", r"\1", rule))
        answer = viewer.post(re.sub(r"<\w+>", "touch", path), data={"csrf_token": word})
        assert answer.status_code == 403, rule
        assert "Your role does not allow this" in text(answer)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_people_and_the_audit_log_are_for_admins(empty_site: Flask, role: Role) -> None:
    client = somebody(empty_site, "Bo", role)
    for path in PAGES:
        assert client.get(path).status_code == (403 if path in FOR_ADMINS else 200), path
    shown = text(client.get("/settings/project"))
    assert "/settings/members" not in shown
    assert "Only admins change this" in shown
    assert send(client, "/settings/project", {"name": "Mine", "revision": "0"}).status_code == 403
    assert send(client, "/settings/keys", {"kind": "server", "name": "x"}).status_code == 403
    assert "Make a key" not in text(client.get("/settings/tokens"))


def test_an_editor_writes_and_starts(empty_site: Flask) -> None:
    editor = somebody(empty_site, "Bo", Role.EDITOR)
    assert send(editor, "/settings/tracking/mode", {"mode": "filter"}).status_code == 303
    assert send(editor, "/experiments/nothing/start", {"revision": "1"}).status_code == 404


def test_the_project_is_changed_and_what_is_wrong_is_said_beside_its_field(
    empty_site: Flask, ada: FlaskClient
) -> None:
    fields = {
        "name": "Shop", "approval": "yes", "days": "14", "confidence": "90", "power": "80", "mde": "5",
        "inference": "fixed", "correction": "holm", "revision": "0",
    }  # fmt: skip
    assert send(ada, "/settings/project", fields).status_code == 303
    with deployment_of(empty_site).store.read() as session:
        held = find_project(session=session).definition
    assert (held.name, held.approval, held.plan.confidence, held.plan.mde) == ("Shop", True, 0.9, 0.05)
    shown = text(ada.get("/settings/project"))
    assert 'value="90"' in shown
    late = send(ada, "/settings/project", {**fields, "name": "Late"})
    assert (late.status_code, 'value="Late"' in text(late)) == (409, True)
    wrong = send(ada, "/settings/project", {**fields, "revision": "1", "confidence": "high", "days": "0"})
    assert wrong.status_code == 422
    assert 'id="wrong-confidence"' in text(wrong)
    assert 'id="wrong-days"' in text(wrong)
    assert 'value="high"' in text(wrong)


def test_somebody_is_invited_and_the_link_is_shown_this_once(empty_site: Flask, ada: FlaskClient) -> None:
    made = send(ada, "/settings/members", {"name": "Bo", "role": "viewer"})
    link = re.findall(r'value="(http[^"]+/enter\?token=[^"]+)"', text(made))[0]
    assert made.headers["Cache-Control"] == "no-store"
    assert "enter?token" not in text(ada.get("/settings/members"))
    assert empty_site.test_client().get(link).status_code == 303
    again = send(ada, "/settings/members", {"name": "Bo", "role": "admin"})
    assert (again.status_code, "here already" in text(again)) == (422, True)
    assert send(ada, "/settings/members", {"name": " ", "role": "viewer"}).status_code == 422
    assert send(ada, "/settings/members", {"name": "Cy", "role": "king"}).status_code == 400


def test_members_change_role_are_signed_out_and_removed(empty_site: Flask, ada: FlaskClient) -> None:
    bo = somebody(empty_site, "Bo", Role.EDITOR)
    with deployment_of(empty_site).store.read() as session:
        id_ = members.find_person(session=session, name="Bo").id
        own = members.find_person(session=session, name="Ada").id
    assert send(ada, f"/settings/members/{id_}/role", {"role": "admin"}).status_code == 303
    assert bo.get("/settings/audit").status_code == 200
    assert send(ada, f"/settings/members/{id_}/sign-out", {}).status_code == 303
    assert bo.get("/settings/audit").status_code == 303
    assert "/enter?token=" in text(send(ada, f"/settings/members/{id_}/link", {}))
    assert send(ada, f"/settings/members/{id_}/remove", {}).status_code == 303
    assert "Bo" not in text(ada.get("/settings/members"))
    last = send(ada, f"/settings/members/{own}/remove", {})
    assert (last.status_code, "the only admin" in text(last)) == (409, True)


def test_a_token_is_shown_this_once_and_revoked(empty_site: Flask, ada: FlaskClient) -> None:
    made = send(ada, "/settings/tokens", {"name": "ci", "scopes": ["read", "launch"], "days": "7"})
    secret = re.findall(rf'value="({PREFIX}[^"]+)"', text(made))[0]
    prefix = tokens.prefix_of(secret)
    shown = text(ada.get("/settings/tokens"))
    assert (secret in shown, prefix in shown) == (False, True)
    program = empty_site.test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    assert program.get("/api/v1/me", headers=headers).get_json()["scopes"] == ["read", "launch"]
    assert send(ada, "/settings/tokens/revoke", {"prefix": prefix}).status_code == 303
    assert program.get("/api/v1/me", headers=headers).status_code == 401
    assert send(ada, "/settings/tokens/revoke", {"prefix": "nothing"}).status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "", "scopes": ["read"], "days": "7"}, "name"),
        ({"name": "x" * 201, "scopes": ["read"], "days": "7"}, "name"),
        ({"name": "ci", "days": "7"}, "scopes"),
        ({"name": "ci", "scopes": ["everything"], "days": "7"}, "scopes"),
        ({"name": "ci", "scopes": ["read"], "days": "soon"}, "days"),
        ({"name": "ci", "scopes": ["read"], "days": "100000"}, "days"),
    ],
)
def test_a_token_that_cannot_be_made_says_why(gallery: Flask, fields: dict[str, object], field: str) -> None:
    answer = send(signed_in(gallery), "/settings/tokens", fields)
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in text(answer)


def test_keys_are_made_and_revoked_on_the_page(empty_site: Flask, ada: FlaskClient) -> None:
    made = send(ada, "/settings/keys", {"kind": "client", "name": "web"})
    secret = re.findall(r'value="(eh_client_[^"]+)"', text(made))[0]
    prefix = "_".join(secret.split("_")[:3])
    assert send(ada, "/settings/keys", {"kind": "client", "name": " "}).status_code == 422
    assert send(ada, "/settings/keys/revoke", {"prefix": prefix}).status_code == 303
    with deployment_of(empty_site).store.read() as session:
        assert people.open_keys(session=session) == {}


def test_a_language_follows_the_person_to_another_browser(empty_site: Flask, ada: FlaskClient) -> None:
    assert send(ada, "/settings/language", {"language": "zh_Hans_CN"}).status_code == 303
    elsewhere = signed_in(empty_site, "en")
    assert 'lang="zh-Hans-CN"' in text(elsewhere.get("/settings/language"))
    assert send(elsewhere, "/settings/language", {"language": ""}).status_code == 303
    assert '<html lang="en">' in text(elsewhere.get("/settings/language"))
    assert send(ada, "/settings/language", {"language": "tlh"}).status_code == 400


def test_the_audit_log_is_narrowed_and_turned_over(empty_site: Flask, ada: FlaskClient) -> None:
    for number in range(60):
        with deployment_of(empty_site).store.write() as session:
            name = f"key {number}"
            now = deployment_of(empty_site).now()
            people.create_key(session=session, kind=people.KeyKind.CLIENT, name=name, actor="Bo", now=now)
    first = text(ada.get("/settings/audit?actor=Bo"))
    older = re.findall(r'href="([^"]+below=\d+)"', first)[0].replace("&amp;", "&")
    assert first.count("<li>") == 50
    assert text(ada.get(older)).count("<li>") == 10
    assert "Nothing matches" in text(ada.get("/settings/audit?object=nothing"))
    assert "Nothing matches" in text(ada.get("/settings/audit?until=2020-01-01"))
    today = deployment_of(empty_site).now().date()
    assert text(ada.get(f"/settings/audit?actor=Bo&since={today}&until={today}")).count("<li>") == 50
    wrong = ada.get("/settings/audit?since=soon")
    assert (wrong.status_code, 'value="soon"' in text(wrong)) == (422, True)
    assert ada.get("/settings/audit?below=x").status_code == 200


def test_the_settings_lead_to_their_first_page(ada: FlaskClient) -> None:
    assert ada.get("/settings").location == "/settings/project"


def test_a_form_without_scripts_tries_a_door(gallery: Flask) -> None:
    visitor = signed_in(gallery)
    tried = visitor.get("/try?operation=list_experiments&limit=1&q=touch&owner=", follow_redirects=True)
    assert tried.get_json()["experiments"][0]["key"] == "touch"
    named = visitor.get("/try?operation=show_readout&key=a/../b%3Fx")
    assert named.location == "/api/v1/experiments/a%2F..%2Fb%3Fx/readout"
    for nothing in ("", "?operation=nothing", "?operation=create_key"):
        assert visitor.get(f"/try{nothing}").status_code == 404
    assert visitor.get("/try?operation=show_readout").status_code == 400


def test_the_page_of_the_doors_has_a_form_for_every_operation(gallery: Flask) -> None:
    shown = text(gallery.test_client().get("/api"))
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in shown
        assert f'data-path="{operation.path}"' in shown


def test_two_people_start_an_experiment_on_the_pages(empty_site: Flask, ada: FlaskClient) -> None:
    bo = somebody(empty_site, "Bo", Role.EDITOR)
    document = scenes.TOUCH.definitions().model_dump(mode="json")
    document["experiments"][0]["status"] = "draft"
    deployment = deployment_of(empty_site)
    with deployment.store.write() as session:
        save_project(session=session, draft=ProjectDraft(approval=True), actor="Ada", now=scenes.NOW)
        file = Definitions.model_validate(document)
        launch.apply(session=session, definitions=file, actor="Ada", now=scenes.NOW)

    def move(client: FlaskClient, name: str) -> int:
        asked = client.get(f"/experiments/touch/{name}")
        seen = re.findall(r'name="revision" value="(\d+)"', text(asked))
        return send(client, f"/experiments/touch/{name}", {"revision": seen[0] if seen else "1"}).status_code

    assert "/touch/start" not in text(ada.get("/experiments/touch"))
    assert move(ada, "submit") == 303
    assert (move(ada, "approve"), move(ada, "start")) == (409, 409)
    assert move(bo, "approve") == 303
    assert "Bo approved it as it stands" in text(ada.get("/experiments/touch"))
    assert move(ada, "start") == 303
