"""The metrics door: for server keys, with few labels, whatever was asked for."""

import re

from web.app import create_app
from web.deployment import Deployment

FLAG = "/ofrep/v1/evaluate/flags/checkout"


def test_only_a_server_key_opens_it(deployment: Deployment, server_key: str, client_key: str) -> None:
    door = create_app(deployment).test_client()
    statuses = [
        door.get("/metrics", headers=headers).status_code
        for headers in ({}, {"X-API-Key": client_key}, {"X-API-Key": "wrong"}, {"X-API-Key": server_key})
    ]
    assert statuses == [401, 401, 401, 200]


def test_it_counts_what_was_done_and_names_nobody(deployment: Deployment, server_key: str) -> None:
    door = create_app(deployment).test_client()
    key = {"X-API-Key": server_key}
    for number in range(30):
        door.post(FLAG, json={"context": {"targetingKey": f"somebody-{number}"}}, headers=key)
        door.post(f"{FLAG}-{number}", json={"context": {"targetingKey": "u"}}, headers=key)
        door.get(f"/nowhere/{number}")
    door.post("/v1/batch", json={"batch": [{"type": "track", "event": "e", "userId": "u"}, 5]}, headers=key)
    deployment.writer.close()
    text = door.get("/metrics", headers=key).text
    assert 'evenhand_requests_total{door="evaluate",status="200"} 30.0' in text
    assert 'evenhand_requests_total{door="evaluate",status="404"} 30.0' in text
    assert 'evenhand_requests_total{door="none",status="404"} 30.0' in text
    assert 'evenhand_decisions_total{detail="assigned"} 30.0' in text
    assert 'evenhand_exposures_total{outcome="queued"} 30.0' in text
    assert 'evenhand_exposures_total{outcome="recorded"} 30.0' in text
    assert 'evenhand_events_total{outcome="rejected"} 1.0' in text
    assert "evenhand_ledger_waiting 0.0" in text
    version = deployment.mirror.reflection.ruleset.version
    assert f"evenhand_ruleset_version {version}.0" in text
    assert not re.search("somebody|checkout|nowhere", text)
    assert len(text.splitlines()) < 60
