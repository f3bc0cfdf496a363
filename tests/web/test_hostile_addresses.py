"""Addresses that nobody should write: ways out of a folder, and ways to another site."""

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import form_token

CLIMBS = (
    "../../web/settings.py",
    "..%2f..%2fsettings.py",
    "%2e%2e/settings.py",
    "....//settings.py",
    "\\..\\x",
)
ELSEWHERE = (
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
)


@pytest.mark.parametrize("climb", CLIMBS)
@pytest.mark.parametrize(
    "start", ["/assets/abc/", "/static/", "/methods/", "/vendor/bokeh/", "/s/", "/metrics/"]
)
def test_no_address_climbs_out_of_its_folder(visitor: FlaskClient, start: str, climb: str) -> None:
    answer = visitor.get(start + climb)
    assert answer.status_code in (400, 404)
    assert "BaseSettings" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("key", ["..%2f..%2fetc%2fpasswd", "rich%0d%0aX-Evil:%201", "%00"])
@pytest.mark.parametrize("form", ["html", "csv", "json"])
def test_no_export_is_named_by_its_asker(visitor: FlaskClient, key: str, form: str) -> None:
    answer = visitor.get(f"/experiments/{key}/report.{form}")
    assert answer.status_code == 404
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_no_form_and_no_link_leads_to_another_site(visitor: FlaskClient, wanted: str) -> None:
    fields = {"csrf_token": form_token(visitor), "language": "en", "next": wanted}
    assert visitor.post("/language", data=fields).location == "/experiments"
    visitor.post("/sign-out", data=fields)
    assert "evil" not in visitor.get("/", query_string={"next": wanted}).headers["Location"]
