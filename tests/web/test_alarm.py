import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from experiments import webhooks
from experiments.alerts import list_alerts
from experiments.readouts import latest
from tests.web.conftest import send, signed_in
from tests.web.scenes import HARM, NOW, VETERANS, stage
from tests.web.test_pages import deployment_of
from web import webhook
from web.alarm import deliver_alerts, look_again, raise_alarms
from web.app import create_app
from web.deployment import Deployment, open_deployment
from web.messenger import Messenger, read_later
from web.settings import Settings, secret_key_of
from web.webhook import Gone, NotDelivered, deliver, resolve

LOCAL = frozenset({"127.0.0.1"})


@pytest.fixture
def site(empty_site: Flask) -> Deployment:
    found = deployment_of(empty_site)
    stage(found.store, HARM, VETERANS)
    for key in ("harm", "veterans"):
        with found.store.read() as session:
            snapshot = latest(session=session, key=key)
        assert snapshot is not None
        raise_alarms(store=found.store, snapshot=snapshot, now=NOW)
    return found


def settings(site: Deployment, url: str) -> Settings:
    return Settings(data_dir=site.settings.data_dir, alert_webhook=url, alert_webhook_hosts="127.0.0.1")


def test_an_alert_says_what_the_page_says_in_both_languages(site: Deployment, empty_site: Flask) -> None:
    sent: list[Mapping[str, Any]] = []

    def deliver_to_list(url: str, document: Mapping[str, Any], *, allowed: frozenset[str], **_: Any) -> None:
        assert (url, allowed) == ("https://chat.example/hook", LOCAL)
        sent.append(document)

    chosen = settings(site, "https://chat.example/hook")
    assert deliver_alerts(store=site.store, settings=chosen, now=NOW, deliver=deliver_to_list) == 2
    for document in sent:
        for language, sentence in document["sentences"].items():
            client = signed_in(empty_site, language)
            results = client.get(f"/experiments/{document['experiment']}/results").get_data(as_text=True)
            parts = sentence.replace("“", "&#34;").split(". ") if language == "en" else [sentence[-20:-1]]
            assert parts[-1].rstrip(".") in results, (language, sentence)
            assert parts[0] in client.get("/alerts").get_data(as_text=True)
    assert {document["kind"] for document in sent} == {"guardrail", "health"}
    assert deliver_alerts(store=site.store, settings=chosen, now=NOW, deliver=deliver_to_list) == 0


def test_without_an_address_alerts_stay_in_the_history(site: Deployment, empty_site: Flask) -> None:
    assert deliver_alerts(store=site.store, settings=site.settings, now=NOW) == 0
    text = signed_in(empty_site).get("/alerts").get_data(as_text=True)
    assert "2 alerts" in text
    assert "no address to deliver to is set" in text


def test_what_fails_is_written_down_and_tried_again(site: Deployment) -> None:
    def refuse(url: str, document: Mapping[str, Any], *, allowed: frozenset[str], **_: Any) -> None:
        raise NotDelivered("answered 503")

    chosen = settings(site, "https://chat.example/hook")
    assert deliver_alerts(store=site.store, settings=chosen, now=NOW, deliver=refuse) == 0
    with site.store.read() as session:
        assert {(each.attempts, each.failure) for each in list_alerts(session=session)} == {
            (1, "answered 503")
        }
    arrived = deliver_alerts(
        store=site.store, settings=chosen, now=NOW + timedelta(minutes=1), deliver=lambda *_, **__: None
    )
    assert arrived == 2


def test_a_receiver_that_asks_for_time_gets_it(site: Deployment) -> None:
    def busy(url: str, document: Mapping[str, Any], **_: Any) -> None:
        raise NotDelivered("answered 429", later="600")

    def tried(minutes: int) -> int:
        now = NOW + timedelta(minutes=minutes)
        return deliver_alerts(store=site.store, settings=chosen, now=now, deliver=lambda *_, **__: None)

    chosen = settings(site, "https://chat.example/hook")
    assert deliver_alerts(store=site.store, settings=chosen, now=NOW, deliver=busy) == 0
    assert (tried(9), tried(10)) == (0, 2)


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "9" * 10, "Mon, 99 Mar 2026", "٣"])
def test_what_is_no_retry_after_changes_nothing(text: str) -> None:
    assert read_later(text, now=NOW) is None


def test_nobody_is_left_alone_for_longer_than_a_day() -> None:
    assert read_later("999999999", now=NOW) == NOW + timedelta(days=1)


def test_a_receiver_that_is_gone_is_not_asked_again(site: Deployment) -> None:
    def gone(url: str, document: Mapping[str, Any], **_: Any) -> None:
        raise Gone("answered 410")

    chosen = settings(site, "https://chat.example/hook")
    later = NOW + timedelta(days=2)
    assert deliver_alerts(store=site.store, settings=chosen, now=NOW, deliver=gone) == 0
    assert deliver_alerts(store=site.store, settings=chosen, now=later, deliver=lambda *_, **__: None) == 0


def test_what_no_longer_runs_alerts_no_longer(site: Deployment) -> None:
    from experiments import launch

    with site.store.write() as session:
        launch.stop(session=session, key="harm", actor="ada", now=NOW)
    look_again(store=site.store, now=NOW)
    with site.store.read() as session:
        assert {each.experiment: each.ended_at for each in list_alerts(session=session)} == {
            "harm": NOW,
            "veterans": None,
        }


def test_a_threshold_is_changed_on_its_page(site: Deployment, empty_site: Flask) -> None:
    client = signed_in(empty_site)
    path = "/alerts/harm/refund"
    assert 'value="8"' in client.get(path).get_data(as_text=True)
    assert send(client, path, {"limit": "12,5", "wait": "6", "who": "on call"}).status_code == 303
    assert "more than 12.5%, after 6 hours" in client.get("/alerts").get_data(as_text=True)
    for wrong in ({"limit": "0"}, {"limit": "much"}, {"wait": "-1"}):
        answer = send(client, path, {"limit": "5", "wait": "0", "who": "kept", **wrong})
        assert answer.status_code == 422
        assert 'value="kept"' in answer.get_data(as_text=True)
    assert client.get("/alerts/harm/paid").status_code == 404


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "plain http"),
        ("ftp://example.com/", "not an address"),
        ("https://user:secret@example.com/", "not an address"),
        ("https://example.com:22/", "port 22"),
        ("https://[::1/", "not an address"),
        ("https:///path", "not an address"),
    ],
)
def test_an_address_of_the_wrong_kind_is_refused(url: str, reason: str) -> None:
    with pytest.raises(NotDelivered, match=reason):
        resolve(url, allowed=frozenset())


@pytest.mark.parametrize(
    "found",
    [
        "127.0.0.1",
        "10.0.0.8",
        "169.254.169.254",
        "::1",
        "::ffff:192.168.0.1",
        "fd00::1",
        "100.64.0.1",
        "224.0.0.1",
        "2002:7f00:1::",
    ],
)
def test_a_name_that_leads_inside_is_refused(found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(0, 0, 0, "", ("93.184.215.14", 443)), (0, 0, 0, "", (found, 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: entries)
    with pytest.raises(NotDelivered, match="not a public one"):
        resolve("https://rebound.example/", allowed=frozenset())
    assert (
        resolve("https://rebound.example/", allowed=frozenset({"rebound.example"})).address == "93.184.215.14"
    )


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def answer(
    listener: socket.socket, text: bytes, heard: list[bytes], *, drip: float = 0.0
) -> threading.Thread:
    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            said = b""
            while not said.endswith(b"}"):  # the message may come in parts, and its last sign is a bracket
                said += connection.recv(65_536)
            heard.append(said)
            try:
                for sign in [text] if not drip else [bytes([each]) for each in text]:
                    connection.sendall(sign)
                    time.sleep(drip)
            except OSError:
                return

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def hook(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/hook?to=us"


def test_a_message_is_posted_as_json(listener: socket.socket) -> None:
    heard: list[bytes] = []
    thread = answer(listener, b"HTTP/1.1 204 No Content\r\n\r\n", heard)
    deliver(hook(listener), {"text": "变差"}, allowed=LOCAL)
    thread.join()
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?to=us HTTP/1.1")
    assert b"Content-Type: application/json" in head
    assert body.decode() == '{"text": "变差"}'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 500 No\r\n\r\nsecret", "answered 500"),
        (b"HTTP/1.1 503 Busy\r\n", "answered 503"),
        (b"SSH-2.0-hello\r\n", "not HTTP"),
        (b"", "not HTTP|reset by peer"),
    ],
)
def test_anything_but_a_yes_is_a_failure_and_nothing_is_followed(
    listener: socket.socket, text: bytes, reason: str
) -> None:
    thread = answer(listener, text, [])
    with pytest.raises(NotDelivered, match=reason) as failed:
        deliver(hook(listener), {"text": ""}, allowed=LOCAL)
    thread.join()
    assert "secret" not in str(failed.value)


def test_a_refusal_says_when_to_come_back(listener: socket.socket) -> None:
    thread = answer(listener, b"HTTP/1.1 429 Slow\r\nServer: x\r\nretry-AFTER: 120\r\n\r\nLater: 9", [])
    with pytest.raises(NotDelivered, match="answered 429") as failed:
        deliver(hook(listener), {"text": ""}, allowed=LOCAL)
    thread.join()
    assert failed.value.later == "120"


def test_a_message_is_signed_over_its_very_bytes_and_written_down(
    site: Deployment, listener: socket.socket
) -> None:
    with site.store.write() as session:
        secret = webhooks.make_secret(session=session, actor="Ada", now=NOW)
    heard: list[bytes] = []
    thread = answer(listener, b"HTTP/1.1 200 OK\r\n\r\n", heard)
    chosen = settings(site, hook(listener))
    assert Messenger(site.store, chosen).test(now=NOW).failure is None
    thread.join()
    head, _, body = heard[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    key = base64.b64decode(secret.shown(secret_key_of(chosen)).removeprefix("whsec_"))
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{made}"
    assert json.loads(body)["type"] == "webhook.test"
    with site.store.read() as session:
        (delivery,) = webhooks.list_deliveries(session=session)
    assert (delivery.message, delivery.failure) == (headers["webhook-id"], None)


def test_the_page_makes_a_secret_sends_a_test_and_lists_what_became_of_it(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path, alert_webhook="http://127.0.0.1:9/hook", public_url="")
    opened = open_deployment(chosen, now=lambda: NOW)
    try:
        client = signed_in(create_app(opened))
        assert "not signed yet" in client.get("/alerts").get_data(as_text=True)
        page = send(client, "/alerts/webhook/secret", {}).get_data(as_text=True)
        assert 'value="whsec_' in page
        assert "whsec_" not in client.get("/alerts").get_data(as_text=True)
        assert send(client, "/alerts/webhook/test", {}).status_code == 303
        page = client.get("/alerts").get_data(as_text=True)
        assert "A test" in page
        assert "plain http only goes to hosts in EVENHAND_ALERT_WEBHOOK_HOSTS" in page
        told = client.get("/api/v1/webhook").json or {}
        assert (len(told["secrets"]), told["deliveries"][0]["kind"]) == (1, "webhook.test")
    finally:
        opened.close()


def test_an_answer_that_drips_is_cut_off(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.2)
    thread = answer(listener, b"HTTP/1.1 2000000000000000", [], drip=0.05)
    began = time.monotonic()
    with pytest.raises(NotDelivered):
        deliver(hook(listener), {"text": ""}, allowed=LOCAL)
    assert time.monotonic() - began < 1.0
    thread.join()
