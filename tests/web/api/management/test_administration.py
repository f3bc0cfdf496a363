"""The catalogue, people, tokens, keys, the project and the records, over the API."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from experiments import workers
from experiments.roles import Role, Scope
from tests.samples import NOW, experiment
from tests.web.api.management.conftest import MakeProgram, Program
from web.deployment import Deployment

CONDITION = {"attribute": "country", "operator": "eq", "value": "NO"}


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        ("/metrics/spend", {"kind": "proportion", "event": "a"}, {"kind": "proportion", "event": "b"}),
        ("/layers/page", {"name": "a"}, {"name": "b"}),
        ("/holdouts/spring", {"share": 100}, {"share": 200}),
        ("/segments/nordic", {"condition": CONDITION}, {"condition": {**CONDITION, "value": "SE"}}),
    ],
)
def test_what_experiments_stand_on_is_written_down_changed_and_listed(
    ada: Program, path: str, first: dict[str, object], second: dict[str, object]
) -> None:
    _, kind, key = path.split("/")
    new, changed = ({"key": key, **each} for each in (first, second))
    made = ada.put(path, new, headers={"If-Match": '"0"'} if kind == "metrics" else {})
    assert made.status_code == 201
    assert ada.get(path).get_json()["definition"].items() >= new.items()
    assert ada.put(path, new).status_code == 200
    edited = ada.put(path, changed, headers={"If-Match": made.headers["ETag"]})
    assert edited.status_code == 200
    assert ada.put(path, new, headers={"If-Match": made.headers["ETag"]}).status_code == 412
    assert ada.get(path).headers["ETag"] == edited.headers["ETag"] != made.headers["ETag"]
    assert key in [each["definition"]["key"] for each in ada.get(f"/{kind}").get_json()[kind]]
    assert ada.put(path, {**new, "key": "other"}).get_json()["errors"][0]["pointer"] == "#/key"
    assert ada.get(f"/{kind}/nothing").status_code == 404
    assert ada.put(path, {**new, "colour": 1}).get_json()["errors"][0]["pointer"] == "#/colour"


def test_a_metric_is_shown_as_it_can_be_sent_back(ada: Program) -> None:
    d7 = {"key": "d7", "kind": "retention", "event": "session", "from": "7d", "to": "8d"}
    assert ada.put("/metrics/d7", d7).status_code == 201
    assert ada.put("/metrics/d7", ada.get("/metrics/d7").get_json()["definition"]).get_json()["version"] == 1


def test_a_layer_shows_what_is_taken_of_it(ada: Program) -> None:
    ada.put("/layers/page", {"key": "page"})
    ada.post("/experiments", experiment("fresh", status="draft", layer="page", slots=[[0, 4000]]))
    assert ada.get("/layers/page").get_json()["slots_taken"] == []
    ada.post("/experiments/fresh/start")
    assert ada.get("/layers/page").get_json()["slots_taken"] == [
        {"start": 0, "end": 4000, "experiment": "fresh"}
    ]


def test_people_are_invited_changed_signed_out_and_removed(ada: Program, client: FlaskClient) -> None:
    made = ada.post("/people", {"name": "Bo", "role": "viewer"})
    link = made.get_json()["link"]
    assert (made.status_code, "/enter?token=" in link) == (201, True)
    assert client.get(link[link.index("/enter") :]).status_code == 303
    listed = {each["name"]: each for each in ada.get("/people").get_json()["people"]}
    assert (listed["Bo"]["role"], listed["Bo"]["sessions"]) == ("viewer", 1)
    path = f"/people/{listed['Bo']['id']}"
    assert ada.patch(path, {"role": "editor"}).get_json()["role"] == "editor"
    assert ada.patch(path, {"role": "king"}).get_json()["errors"][0]["pointer"] == "#/role"
    assert ada.delete(f"{path}/sessions").get_json()["ended"] == 1
    assert ada.delete(path).get_json() == {"id": listed["Bo"]["id"], "removed": True}
    assert ada.delete(path).status_code == 404
    only = f"/people/{listed['Ada']['id']}"
    assert ada.delete(only).status_code == ada.patch(only, {"role": "viewer"}).status_code == 409


@pytest.mark.parametrize("id_", ["0", "-1", "x", str(2**63), str(2**70)])
def test_a_number_that_nobody_has_is_not_found(onlooker: Program, id_: str) -> None:
    assert onlooker.delete(f"/people/{id_}").status_code == 404
    assert onlooker.get(f"/experiments/checkout/readouts/{id_}").status_code == 404


def test_tokens_are_made_listed_and_revoked_by_whoever_they_belong_to(
    ada: Program, program_for: MakeProgram
) -> None:
    bo = program_for("Bo", Role.VIEWER)
    order = {"name": "ci", "scopes": ["read"], "days": 7}
    made = bo.post("/tokens", order).get_json()
    assert made["token"].startswith(made["prefix"])
    assert {each["owner"] for each in bo.get("/tokens").get_json()["tokens"]} == {"Bo"}
    assert {each["owner"] for each in ada.get("/tokens").get_json()["tokens"]} == {"Ada", "Bo"}
    assert "token" not in bo.get("/tokens").get_json()["tokens"][0]
    assert bo.delete(f"/tokens/{ada.prefix}").status_code == 404
    wider = bo.post("/tokens", {**order, "scopes": ["launch"]})
    assert (wider.status_code, wider.get_json()["scope"]) == (403, Scope.LAUNCH)
    mistakes: list[dict[str, Any]] = [{"scopes": ["everything"]}, {"days": 0}, {"days": 367}, {"name": ""}]
    for wrong in (*mistakes, {"scopes": []}):
        assert bo.post("/tokens", {**order, **wrong}).status_code == 422
    assert bo.delete(f"/tokens/{made['prefix']}").get_json()["revoked_at"]
    assert bo.delete(f"/tokens/{bo.prefix}").status_code == 200
    assert bo.get("/me").status_code == 401


def test_a_token_for_people_alone_makes_no_admin(program_for: MakeProgram) -> None:
    narrow = program_for(scopes=[Scope.PEOPLE])
    for order in ({"name": "Eve", "role": "admin"}, {"name": "Eve"}, {"name": "Ada"}):
        assert narrow.post("/people", order).status_code == 403


def test_keys_are_made_and_revoked(ada: Program, deployment: Deployment) -> None:
    made = ada.post("/keys", {"kind": "client", "name": "web"}).get_json()
    deployment.mirror.refresh()
    assert made["prefix"] in deployment.mirror.reflection.keys
    assert ada.delete(f"/keys/{made['prefix']}").get_json()["revoked_at"] is not None
    deployment.mirror.refresh()
    assert made["prefix"] not in deployment.mirror.reflection.keys
    assert ada.get("/keys").get_json()["keys"][0]["name"] == "web"
    assert ada.delete("/keys/nothing").status_code == 404
    assert ada.post("/keys", {"kind": "master", "name": "x"}).get_json()["errors"][0]["pointer"] == "#/kind"


def test_the_project_is_changed_by_whoever_has_seen_it(ada: Program) -> None:
    seen = ada.get("/project")
    assert seen.get_json()["approval"] is False
    changed = {**seen.get_json(), "name": "Shop", "plan": {"days": 14}}
    assert ada.put("/project", changed, headers={"If-Match": seen.headers["ETag"]}).status_code == 200
    assert ada.put("/project", changed, headers={"If-Match": seen.headers["ETag"]}).status_code == 412
    assert ada.get("/project").get_json()["plan"]["days"] == 14
    assert ada.put("/project", {"approval": "yes"}).get_json()["errors"][0]["pointer"] == "#/approval"


def test_the_audit_log_is_narrowed_and_comes_in_pages(ada: Program) -> None:
    for number in range(3):
        ada.put("/layers/page", {"key": "page", "name": str(number)})
    first = ada.get("/audit?object=layer:page&actor=Ada&limit=2").get_json()
    rest = ada.get(f"/audit?object=layer:page&actor=Ada&limit=2&cursor={first['next']}").get_json()
    actions = [each["action"] for each in (*first["changes"], *rest["changes"])]
    assert (actions, rest["next"]) == (["edit", "edit", "create"], None)
    assert ada.get("/audit?since=2999-01-01").get_json()["changes"] == []
    assert ada.get("/audit?until=2026-03-15T12:00:00Z").get_json()["changes"] == []
    assert ada.get("/audit?since=soon").get_json()["errors"][0]["parameter"] == "since"


def test_the_processes_that_serve_are_listed(ada: Program, deployment: Deployment) -> None:
    with deployment.store.write() as session:
        workers.report(session=session, name="host:1", ruleset=0, now=NOW)
    shown = ada.get("/workers").get_json()
    assert (shown["published"] > 0, shown["workers"][0]["current"]) == (True, False)
