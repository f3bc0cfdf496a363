"""What all answers have in common: trying again, versions, preferences."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from experiments import stored_answers
from experiments.people import list_keys
from experiments.stored_answers import Claim
from tests.samples import NOW, experiment
from tests.web.api.management.conftest import MakeProgram, Program
from web.api.errors import MEANINGS, pointer
from web.app import create_app
from web.deployment import Deployment, open_deployment

ORDER = {"kind": "server", "name": "shop"}


def once(key: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key}}


def test_the_same_request_again_is_carried_out_once(ada: Program) -> None:
    draft = experiment("fresh", status="draft")
    first = ada.post("/experiments", draft, **once('"k-1"'))
    again = ada.post("/experiments", draft, **once("k-1"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.data, again.headers["Location"], again.headers["ETag"]) == (
        first.data,
        first.headers["Location"],
        first.headers["ETag"],
    )
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert ada.post("/experiments/fresh/start", {}, **once("k-1")).get_json()["revision"] == 2
    assert ada.post("/experiments/fresh/start", {}, **once("k-1")).get_json()["revision"] == 2


def test_a_key_is_bound_to_its_body_and_its_caller(ada: Program, program_for: MakeProgram) -> None:
    ada.post("/keys", ORDER, **once("k"))
    other = ada.post("/keys", {**ORDER, "name": "else"}, **once("k"))
    assert (other.status_code, other.get_json()["errors"][0]["header"]) == (422, "Idempotency-Key")
    assert program_for("Ada").post("/keys", ORDER, **once("k")).status_code == 201


def test_a_secret_is_not_kept_for_a_replay(ada: Program, deployment: Deployment) -> None:
    first, again = (ada.post("/keys", ORDER, **once("k")).get_json() for _ in "ab")
    assert first["key"].startswith(first["prefix"])
    assert again == {**first, "key": None}
    with deployment.store.read() as session:
        assert len(list_keys(session=session)) == 1
    deployment.store.checkpoint()
    files = deployment.settings.data_dir.glob("evenhand.sqlite3*")
    assert not any(first["key"].encode() in file.read_bytes() for file in files)


def test_a_refusal_is_not_remembered(ada: Program) -> None:
    assert ada.post("/experiments/fresh/start", {}, **once("k")).status_code == 404
    ada.post("/experiments", experiment("fresh", status="draft"))
    assert ada.post("/experiments/fresh/start", {}, **once("k")).status_code == 200


def test_a_request_under_way_is_said_to_be(ada: Program, deployment: Deployment) -> None:
    claim = Claim(ada.prefix, "k", "/api/v1/experiments/checkout/stop", b"{}")
    with deployment.store.write() as session:
        stored_answers.claim_key(session=session, claim=claim, now=NOW)
    answer = ada.post("/experiments/checkout/stop", None, data=b"{}", **once("k"))
    assert (answer.status_code, "under way" in answer.get_json()["detail"]) == (409, True)


def test_a_key_may_be_used_again_the_next_day(ada: Program, deployment: Deployment) -> None:
    ada.post("/keys", ORDER, **once("k"))
    later = open_deployment(deployment.settings, now=lambda: NOW + timedelta(hours=25))
    made = Program(create_app(later).test_client(), ada.secret, ada.prefix).post(
        "/keys", {**ORDER, "name": "else"}, **once("k")
    )
    later.close()
    assert made.status_code == 201


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "größe", "a\tb"])
def test_a_key_that_is_none_is_refused(onlooker: Program, key: str) -> None:
    answer = onlooker.post("/keys", ORDER, **once(key))
    assert answer.get_json()["errors"][0]["header"] == "Idempotency-Key"


def test_what_has_not_changed_is_not_sent_again(ada: Program) -> None:
    shown = ada.get("/experiments/checkout")
    again = ada.get("/experiments/checkout", headers={"If-None-Match": shown.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_an_answer_can_be_left_out(ada: Program) -> None:
    brief = {"Prefer": "respond-async, return=minimal"}
    saved = ada.put("/layers/page", {"key": "page"}, headers=brief)
    assert (saved.status_code, saved.data, saved.headers["Preference-Applied"]) == (
        201,
        b"",
        "return=minimal",
    )
    assert ada.put("/layers/page", {"key": "page"}, headers=brief).status_code == 204


def test_answers_are_kept_by_nobody_between(ada: Program) -> None:
    assert "private" in ada.get("/experiments").headers["Cache-Control"]
    assert ada.post("/keys", ORDER).headers["Cache-Control"] == "no-store"


def test_pointers_follow_the_standard() -> None:
    assert pointer() == "#"
    assert pointer("a/b", 0, "c~d", "ø") == "#/a~1b/0/c~0d/%C3%B8"


def test_every_kind_of_problem_is_explained_where_its_type_points(client: FlaskClient, ada: Program) -> None:
    page = client.get("/api").get_data(as_text=True)
    for answer in (ada.get("/experiments/x"), ada.get("/experiments?limit=x"), client.get("/api/v1/me")):
        anchor = answer.get_json()["type"].removeprefix("/api#")
        assert f'id="{anchor}"' in page
    assert page.count('class="problem"') == len(MEANINGS)


def test_a_body_that_is_too_large_is_refused_with_its_limit(ada: Program) -> None:
    answer = ada.ask("PUT", "/tracking-plan", data=b" " * (1024 * 1024 + 1), content_type="application/json")
    assert (answer.status_code, answer.get_json()["detail"]) == (413, "the body is larger than 1048576 bytes")
