import base64
import gzip
import io
import json
import sqlite3
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select
from werkzeug.test import TestResponse

from experiments import quality, writing
from experiments.store.floors import raise_floors
from experiments.store.instants import to_millis
from experiments.store.tables import EventRow, ExposureRow
from tests.samples import NOW
from web.deployment import Deployment

ALIASES = [
    "b",
    "import",
    "t",
    "i",
    "a",
    "p",
    "s",
    "g",
    "batch",
    "track",
    "identify",
    "alias",
    "page",
    "screen",
    "group",
]


def track(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u1", "event": "purchase", "messageId": f"m{number}", **changes}


@pytest.fixture
def send(client: FlaskClient, client_key: str) -> Any:
    def post(
        document: Any = None, *, body: bytes | None = None, door: str = "batch", **headers: str
    ) -> TestResponse:
        sent = json.dumps({"batch": [track()]} if document is None else document).encode()
        return client.post(
            f"/v1/{door}",
            data=sent if body is None else body,
            headers={"Authorization": f"Bearer {client_key}", **headers},
        )

    return post


def stored(deployment: Deployment) -> list[str]:
    with deployment.store.read() as session:
        return sorted(session.exec(select(EventRow.message_id)))


def test_a_batch_is_stored_and_counted(send: Any, deployment: Deployment) -> None:
    batch = [track(1), track(2), track(1), {"type": "track", "event": "e", "messageId": "bad"}]
    answer = send({"batch": batch})
    assert answer.status_code == 200
    assert answer.json == {
        "success": True,
        "accepted": 2,
        "duplicates": 1,
        "rejected": [
            {
                "index": 3,
                "messageId": "bad",
                "code": "missing_user",
                "detail": "expected userId or anonymousId",
            }
        ],
    }
    assert stored(deployment) == ["m1", "m2"]


def test_a_replay_adds_nothing(send: Any, deployment: Deployment) -> None:
    send()
    again = send()
    assert (again.json["accepted"], again.json["duplicates"]) == (0, 1)
    assert stored(deployment) == ["m1"]


@pytest.mark.parametrize("door", ALIASES)
def test_every_alias_takes_a_single_message_and_a_batch(send: Any, door: str) -> None:
    single = {"userId": "u1", "event": "purchase", "messageId": f"single-{door}"}
    if door in ("batch", "b", "import"):
        single["type"] = "track"
    for document in (single, {"batch": [track(9, messageId=f"batch-{door}")]}):
        answer = send(document, door=door)
        assert (answer.status_code, answer.json["accepted"]) == (200, 1)


def test_an_exposure_arrives_as_an_event(send: Any, deployment: Deployment) -> None:
    send(
        {
            "batch": [
                track(
                    event="Experiment Viewed", properties={"experiment_id": "checkout", "variation_id": "new"}
                )
            ]
        }
    )
    with deployment.store.read() as session:
        row = session.exec(select(ExposureRow)).one()
    assert (row.experiment, row.variant, row.user_id) == ("checkout", "new", "u1")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_body_is_read_whatever_its_content_type_says(send: Any, content_type: str, pack: Any) -> None:
    body = pack(json.dumps({"batch": [track()]}).encode())
    answer = send(body=body, **{"Content-Type": content_type})
    assert (answer.status_code, answer.json["accepted"]) == (200, 1)


def test_the_key_may_be_in_a_header_or_in_the_body(
    client: FlaskClient, client_key: str, server_key: str
) -> None:
    for key in (client_key, server_key):
        basic = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
        for headers, extra in (
            (basic, {}),
            ({"X-API-Key": key}, {}),
            ({}, {"writeKey": key}),
            ({"Authorization": "Basic bad"}, {"writeKey": key}),
        ):
            answer = client.post("/v1/batch", data=json.dumps({"batch": [track()], **extra}), headers=headers)
            assert answer.status_code == 200


@pytest.mark.parametrize(
    "body", [b'{"batch":[], "writeKey": "wrong"}', b'{"writeKey": 7}', b'{"writeKey"', b"", b"[" * 100_000]
)
def test_a_wrong_key_stores_nothing(client: FlaskClient, deployment: Deployment, body: bytes) -> None:
    answer = client.post("/v1/batch", data=body)
    assert answer.status_code == 401
    assert answer.json is not None
    assert stored(deployment) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b'{"batch": {}}', 400),
        (b'{"batch":' + json.dumps([track()] * 1_001).encode() + b"}", 400),
        (gzip.compress(b"{}", mtime=0)[:-4], 400),
        (gzip.compress(b'{"batch": []}', mtime=0) + b"more", 400),
        (gzip.compress(b'{"batch": []}', mtime=0) * 2, 400),
        (b"\x1f\x8bnonsense", 400),
        (b" " * (1024 * 1024 + 1), 413),
        (gzip.compress(b" " * (8 * 1024 * 1024 + 1), mtime=0), 413),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused_whole(
    send: Any, deployment: Deployment, body: bytes, status: int
) -> None:
    answer = send(body=body)
    assert answer.status_code == status
    assert answer.json["success"] is False
    assert answer.json["detail"]
    assert stored(deployment) == []


def test_a_body_that_was_cut_off_is_never_acknowledged(
    client: FlaskClient, client_key: str, deployment: Deployment
) -> None:
    whole = json.dumps({"batch": [track()]}).encode()
    for sent in (whole[:20], whole, b""):
        answer = client.post(
            "/v1/batch",
            input_stream=io.BytesIO(sent),
            headers={"Authorization": f"Bearer {client_key}"},
            environ_overrides={"CONTENT_LENGTH": str(len(whole) + 5)},
        )
        assert answer.status_code == 400
    assert stored(deployment) == []


def test_a_body_that_arrives_in_pieces_is_read_to_its_end(client: FlaskClient, client_key: str) -> None:
    class Pieces(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(7 if size is None or size < 0 else min(7, size))

    whole = json.dumps({"batch": [track()]}).encode()
    answer = client.post(
        "/v1/batch",
        input_stream=Pieces(whole),
        headers={"Authorization": f"Bearer {client_key}", "Content-Length": str(len(whole))},
    )
    assert (answer.status_code, answer.json and answer.json["accepted"]) == (200, 1)


def test_one_bad_event_never_fails_its_batch(send: Any, deployment: Deployment) -> None:
    good = json.dumps(track()).encode()
    body = (
        b'{"batch":[{"type":["x"]},' + good + b',{"userId":"\\ud800"},' + b"[" * 5_000 + b"]" * 5_000 + b"]}"
    )
    answer = send(body=body)
    assert answer.status_code == 200
    assert answer.json["accepted"] == 1
    assert [each["index"] for each in answer.json["rejected"]] == [0, 2, 3]
    assert stored(deployment) == ["m1"]


def test_strict_mode_stores_nothing_of_a_batch_with_a_bad_event(send: Any, deployment: Deployment) -> None:
    document = {"batch": [track(), {"type": "track"}]}
    answer = send(document, **{"X-Strict-Mode": "1"})
    assert answer.status_code == 400
    assert answer.json["rejected"][0]["index"] == 1
    assert stored(deployment) == []
    assert send(**{"X-Strict-Mode": "1"}).status_code == 200


def test_a_ledger_that_cannot_store_says_when_to_come_back(
    send: Any, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PATIENCE", 0.1)
    other = sqlite3.connect(deployment.settings.data_dir / "evenhand.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = send()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()
    assert answer.json is not None
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    other.execute("ROLLBACK")
    other.close()
    monkeypatch.setattr(writing, "PATIENCE", 10)
    again = send()
    assert again.status_code == 200
    assert stored(deployment) == ["m1"]


def test_events_are_dated_by_the_clock_of_the_deployment(send: Any, deployment: Deployment) -> None:
    from experiments.store.instants import to_millis

    send()
    with deployment.store.read() as session:
        assert session.exec(select(EventRow.received_at)).one() == to_millis(NOW)


def test_a_page_of_another_origin_may_send(client: FlaskClient, send: Any) -> None:
    preflight = client.options("/v1/t", headers={"Origin": "https://shop.example"})
    assert preflight.status_code == 204
    for answer in (preflight, send(), send(body=b"{"), send(Authorization="")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_other_methods_and_doors_answer_with_an_object(client: FlaskClient) -> None:
    for answer in (
        client.get("/v1/batch"),
        client.post("/v1/nothing"),
        client.post("/", environ_overrides={"PATH_INFO": "//v1/nothing"}),
    ):
        assert answer.status_code in (404, 405)
        assert answer.json is not None


def test_what_is_older_than_what_was_forgotten_is_named_as_such(send: Any, deployment: Deployment) -> None:
    with deployment.store.write() as session:
        raise_floors(session=session, to={"purchase": to_millis(NOW)})
    old = track(1, timestamp="2026-03-01T00:00:00Z")
    answer = send({"batch": [old, track(2)]}).get_json()
    assert (answer["accepted"], answer["duplicates"], answer["outdated"]) == (1, 0, 1)
    assert "outdated" not in send({"batch": [track(3)]}).get_json()
    with deployment.store.read() as session:
        (counted,) = quality.by_event(session=session)
    assert counted.to_json()["outdated"] == 1
