"""The data's pages and doors: what comes in at one is counted and shown at the others."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from experiments.people import KeyKind, create_key
from tests.web.conftest import form_token, send, signed_in
from tests.web.scenes import NOW, ONE_PAGE, stage
from web.app import create_app
from web.deployment import Deployment, open_deployment
from web.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
ORDER = {"event": "order", "properties": [{"name": "revenue", "type": "number"}]}


def site(folder: Path, **chosen: Any) -> Flask:
    return create_app(open_deployment(Settings(data_dir=folder, **chosen), now=lambda: NOW))


def running(app: Flask) -> Deployment:
    deployment: Deployment = app.extensions["evenhand"]
    return deployment


def key_for(app: Flask, kind: KeyKind = KeyKind.CLIENT) -> str:
    deployment = running(app)
    with deployment.store.write() as session:
        _, key = create_key(session=session, kind=kind, name="test", actor="test", now=NOW)
    deployment.mirror.refresh()
    return key


def track(app: Flask, *messages: dict[str, Any], **headers: str) -> dict[str, Any]:
    batch = [{"type": "track", "userId": "u1", **each} for each in messages]
    answer = app.test_client().post(
        "/v1/batch", json={"batch": batch, "writeKey": key_for(app)}, headers=headers
    )
    document: dict[str, Any] = answer.get_json()
    return document


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = site(tmp_path)
    yield made
    running(made).close()


@pytest.fixture
def ada(app: Flask) -> FlaskClient:
    """Somebody whose browser sends the word of our own pages along, as their scripts do."""
    client = signed_in(app)
    client.environ_base["HTTP_X_CSRFTOKEN"] = form_token(client)
    return client


# Doors


def test_clients_in_browsers_are_told_where_to_send_to(app: Flask) -> None:
    key = key_for(app)
    answer = app.test_client().get(f"/v1/projects/{key}/settings")
    assert answer.get_json()["integrations"]["Segment.io"] == {
        "apiKey": key,
        "apiHost": "localhost/v1",
        "protocol": "http",
    }
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_bootstrap_is_for_client_keys_alone(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/v1/projects/nobody/settings").status_code == 401
    assert client.get(f"/v1/projects/{key_for(app, KeyKind.SERVER)}/settings").status_code == 403


@pytest.mark.parametrize("door", ["track", "t"])
def test_the_key_may_stand_in_the_path(app: Flask, door: str) -> None:
    message = {"userId": "u1", "event": "order"}
    answer = app.test_client().post(f"/v1/projects/{key_for(app)}/{door}", json=message)
    assert answer.get_json()["accepted"] == 1
    assert app.test_client().post(f"/v1/projects/nobody/{door}", json=message).status_code == 401


def test_a_key_in_the_body_is_found_beside_a_message_that_is_poison(app: Flask) -> None:
    poison = '{"type": "track", "userId": "\\ud800", "event": "a"}'
    sound = '{"type": "track", "userId": "u1", "event": "a"}'
    body = f'{{"batch": [{poison}, {sound}], "writeKey": "{key_for(app)}"}}'
    answer = app.test_client().post("/v1/batch", data=body)
    assert (answer.status_code, answer.get_json()["accepted"]) == (200, 1)


def test_a_plan_is_replaced_by_whoever_has_seen_it(app: Flask, ada: FlaskClient) -> None:
    empty = ada.get("/api/v1/tracking-plan")
    assert empty.get_json() == {"version": 0, "mode": "observe", "events": []}
    plan = {"mode": "enforce", "events": [ORDER]}
    saved = ada.put("/api/v1/tracking-plan", json=plan, headers={"If-Match": empty.headers["ETag"]})
    assert saved.get_json()["version"] == 1
    late = ada.put("/api/v1/tracking-plan", json={"events": []}, headers={"If-Match": empty.headers["ETag"]})
    assert late.status_code == 412
    wrong = ada.put("/api/v1/tracking-plan", json={"events": [{"event": "a", "retention": "soon"}]})
    assert wrong.get_json()["errors"][0]["pointer"] == "#/events/0/retention"
    assert app.test_client().get("/api/v1/tracking-plan").status_code == 401


def test_the_doors_follow_the_plan(app: Flask, ada: FlaskClient) -> None:
    ada.put("/api/v1/tracking-plan", json={"mode": "enforce", "events": [ORDER]})
    answer = track(app, {"event": "order", "properties": {"revenue": 5}}, {"event": "visit"})
    assert (answer["accepted"], [each["code"] for each in answer["rejected"]]) == (1, ["unplanned_event"])


def test_what_came_in_is_counted_and_listed(app: Flask, ada: FlaskClient) -> None:
    old = (NOW - timedelta(hours=2)).isoformat()
    track(
        app, {"event": "order", "messageId": "m1", "timestamp": old}, {"event": "order", "timestamp": "soon"}
    )
    track(app, {"event": "order", "messageId": "m1"})
    counts = ada.get("/api/v1/data-quality").get_json()
    order = {"event": "order", "accepted": 1, "duplicate": 1, "rejected": 1, "late": 1, "skewed": 0}
    assert order.items() <= counts["events"][0].items()
    assert counts["days"][0]["day"] == NOW.date().isoformat()
    assert {"lag": "lag:1h", "count": 1} in counts["lateness"]
    messages = ada.get("/api/v1/messages").get_json()["messages"]
    assert sorted((each["kind"], each["mark"]) for each in messages) == [
        ("event", ""),
        ("rejected", "bad_time"),
    ]
    assert ada.get("/api/v1/data-quality?days=0").status_code == 422


def test_strict_mode_stores_nothing_but_counts_what_was_wrong(app: Flask, ada: FlaskClient) -> None:
    answer = track(app, {"event": "order"}, {"event": ""}, **{"X-Strict-Mode": "1"})
    assert answer["status"] == 400
    counts = ada.get("/api/v1/data-quality").get_json()["events"]
    assert [(each["event"], each["accepted"], each["rejected"]) for each in counts] == [
        ("(unreadable)", 0, 1)
    ]
    assert "（无法读取）" in page(signed_in(app, "zh-CN"), "/data")


def test_totals_are_reported_as_json_or_csv(app: Flask, ada: FlaskClient) -> None:
    track(app, {"event": "order"})
    day = NOW.date().isoformat()
    answer = ada.post("/api/v1/reconciliation", data=f"day,event,count\n{day},order,2\n")
    expected = {"day": day, "event": "order", "theirs": 2, "ours": 1, "share": -0.5, "agrees": False}
    assert answer.get_json() == {"differences": [expected]}
    ada.post("/api/v1/reconciliation", json={"totals": [{"day": day, "event": "order", "count": 1}]})
    assert ada.get("/api/v1/reconciliation").get_json()["differences"][0]["agrees"] is True


# The mirror, pseudonyms


def test_the_plan_outlives_the_database_on_disk(app: Flask, ada: FlaskClient) -> None:
    ada.put("/api/v1/tracking-plan", json={"mode": "enforce", "events": [ORDER]})
    mirror = running(app).mirror
    mirror.refresh()
    kept = type(mirror.reflection).from_json(mirror.reflection.to_json())
    assert (kept.plan, kept.experiments) == (mirror.reflection.plan, frozenset())


def test_no_id_reaches_the_disk_with_a_pseudonym_key(tmp_path: Path) -> None:
    app = site(tmp_path, pseudonym_key=SECRET)
    stage(running(app).store, ONE_PAGE)
    client, key = app.test_client(), key_for(app, KeyKind.SERVER)
    track(app, {"event": "order", "userId": "alice", "properties": {"who": "alice"}})
    answer = client.post(
        "/ofrep/v1/evaluate/flags/checkout-onepage",
        json={"context": {"targetingKey": "alice", "userId": "alice"}},
        headers={"X-API-Key": key},
    )
    assert answer.status_code in (200, 404)
    deployment = running(app)
    with deployment.store.read() as session:
        ids = session.connection().execute(text("SELECT user_id FROM event")).scalars().all()
    deployment.close()
    assert [each[:2] for each in ids] == ["p_"]
    assert not [path for path in tmp_path.iterdir() if path.is_file() and b"alice" in path.read_bytes()]


# Pages


def test_the_data_page_shows_counts_oddities_and_lateness(app: Flask, ada: FlaskClient) -> None:
    assert "No messages yet" in page(ada, "/data")
    ada.put("/api/v1/tracking-plan", json={"events": [ORDER]})
    shown = {"event": "Experiment Viewed", "properties": {"experiment_id": "nope", "variation_id": "b"}}
    track(app, {"event": "visit"}, {"event": "order", "timestamp": "soon"}, shown)
    found = page(ada, "/data")
    for told in (
        "not in the tracking plan: 1",
        "rejected as bad_time: 1",
        "of an experiment that does not exist: 1",
    ):
        assert told in found
    assert "data-figure" in found


def test_the_live_page_shows_what_was_sent_and_what_was_refused(app: Flask, ada: FlaskClient) -> None:
    track(app, {"event": "order", "properties": {"revenue": "<5>"}}, {"event": "order", "timestamp": "soon"})
    for path in ("/data/live", "/data/live/rows"):
        found = page(ada, path)
        assert "bad_time" in found
        assert "&lt;5&gt;" in found
    assert "<html" not in page(ada, "/data/live/rows")


def test_totals_can_be_pasted_or_uploaded(app: Flask, ada: FlaskClient) -> None:
    csv = f"day,event,count\n{NOW.date()},order,2\n"
    assert send(ada, "/data/compare", {"totals": csv}).status_code == 303
    assert "1 total differs by more than 5%" in page(ada, "/data/compare")
    track(app, {"event": "order"}, {"event": "order"})
    assert send(ada, "/data/compare", {"file": (io.BytesIO(csv.encode()), "totals.csv")}).status_code == 303
    assert "All totals agree within 5%" in page(ada, "/data/compare")
    refused = send(ada, "/data/compare", {"totals": "nonsense"})
    assert refused.status_code == 422
    assert "nonsense" in refused.get_data(as_text=True)


def test_an_event_is_listed_edited_and_removed_on_the_page(ada: FlaskClient) -> None:
    fields = {
        "event": "order",
        "purpose": "revenue",
        "retention": "400d",
        "property_name": ["revenue", "", "currency"],
        "property_type": ["number", "any", "text"],
        "property_purpose": ["sum", "", ""],
        "property_required": ["0"],
        "version": "0",
    }
    assert send(ada, "/settings/tracking/events", fields).status_code == 303
    assert ada.get("/api/v1/tracking-plan").get_json()["events"][0]["properties"] == [
        {"name": "revenue", "type": "number", "required": True, "purpose": "sum"},
        {"name": "currency", "type": "text", "required": False, "purpose": ""},
    ]
    assert 'value="currency"' in page(ada, "/settings/tracking?event=order")
    slower = {**fields, "purpose": "another"}
    assert send(ada, "/settings/tracking/events", slower).status_code == 409
    wrong = send(ada, "/settings/tracking/events", {**fields, "retention": "soon", "version": "1"})
    assert wrong.status_code == 422
    assert "Kept for: Write a number and h, d or w" in wrong.get_data(as_text=True)
    assert send(ada, "/settings/tracking/mode", {"mode": "filter"}).status_code == 303
    assert send(ada, "/settings/tracking/events/remove", {"event": "order"}).status_code == 303
    assert ada.get("/api/v1/tracking-plan").get_json() == {"version": 3, "mode": "filter", "events": []}


@pytest.mark.parametrize(
    "path", ["/data", "/data/live", "/data/live/rows", "/data/compare", "/settings/tracking"]
)
def test_strangers_see_none_of_it(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 303


@pytest.mark.parametrize("path", ["/data", "/data/live", "/data/compare", "/settings/tracking"])
def test_the_pages_speak_chinese(app: Flask, path: str) -> None:
    assert "数据" in page(signed_in(app, "zh-CN"), path)
