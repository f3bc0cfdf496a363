"""Experiments over the API, from the draft to the archive."""

from typing import Any

import pytest

from experiments.roles import Role
from tests.samples import experiment
from tests.web.api.management.conftest import MakeProgram, Program
from web.deployment import Deployment


def body(key: str = "fresh", **changes: Any) -> dict[str, Any]:
    return experiment(key, **{"status": "draft", **changes})


def test_an_experiment_lives_from_draft_to_archive(ada: Program) -> None:
    made = ada.post("/experiments", body())
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/experiments/fresh")
    shown = ada.get("/experiments/fresh")
    assert shown.get_json() == made.get_json()
    assert shown.headers["ETag"] == '"1"'
    statuses = [
        ada.post(f"/experiments/fresh/{move}", order).get_json()["status"]
        for move, order in (
            ("submit", {}),
            ("start", {}),
            ("stop", None),
            ("start", {"new_phase": True}),
            ("stop", {}),
        )
    ]
    assert statuses == ["review", "running", "stopped", "running", "stopped"]
    decision = {"choice": "ship", "variant": "new", "reason": "it is ready", "learning": "it works"}
    assert ada.post("/experiments/fresh/conclude", decision).status_code == 201
    assert ada.get("/experiments/fresh").get_json()["shipped"] == "new"
    assert ada.post("/experiments/fresh/archive", {}).get_json()["status"] == "archived"
    phases = ada.get("/experiments/fresh/phases").get_json()["phases"]
    assert [each["number"] for each in phases] == [2, 1]
    changes = ada.get("/experiments/fresh/history").get_json()["changes"]
    done = [each["action"] for each in reversed(changes)]
    assert done[:7] == ["create", "review", "running", "stopped", "new_phase", "running", "stopped"]
    assert done[7:] == ["decide", "concluded", "archived"]


def test_what_was_shown_can_be_sent_back_changed(ada: Program) -> None:
    ada.post("/experiments", body())
    shown = ada.get("/experiments/fresh")
    changed = {**shown.get_json()["definition"], "name": "Better"}
    edited = ada.put("/experiments/fresh", changed, headers={"If-Match": shown.headers["ETag"]})
    assert (edited.status_code, edited.get_json()["name"], edited.headers["ETag"]) == (200, "Better", '"2"')
    late = ada.put("/experiments/fresh", changed, headers={"If-Match": shown.headers["ETag"]})
    assert (late.status_code, late.get_json()["title"]) == (412, "Changed in the meantime")
    assert ada.put("/experiments/fresh", changed, headers={"If-Match": "*"}).status_code == 200


def test_moves_are_bound_to_what_was_seen(ada: Program) -> None:
    ada.post("/experiments", body())
    for move in ("submit", "start", "archive"):
        answer = ada.post(f"/experiments/fresh/{move}", {}, headers={"If-Match": '"7"'})
        assert answer.status_code == 412
    nonsense = ada.post("/experiments/fresh/start", {}, headers={"If-Match": "W/x"})
    assert nonsense.get_json()["errors"][0]["header"] == "If-Match"
    assert ada.post("/experiments/fresh/start", {}, headers={"If-Match": '"1"'}).status_code == 200


def test_units_are_moved_only_when_that_is_meant(ada: Program) -> None:
    shown = ada.get("/experiments/checkout").get_json()
    moved = {**shown["definition"], "variants": [{"key": "old", "weight": 3}, {"key": "new", "weight": 1}]}
    refused = ada.put("/experiments/checkout", moved)
    assert (refused.status_code, "new phase" in refused.get_json()["detail"]) == (409, True)
    assert ada.put("/experiments/checkout?new_phase=true", moved).get_json()["phase"] == 2


def test_a_copy_is_a_draft(ada: Program) -> None:
    made = ada.post("/experiments/checkout/clone", {"key": "checkout-2", "name": "Again"})
    assert (made.status_code, made.get_json()["status"]) == (201, "draft")
    assert ada.post("/experiments/checkout/clone", {"key": "checkout-2"}).status_code == 409
    assert ada.post("/experiments/nothing/clone", {"key": "x"}).status_code == 404


def test_starting_takes_two_where_the_project_says_so(ada: Program, program_for: MakeProgram) -> None:
    bo = program_for("Bo", Role.EDITOR)
    assert ada.put("/project", {"approval": True}).headers["ETag"] == '"1"'
    ada.post("/experiments", body())
    ada.post("/experiments/fresh/submit", {})
    assert ada.post("/experiments/fresh/start", {}).status_code == 409
    assert ada.post("/experiments/fresh/approve", {}).status_code == 409
    given = bo.post("/experiments/fresh/approve", {}).get_json()
    assert (given["approver"], given["approved_at"] < given["expires_at"]) == ("Bo", True)
    assert ada.post("/experiments/fresh/start", {}).get_json()["status"] == "running"


def test_the_list_is_narrowed_and_comes_in_pages(ada: Program) -> None:
    for number in range(3):
        ada.post("/experiments", body(f"fresh-{number}", owner="Bo", tags=["blue"]))
    listed = ada.get("/experiments?owner=Bo&tag=blue&status=draft&q=FRESH&limit=2")
    first = listed.get_json()
    assert listed.headers["Link"].endswith('>; rel="next"')
    second = ada.get(f"/experiments?owner=Bo&limit=2&cursor={first['next']}").get_json()
    keys = [each["key"] for page in (first, second) for each in page["experiments"]]
    assert (keys, second["next"]) == (["fresh-0", "fresh-1", "fresh-2"], None)
    everything = [each["key"] for each in ada.get("/experiments?limit=200").get_json()["experiments"]]
    walked: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = ada.get(f"/experiments?limit=3&cursor={cursor}").get_json()
        walked += [each["key"] for each in page["experiments"]]
        cursor = page["next"]
    assert walked == everything
    assert ada.get("/experiments?tag=red").get_json()["experiments"] == []


def test_a_page_is_the_same_whatever_changes_meanwhile(ada: Program) -> None:
    first = ada.get("/experiments?limit=2").get_json()
    rest = ada.get(f"/experiments?limit=200&cursor={first['next']}").get_json()["experiments"]
    changed = ada.get(f"/experiments/{rest[-1]['key']}").get_json()
    ada.put(f"/experiments/{changed['key']}", {**changed["definition"], "description": "newer"})
    again = ada.get(f"/experiments?limit=200&cursor={first['next']}").get_json()["experiments"]
    assert [each["key"] for each in again] == [each["key"] for each in rest]


def test_a_decision_is_explained(ada: Program) -> None:
    told = ada.get('/experiments/banner/decision?unit=u1&attributes={"country":"NO"}').get_json()
    assert (told["in_experiment"], told["detail"]) == (True, "assigned")
    assert ada.get("/experiments/banner/decision?unit=u1").get_json()["detail"] == "not_targeted"
    for wrong in ("", "?unit=", "?unit=u&attributes=[1]", "?unit=u&attributes={", "?unit=%00", "?unit=u&x=1"):
        answer = ada.get(f"/experiments/banner/decision{wrong}")
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["parameter"]
    assert ada.get("/experiments/later/decision?unit=u1").status_code == 422


def test_readouts_are_asked_for_and_found(ada: Program, deployment: Deployment) -> None:
    assert ada.get("/experiments/checkout/readout").status_code == 404
    assert ada.get("/experiments/checkout/readouts").get_json() == {"readouts": [], "next": None}
    assert ada.get("/experiments/checkout/readouts/1").status_code == 404
    asked = ada.post("/experiments/checkout/analyses")
    assert (asked.status_code, asked.headers["Location"]) == (202, "/api/v1/experiments/checkout/readout")
    shown = ada.get("/experiments/checkout").get_json()
    assert shown["analysis_asked_at"] == asked.get_json()["analysis_asked_at"]
    assert ada.post("/experiments/later/analyses").status_code == 409


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": "x" * 10_000}, "#/name"),
        ({"name": 7}, "#/name"),
        ({"traffic": "10000"}, "#/traffic"),
        ({"traffic": True}, "#/traffic"),
        ({"colour": "blue"}, "#/colour"),
        ({"plan": {"confidence": "0.9"}}, "#/plan/confidence"),
        ({"plan": {"days": 0}}, "#/plan/days"),
        ({"variants": [{"key": "old"}, {"key": "new", "weight": 1.5}]}, "#/variants/1/weight"),
        ({"variants": [{"key": "old"}, {"key": "new", "value": 2**60}]}, "#/variants/1/value"),
        ({"control": "nobody"}, "#/control"),
        ({"metrics": {"primary": ["unheard-of"]}}, "#/metrics"),
        ({"overrides": {"a/b~c d": 5}}, "#/overrides/a~1b~0c%20d"),
        ({"status": "running"}, "#/status"),
        ({"key": "../x"}, "#/key"),
        ({"description": "nul\0"}, "#/description"),
        ({"targeting": {"attribute": "a", "operator": "regex", "value": "."}}, "#/targeting"),
        ({"starts": 5}, "#/starts"),
    ],
)
def test_every_place_that_is_wrong_is_pointed_at(
    onlooker: Program, changes: dict[str, Any], pointer: str
) -> None:
    answer = onlooker.post("/experiments", body(**changes))
    document = answer.get_json()
    assert (answer.status_code, document["type"]) == (422, "/api#the-input-is-not-valid")
    assert pointer in [each["pointer"] for each in document["errors"]]


@pytest.mark.parametrize(
    "raw",
    [b"{", b"nonsense", b"[" * 100_000, b'{"a": 1} x', b"\xff", b"\xef\xbb\xbf{}", b'{"key": "\\ud800"}'],
)
def test_what_cannot_be_read_is_no_json(onlooker: Program, raw: bytes) -> None:
    answer = onlooker.post("/experiments", None, data=raw)
    assert answer.status_code in (400, 422)
    assert answer.get_json()["errors"]


@pytest.mark.parametrize("raw", [b"[]", b"null", b"3", b'"text"', b'{"key": NaN}', b'{"key": 1e999}', b""])
def test_other_json_than_an_experiment_is_not_valid(onlooker: Program, raw: bytes) -> None:
    assert onlooker.post("/experiments", None, data=raw).status_code in (400, 422)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=ten", "limit=5&limit=6", "cursor=nonsense", "cursor=%00", "cursor=W10",
        "cursor=WyJtZXRyaWNzIiwiYSJd", "cursor=WyJleHBlcmltZW50cyIsImEiLDFd", "cursor=" + "x" * 2_000,
        "status=unheard-of", "colour=blue", "owner=" + "x" * 201,
    ],
)  # fmt: skip
def test_bad_queries_are_named(onlooker: Program, query: str) -> None:
    answer = onlooker.get(f"/experiments?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["parameter"] == query.partition("=")[0]


@pytest.mark.parametrize("key", ["nothing", "%00", "a%2Fb", "x" * 5_000, "%F0%9F%98%80", "%ff"])
def test_what_does_not_exist_is_not_found(onlooker: Program, key: str) -> None:
    for path in ("", "/readout", "/phases", "/history", "/readouts"):
        answer = onlooker.get(f"/experiments/{key}{path}")
        assert answer.status_code == 404
        assert answer.content_type == "application/problem+json"


def test_a_method_that_is_not_served_names_those_that_are(ada: Program) -> None:
    answer = ada.delete("/experiments/checkout")
    assert answer.status_code == 405
    assert {"GET", "PUT"} <= set(answer.headers["Allow"].split(", "))


def test_the_state_of_a_thing_is_said_when_it_forbids_a_move(ada: Program) -> None:
    for path in ("/experiments/later/stop", "/experiments/later/conclude"):
        answer = ada.post(path, {"choice": "stop"} if "conclude" in path else {})
        assert (answer.status_code, answer.get_json()["title"]) == (409, "Not allowed now")
