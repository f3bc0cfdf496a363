"""Stored readouts as files, and links to frozen reports, over the API."""

import csv
import io
from pathlib import Path

import pytest

from tests.web import scenes
from tests.web.api.management.conftest import Program
from web.deployment import Deployment

KEY = "checkout-onepage"


@pytest.fixture
def number(deployment: Deployment, ada: Program) -> int:
    """The number of the readout of an experiment that was analysed once."""
    scenes.stage(deployment.store, scenes.ONE_PAGE)
    [line] = ada.get(f"/experiments/{KEY}/readouts").get_json()["readouts"]
    return int(line["id"])


def test_a_stored_readout_is_sent_as_a_file(ada: Program, number: int) -> None:
    place = f"/experiments/{KEY}/readouts/{number}"
    sent = {form: ada.get(f"{place}/export?form={form}") for form in ("csv", "html", "json")}
    for form, answer in sent.items():
        name = f'attachment; filename="evenhand-{KEY}-2026-03-16.{form}"'
        assert (answer.status_code, answer.headers["Content-Disposition"]) == (200, name)
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        again = ada.get(f"{place}/export?form={form}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    readout = ada.get(place).get_json()
    rows = list(csv.DictReader(io.StringIO(sent["csv"].get_data(as_text=True).lstrip("\ufeff"))))
    assert [row["metric"] for row in rows] == [each["metric"] for each in readout["comparisons"]]
    assert sent["csv"].content_type == "text/csv; charset=utf-8"
    assert sent["json"].get_json()["readout"] == readout
    assert "One-page checkout" in sent["html"].get_data(as_text=True)


def test_a_pdf_is_printed_by_the_servers_browser_or_said_to_be_missing(
    ada: Program, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"/api/v1/experiments/{KEY}/readouts/{number}/export?form=pdf"
    headers = {"Authorization": f"Bearer {ada.secret}"}
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = ada.client.get(place, headers=headers)
    assert (missing.status_code, missing.content_type) == (501, "application/problem+json")
    assert "EVENHAND_CHROMIUM" in missing.get_data(as_text=True)
    browser = tmp_path / "chromium"
    browser.write_text("#!/bin/sh\nexit 1\n")
    browser.chmod(0o755)
    failed = ada.client.get(place, headers=headers)
    assert (failed.status_code, failed.headers["Retry-After"]) == (503, "2")
    browser.write_text(
        '#!/bin/sh\nfor a; do case $a in --print-to-pdf=*) printf %s "%PDF" > "${a#*=}";; esac; done\n'
    )
    printed = ada.client.get(place, headers=headers)
    assert (printed.content_type, printed.get_data()) == ("application/pdf", b"%PDF")
    assert printed.headers["Content-Disposition"].endswith('.pdf"')


def test_a_file_speaks_the_language_that_was_asked_for(ada: Program, number: int) -> None:
    chinese = ada.get(
        f"/experiments/{KEY}/readouts/{number}/export?form=html", headers={"Accept-Language": "zh-CN"}
    )
    assert chinese.headers["Content-Language"].startswith("zh")
    assert "对照组" in chinese.get_data(as_text=True)


def test_only_known_files_of_stored_readouts_are_sent(ada: Program, number: int) -> None:
    place = f"/experiments/{KEY}/readouts"
    for query in ("", "?form=docx", "?form=csv&form=html"):
        answer = ada.get(f"{place}/{number}/export{query}")
        assert (answer.status_code, answer.get_json()["errors"][0]["parameter"]) == (422, "form")
    assert ada.get(f"{place}/999/export?form=csv").status_code == 404
    assert ada.get(f"/experiments/checkout/readouts/{number}/export?form=csv").status_code == 404


def test_a_link_is_made_listed_and_revoked(ada: Program, number: int) -> None:
    made = ada.post(f"/experiments/{KEY}/shares", {"days": 30})
    assert (made.status_code, made.get_json()["readout"], made.get_json()["open"]) == (201, number, True)
    address = made.get_json()["address"]
    stranger = ada.client.application.test_client()
    assert "One-page checkout" in stranger.get(address).get_data(as_text=True)
    listed = ada.get(f"/experiments/{KEY}/shares").get_json()["shares"]
    assert listed == [{name: value for name, value in made.get_json().items() if name != "address"}]
    revoked = ada.delete(f"/experiments/{KEY}/shares/{listed[0]['id']}").get_json()
    assert (revoked["open"], revoked["revoked_at"] is None) == (False, False)
    assert stranger.get(address).status_code == 404
    newest = ada.get("/audit?limit=1").get_json()["changes"][0]
    assert (newest["action"], newest["object"]) == ("unshare", KEY)
    assert ada.delete(f"/experiments/checkout/shares/{listed[0]['id']}").status_code == 404


def test_a_repeated_order_makes_one_link_and_shows_its_address_once(ada: Program, number: int) -> None:
    order, key = {"days": 7, "readout": number}, {"Idempotency-Key": "one"}
    first = ada.post(f"/experiments/{KEY}/shares", order, headers=key)
    second = ada.post(f"/experiments/{KEY}/shares", order, headers=key)
    assert first.get_json()["address"].startswith("http")
    assert second.get_json() == {**first.get_json(), "address": None}
    assert len(ada.get(f"/experiments/{KEY}/shares").get_json()["shares"]) == 1


def test_what_cannot_be_shared_says_why(ada: Program, number: int) -> None:
    wrong = ada.post(f"/experiments/{KEY}/shares", {"days": 31})
    assert (wrong.status_code, wrong.get_json()["errors"][0]["pointer"]) == (422, "#/days")
    assert ada.post(f"/experiments/{KEY}/shares", {"days": 30, "readout": number + 1}).status_code == 404
    unread = ada.post("/experiments/checkout/shares", {"days": 30})
    assert (unread.status_code, "not been analysed" in unread.get_json()["detail"]) == (404, True)
    assert ada.get("/experiments/nothing/shares").status_code == 404
