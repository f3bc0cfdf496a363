"""Erasing a person over HTTP."""

from flask import Flask

from tests.samples import event
from tests.web.conftest import form_token, signed_in
from web.deployment import Deployment


def test_a_person_is_erased_by_somebody_who_is_signed_in(empty_site: Flask) -> None:
    deployment: Deployment = empty_site.extensions["evenhand"]
    deployment.writer.append([event(1), event(2)])
    path = "/api/v1/erasures"
    assert empty_site.test_client().post(path, json={"unit": "u1"}).status_code == 401
    client = signed_in(empty_site)
    client.environ_base["HTTP_X_CSRFTOKEN"] = form_token(client)
    answer = client.post(path, json={"unit": "u1"})
    assert (answer.status_code, answer.get_json()["events"]) == (200, 1)
    assert client.post(path, json={"unit": "u1"}).get_json()["events"] == 0
    for wrong in ({}, {"unit": ""}, {"unit": "u", "kind": "cookie"}, {"unit": "u", "more": 1}):
        assert client.post(path, json=wrong).status_code == 422
