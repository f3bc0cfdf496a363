"""Who may come in, and what they may do: one table for all operations."""

from base64 import b64encode
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from experiments import tokens
from experiments.people import KeyKind
from experiments.roles import GRANTS, Role, Scope
from tests.samples import NOW
from tests.web.api.management.conftest import MakeProgram, Program
from tests.web.conftest import form_token, link_for, make_key
from web.api.operation import Access, Operation
from web.api.operations import OPERATIONS
from web.deployment import Deployment

MANAGED = [each for each in OPERATIONS if each.access is Access.TOKEN]


def path_of(operation: Operation) -> str:
    named = {"key": "nothing", "id": "999999", "prefix": "eh_admin_0", "metric": "nothing"}
    return operation.path.removeprefix("/api/v1").format(**named)


@pytest.mark.parametrize("operation", MANAGED, ids=lambda each: each.name)
def test_every_operation_needs_its_scope_and_says_which(settled: MakeProgram, operation: Operation) -> None:
    stranger = settled().client.open(f"/api/v1{path_of(operation)}", method=operation.method)
    assert stranger.status_code == 401
    if operation.scope is None:
        return
    without = settled(scopes=[scope for scope in Scope if scope is not operation.scope])
    refused = without.ask(operation.method, path_of(operation), data=b"{}")
    assert refused.status_code == 403
    assert refused.content_type == "application/problem+json"
    assert refused.get_json()["scope"] == operation.scope
    assert operation.scope in refused.get_json()["detail"]
    within = settled(scopes=[operation.scope]).ask(operation.method, path_of(operation), data=b"{")
    assert within.status_code not in (401, 403)


@pytest.mark.parametrize("role", Role)
def test_a_token_is_as_narrow_as_its_owners_role(program_for: MakeProgram, role: Role) -> None:
    program_for("Ada")
    bo = program_for("Bo", Role.ADMIN)
    program_for("Bo", role, scopes=[Scope.READ])  # from now on Bo is this
    assert bo.get("/me").get_json() == {
        "name": "Bo",
        "role": role,
        "scopes": [scope for scope in Scope if scope in GRANTS[role]],
        "token": bo.prefix,
    }


def test_a_token_travels_in_all_the_ways_that_a_key_does(ada: Program, client: FlaskClient) -> None:
    basic = "Basic " + b64encode(f"{ada.secret}:".encode()).decode()
    for headers in ({"Authorization": basic}, {"X-API-Key": ada.secret}):
        assert client.get("/api/v1/me", headers=headers).get_json()["token"] == ada.prefix


def test_a_token_that_is_over_says_so(program_for: MakeProgram, ada: Program, client: FlaskClient) -> None:
    expired = program_for(days=1, age=timedelta(days=1))
    answer = expired.get("/me")
    assert (answer.status_code, "expired at" in answer.get_json()["detail"]) == (401, True)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    gone = program_for()
    assert ada.delete(f"/tokens/{gone.prefix}").status_code == 200
    assert "was revoked" in gone.get("/me").get_json()["detail"]


@pytest.mark.parametrize("secret", ["", "x", "eh_admin_", "eh_admin_00000000_x", "é" * 50, "x" * 10_000])
def test_what_is_no_token_opens_nothing(onlooker: Program, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}".encode().decode("latin-1")}
    assert onlooker.client.get("/api/v1/me", headers=headers).status_code == 401


def test_the_keys_of_the_doors_do_not_open_management(deployment: Deployment, client: FlaskClient) -> None:
    for kind in KeyKind:
        headers = {"X-API-Key": make_key(deployment, kind)}
        answer = client.get("/api/v1/experiments", headers=headers)
        assert answer.status_code == 401
        assert "eh_admin_" in answer.get_json()["detail"]


def test_an_admin_token_does_not_open_the_doors(ada: Program, client: FlaskClient) -> None:
    answer = client.post("/v1/track", json={"userId": "u", "event": "e"}, headers={"X-API-Key": ada.secret})
    assert answer.status_code == 401


def test_a_browser_reads_by_cookie_but_changes_only_from_our_own_pages(client: FlaskClient) -> None:
    assert client.get(link_for(client.application)).status_code == 303
    assert client.get("/api/v1/me").get_json()["token"] is None
    order = {"kind": "server", "name": "x"}
    refused = client.post("/api/v1/keys", json=order)
    assert (refused.status_code, "X-CSRFToken" in refused.get_json()["detail"]) == (403, True)
    assert client.post("/api/v1/keys", json=order, headers={"X-CSRFToken": "made-up"}).status_code == 403
    word = form_token(client)
    assert client.post("/api/v1/keys", json=order, headers={"X-CSRFToken": word}).status_code == 201


def test_a_bad_token_is_not_made_good_by_a_cookie(client: FlaskClient) -> None:
    client.get(link_for(client.application))
    assert client.get("/api/v1/me", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_the_last_use_is_known(ada: Program, deployment: Deployment) -> None:
    ada.get("/me")
    with deployment.store.read() as session:
        assert tokens.list_tokens(session=session)[0].last_used_at == NOW


def test_what_a_token_did_says_so_in_the_audit_log(ada: Program) -> None:
    ada.put("/layers/page", {"key": "page"})
    newest = ada.get("/audit?limit=1").get_json()["changes"][0]
    assert (newest["actor"], newest["token"], newest["object"]) == ("Ada", ada.prefix, "layer:page")
