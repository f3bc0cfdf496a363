import base64
import io
import json
import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from assignment import decide
from experiments import launch
from experiments.people import KeyKind, revoke_key
from experiments.store.tables import ExposureRow
from tests.samples import NOW
from tests.web.api.conftest import PATH
from tests.web.conftest import make_key
from web.app import create_app
from web.deployment import Deployment, open_deployment

OFREP_REASONS = {"STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT", "UNKNOWN"}


def exposures(deployment: Deployment) -> list[ExposureRow]:
    deployment.writer.close()
    with deployment.store.read() as session:
        return list(session.exec(select(ExposureRow)))


def test_a_success_carries_all_five_fields_and_equals_the_decision(ask: Any, deployment: Deployment) -> None:
    ruleset = deployment.mirror.reflection.ruleset
    for number in range(20):
        answer = ask(context={"targetingKey": f"u{number}"})
        decision = decide(ruleset, "checkout", unit=f"u{number}")
        assert answer.status_code == 200
        assert answer.json == {
            "key": "checkout",
            "value": decision.value,
            "reason": "SPLIT",
            "variant": decision.variant,
            "metadata": {
                "experiment": "checkout",
                "phase": 1,
                "ruleset": ruleset.version,
                "detail": "assigned",
                "inExperiment": True,
            },
        }
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("key", "asked", "reason", "variant", "value", "detail"),
    [
        ("checkout", {"targetingKey": "tester"}, "TARGETING_MATCH", "new", "v2", "override"),
        ("banner", {"targetingKey": "u1", "country": "DE"}, "DEFAULT", "excluded", 2.0, "not_targeted"),
        ("banner", {"targetingKey": "u1", "country": {"a": 1}}, "DEFAULT", "excluded", 2.0, "not_targeted"),
        ("over", {"targetingKey": "u1"}, "DISABLED", "excluded", "v1", "not_running"),
        ("nobody", {"targetingKey": "u1"}, "DEFAULT", "excluded", "v1", "not_in_traffic"),
    ],
)
def test_a_unit_outside_gets_the_controls_value_and_never_its_name(
    ask: Any, key: str, asked: dict[str, Any], reason: str, variant: str, value: Any, detail: str
) -> None:
    answer = ask(key, asked).json
    assert (answer["reason"], answer["variant"], answer["value"]) == (reason, variant, value)
    assert answer["metadata"]["detail"] == detail
    assert answer["metadata"]["inExperiment"] is (variant != "excluded")


def test_a_float_keeps_its_decimal_point(ask: Any) -> None:
    assert '"value":2.0' in ask("banner", {"targetingKey": "u", "country": "DE"}).get_data(as_text=True)
    bulk = ask(path=PATH, context={"targetingKey": "u", "country": "DE"})
    assert '"value":2.0' in bulk.get_data(as_text=True)


def test_a_key_is_found_wherever_a_client_puts_it(client: FlaskClient, server_key: str) -> None:
    basic = base64.b64encode(f"{server_key}:".encode()).decode()
    for headers in (
        {"Authorization": f"Bearer {server_key}"},
        {"Authorization": f"bearer   {server_key} "},
        {"Authorization": f"Basic {basic}"},
        {"X-API-Key": server_key},
        {"Authorization": "Bearer wrong", "X-API-Key": server_key},
    ):
        assert (
            client.post(
                f"{PATH}/checkout", json={"context": {"targetingKey": "u"}}, headers=headers
            ).status_code
            == 200
        )


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer wrong",
        "Basic",
        "Basic !!!",
        "Basic /w==",
        "Digest x",
        "Bearer eh_server_00000000_x",
        "Bearer ü",
    ],
)
def test_a_wrong_key_is_refused_in_the_protocols_form(
    ask: Any, authorization: str, deployment: Deployment
) -> None:
    for path in (f"{PATH}/checkout", PATH):
        answer = ask(path=path, Authorization=authorization)
        assert answer.status_code == 401
        assert answer.json["errorCode"] == "GENERAL"
        assert answer.json["errorDetails"]
        assert ("key" in answer.json) is (path != PATH)
    assert exposures(deployment) == []


def test_a_revoked_key_opens_nothing_from_the_next_look_on(
    ask: Any, deployment: Deployment, server_key: str
) -> None:
    assert ask().status_code == 200
    with deployment.store.write() as session:
        revoke_key(session=session, prefix=server_key[:18], actor="t", now=NOW)
    deployment.mirror.refresh()
    assert ask().status_code == 401


@pytest.mark.parametrize(
    "key", ["nothing", "later", "elsewhere", "a/b", "%20", "ü", "-x", "x" * 200, "checkout%0A", "../x"]
)
def test_an_unknown_flag_is_not_found(ask: Any, key: str) -> None:
    answer = ask(key)
    assert answer.status_code == 404
    assert answer.json["errorCode"] == "FLAG_NOT_FOUND"
    assert {"key", "errorDetails"} <= answer.json.keys()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"context": {}}', "TARGETING_KEY_MISSING"),
        (b"{}", "TARGETING_KEY_MISSING"),
        (b'{"context": {"targetingKey": null}}', "TARGETING_KEY_MISSING"),
        (b'{"context": {"targetingKey": ""}}', "TARGETING_KEY_MISSING"),
        (b'{"context": {"targetingKey": 7}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": ["u"]}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "%s"}}' % (b"x" * 513), "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "u", "anonymousId": "%s"}}' % (b"x" * 513), "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "u\\u0000"}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "u", "a": "\\u0000"}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "u", "a": 9007199254740993}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "u", "a": 1e999}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "u", "a": ' + b"[" * 50 + b"]" * 50 + b"}}", "INVALID_CONTEXT"),
        (b'{"context": []}', "INVALID_CONTEXT"),
        (b'{"context": null}', "INVALID_CONTEXT"),
        (b"[]", "INVALID_CONTEXT"),
        (b"null", "INVALID_CONTEXT"),
        (b"", "PARSE_ERROR"),
        (b"{", "PARSE_ERROR"),
        (b'{"context": {"targetingKey": "u", "a": NaN}}', "PARSE_ERROR"),
        (b'{"context": {"targetingKey": "\\ud800"}}', "PARSE_ERROR"),
        (b'{"context": {"targetingKey": "\xff"}}', "PARSE_ERROR"),
        (b'{"context": {"targetingKey": "u", "a": ' + b"[" * 60_000, "PARSE_ERROR"),
        (b'{"context": {"targetingKey": "u", "a": 1' + b"0" * 5_000 + b"}}", "PARSE_ERROR"),
    ],
)
def test_a_hostile_context_is_refused_and_never_exposed(
    ask: Any, deployment: Deployment, body: bytes, code: str
) -> None:
    for path in (f"{PATH}/checkout", PATH):
        answer = ask(path=path, body=body)
        assert answer.status_code == 400
        assert answer.json["errorCode"] == code
        assert answer.json["errorDetails"]
        assert answer.content_type == "application/json"
    assert exposures(deployment) == []


def test_whatever_is_wrong_the_answer_is_an_object_in_the_protocols_form(
    client: FlaskClient, ask: Any, server_key: str
) -> None:
    large = ask(body=b" " * 2_000_000)
    cut_off = client.post(
        f"{PATH}/checkout",
        input_stream=io.BytesIO(b'{"context":{"targetingKey":"u1"}}'),
        environ_overrides={"CONTENT_LENGTH": "100", "HTTP_AUTHORIZATION": f"Bearer {server_key}"},
    )
    nonsense = client.post(
        f"{PATH}/checkout",
        environ_overrides={"CONTENT_LENGTH": "many", "HTTP_AUTHORIZATION": f"Bearer {server_key}"},
    )
    wrong_method = client.get(f"{PATH}/checkout")
    statuses = [answer.status_code for answer in (large, cut_off, nonsense, wrong_method)]
    assert statuses == [413, 400, 400, 405]
    for answer in (large, cut_off, nonsense, wrong_method):
        assert answer.json is not None
        assert {"key", "errorCode", "errorDetails"} <= answer.json.keys()


def test_a_doubled_slash_is_the_same_door(client: FlaskClient, server_key: str) -> None:
    for path in (f"/{PATH}/checkout", f"/{PATH}"):
        environ = {"PATH_INFO": path, "HTTP_AUTHORIZATION": f"Bearer {server_key}"}
        answer = client.post("/", json={"context": {"targetingKey": "u1"}}, environ_overrides=environ)
        assert answer.status_code == 200


def test_a_path_that_only_begins_alike_is_another_door(ask: Any) -> None:
    assert ask(path=f"{PATH}xcheckout").status_code == 404


# Exposures


def test_a_server_key_records_the_exposure_once(ask: Any, deployment: Deployment) -> None:
    for _ in range(3):
        ask(context={"targetingKey": "u1", "country": "NO"})
    (row,) = exposures(deployment)
    assert (row.experiment, row.user_id, row.anonymous_id, row.mark) == ("checkout", "u1", None, None)
    assert row.variant == decide(deployment.mirror.reflection.ruleset, "checkout", unit="u1").variant
    assert json.loads(row.attributes or "") == {"country": "NO"}


def test_another_process_adds_no_second_exposure(ask: Any, deployment: Deployment, server_key: str) -> None:
    ask()
    other = open_deployment(deployment.settings, now=lambda: NOW)
    other.mirror.refresh()
    again = create_app(other).test_client()
    headers = {"Authorization": f"Bearer {server_key}"}
    assert (
        again.post(f"{PATH}/checkout", json={"context": {"targetingKey": "u1"}}, headers=headers).status_code
        == 200
    )
    other.close()
    assert len(exposures(deployment)) == 1


def test_a_unit_placed_by_hand_is_marked(ask: Any, deployment: Deployment) -> None:
    ask(context={"targetingKey": "tester"})
    assert [(row.user_id, row.variant, row.mark) for row in exposures(deployment)] == [
        ("tester", "new", "override")
    ]


def test_an_anonymous_experiment_exposes_the_anonymous_id(ask: Any, deployment: Deployment) -> None:
    answer = ask("anonymous", {"targetingKey": "u1", "anonymousId": "a1"}).json
    ask("anonymous", {"targetingKey": "a2", "anonymousId": None})
    assert answer["variant"] == decide(deployment.mirror.reflection.ruleset, "anonymous", unit="a1").variant
    assert {(row.user_id, row.anonymous_id) for row in exposures(deployment)} == {(None, "a1"), (None, "a2")}


def test_who_is_outside_is_not_exposed(ask: Any, deployment: Deployment) -> None:
    for key in ("over", "nobody", "banner"):
        ask(key)
    assert exposures(deployment) == []


def test_client_keys_bulk_and_callers_that_only_look_expose_nobody(
    ask: Any, deployment: Deployment, client_key: str
) -> None:
    silent = make_key(deployment, KeyKind.SERVER, exposes=False)
    assert ask(Authorization=f"Bearer {client_key}").status_code == 200
    assert ask(Authorization=f"Bearer {silent}").status_code == 200
    assert ask(path=PATH).status_code == 200
    assert ask(**{"X-Evenhand-Exposure": "off"}).status_code == 200
    assert exposures(deployment) == []


def test_an_exposure_that_could_not_be_stored_is_kept_until_it_can_be(
    ask: Any, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments import writing
    from experiments.errors import Unavailable
    from experiments.store.ledger import Receipt

    def unavailable(**_: object) -> Receipt:
        raise Unavailable("gone")

    monkeypatch.setattr(writing, "RETRY", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr(writing, "append", unavailable)
        assert ask().status_code == 200
        time.sleep(0.2)
        assert deployment.writer.waiting == 1
    deployment.writer.close()
    assert len(exposures(deployment)) == 1


# Bulk


def test_bulk_answers_for_every_published_experiment(ask: Any, deployment: Deployment) -> None:
    answer = ask(path=PATH, context={"targetingKey": "u1", "country": "NO"})
    flags = {flag["key"]: flag for flag in answer.json["flags"]}
    assert set(flags) == {"anonymous", "banner", "checkout", "nobody", "over"}
    for key, flag in flags.items():
        single = ask(key, {"targetingKey": "u1", "country": "NO"}).json
        assert flag == single
        assert flag["reason"] in OFREP_REASONS


def test_the_tag_is_of_this_contexts_answer(ask: Any) -> None:
    norwegian = {"targetingKey": "u1", "country": "NO"}
    tag = ask(path=PATH, context=norwegian).headers["ETag"]
    for known in (tag, f"W/{tag}"):
        same = ask(path=PATH, context=norwegian, **{"If-None-Match": known})
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    other = ask(path=PATH, context={"targetingKey": "u1", "country": "DE"}, **{"If-None-Match": tag})
    assert other.status_code == 200
    assert other.headers["ETag"] != tag


def test_the_tag_changes_with_the_ruleset(ask: Any, deployment: Deployment) -> None:
    tag = ask(path=PATH).headers["ETag"]
    with deployment.store.write() as session:
        launch.stop(session=session, key="checkout", actor="t", now=NOW)
    deployment.mirror.refresh()
    assert ask(path=PATH, **{"If-None-Match": tag}).status_code == 200


# Browsers


def test_a_page_of_another_origin_may_ask(client: FlaskClient, ask: Any) -> None:
    preflight = client.options(
        f"{PATH}/checkout",
        headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status_code == 204
    for answer in (preflight, ask(), ask(path=PATH), ask(body=b"{"), ask(Authorization="")):
        headers = answer.headers
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert {"ETag", "Retry-After"} <= {
            name.strip() for name in headers["Access-Control-Expose-Headers"].split(",")
        }
        assert "Access-Control-Allow-Credentials" not in headers
    allowed = preflight.headers["Access-Control-Allow-Headers"]
    assert all(name in allowed for name in ("authorization", "content-type", "if-none-match", "x-api-key"))
