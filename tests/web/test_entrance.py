import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import link_for, signed_in
from web.auth import local_path


def token_on(client: FlaskClient, path: str) -> str:
    text = client.get(path).get_data(as_text=True)
    return str(re.findall(r'name="csrf_token" value="([^"]+)"', text)[0])


@pytest.mark.parametrize("path", ["/", "/experiments", "/experiments/new", "/experiments/touch/results"])
def test_strangers_are_sent_to_the_sign_in_page(gallery: Flask, path: str) -> None:
    client = gallery.test_client()
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert "evenhand user link" in client.get("/sign-in").get_data(as_text=True)


def test_a_link_leads_where_the_person_was_going(gallery: Flask) -> None:
    client = gallery.test_client()
    client.get("/experiments/touch/results?show=ctr:C")
    answer = client.get(link_for(gallery))
    assert answer.location == "/experiments/touch/results?show=ctr:C"
    cookie = next(
        each for each in answer.headers.getlist("Set-Cookie") if each.startswith("evenhand_session=")
    )
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_under_https_the_cookie_is_bound_to_the_host(gallery: Flask) -> None:
    answer = gallery.test_client().get(link_for(gallery), base_url="https://localhost")
    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if "evenhand_session=" in each)
    assert cookie.startswith("__Host-evenhand_session=")
    assert "Secure" in cookie


def test_a_link_works_once(gallery: Flask) -> None:
    link = link_for(gallery)
    assert gallery.test_client().get(link).status_code == 303
    for stale in (link, "/enter?token=made-up", "/enter"):
        answer = gallery.test_client().get(stale)
        assert answer.status_code == 410
        assert "no longer works" in answer.get_data(as_text=True)
        assert "evenhand_session" not in str(answer.headers)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/\n/evil.example",
        "evil",
        "",
        None,
        "//[",
    ],
)
def test_nobody_is_sent_elsewhere(wanted: str | None) -> None:
    assert local_path(wanted, otherwise="/home") == "/home"


@pytest.mark.parametrize("wanted", ["/", "/experiments?q=a%20b&status=running", "/experiments/größe"])
def test_local_paths_are_kept(wanted: str) -> None:
    assert local_path(wanted, otherwise="/home") == wanted


def test_signing_out_ends_the_session(gallery: Flask) -> None:
    client = signed_in(gallery)
    stolen = client.get_cookie("evenhand_session")
    assert stolen is not None
    token = token_on(client, "/experiments")
    assert client.post("/sign-out", data={"csrf_token": token}).status_code == 303
    client.set_cookie("evenhand_session", stolen.value)
    assert client.get("/experiments").status_code == 303


@pytest.mark.parametrize("path", ["/sign-out", "/language", "/experiments/new", "/experiments/touch/stop"])
def test_forms_from_elsewhere_are_refused(gallery: Flask, path: str) -> None:
    answer = signed_in(gallery).post(path, data={"revision": "2", "language": "en"})
    assert answer.status_code == 400
    assert "no longer valid" in answer.get_data(as_text=True)


def test_a_form_sent_without_a_session_says_that_nothing_is_lost(gallery: Flask) -> None:
    answer = gallery.test_client().post("/experiments/new", data={"name": "x"})
    assert answer.status_code == 401
    assert "what you typed is not lost" in answer.get_data(as_text=True)


def test_the_language_is_remembered(gallery: Flask) -> None:
    client = signed_in(gallery)
    token = token_on(client, "/experiments")
    sent = {"csrf_token": token, "language": "zh_Hans_CN", "next": "/experiments?q=a"}
    answer = client.post("/language", data=sent)
    assert (answer.status_code, answer.location) == (303, "/experiments?q=a")
    assert "新建实验" in client.get("/experiments").get_data(as_text=True)
    assert client.post("/language", data={**sent, "language": "tlh"}).status_code == 400
    assert client.post("/language", data={**sent, "next": "//evil.example"}).location == "/experiments"
