"""The page on which a person is taken out of the ledger: counted, confirmed, done, and written down."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from experiments.audit import AuditFilter, list_entries
from experiments.members import invite
from experiments.roles import Role, caller_of
from tests.samples import event, exposure
from tests.web.conftest import send, signed_in
from tests.web.scenes import NOW
from web.deployment import Deployment

PATH = "/settings/privacy"


@pytest.fixture
def deployment(empty_site: Flask) -> Deployment:
    found: Deployment = empty_site.extensions["evenhand"]
    found.writer.append([exposure(1), event(1), event(2), event(3, user_id="u1")])
    return found


@pytest.fixture
def admin(empty_site: Flask, deployment: Deployment) -> FlaskClient:
    assert deployment.writer is not None
    return signed_in(empty_site)


def ask(client: FlaskClient, path: str = PATH, **fields: str) -> tuple[int, str]:
    answer = send(client, path, {"unit": "u1", "kind": "user_id", **fields})
    return answer.status_code, answer.get_data(as_text=True)


def test_what_would_go_is_counted_first_and_stays(admin: FlaskClient) -> None:
    for _ in range(2):
        status, page = ask(admin)
        assert status == 200
        assert "This is stored about the person" in page
        assert '<th scope="row">Exposures</th><td class="right">1</td>' in page
        assert '<th scope="row">Events</th><td class="right">2</td>' in page


def test_a_confirmed_erasure_is_told_and_written_down_without_the_id(
    admin: FlaskClient, deployment: Deployment
) -> None:
    status, page = ask(admin, f"{PATH}/erase")
    assert (status, "It was taken out" in page) == (200, True)
    assert '<td class="right">2</td>' in page
    with deployment.store.read() as session:
        (entry,) = list_entries(session=session, wanted=AuditFilter(action="erase"), limit=9)
    assert entry.actor == "Ada"
    assert "u1" not in f"{entry.object} {entry.after}"
    assert "Nothing is stored under this id" in ask(admin)[1]
    assert "Nothing was stored under this id" in ask(admin, f"{PATH}/erase")[1]


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"unit": " "}, "unit"), ({"unit": "x" * 513}, "unit"), ({"kind": "cookie"}, "kind")],
    ids=["empty", "long", "kind"],
)
@pytest.mark.parametrize("path", [PATH, f"{PATH}/erase"])
def test_what_cannot_be_an_id_is_refused_beside_its_field(
    admin: FlaskClient, path: str, fields: dict[str, str], field: str
) -> None:
    status, page = ask(admin, path, **fields)
    assert status == 422
    assert f'id="wrong-{field}"' in page


def test_an_anonymous_id_of_several_people_is_not_erased(admin: FlaskClient, deployment: Deployment) -> None:
    deployment.writer.append([event(7, anonymous_id="kiosk"), event(8, anonymous_id="kiosk")])
    status, page = ask(admin, f"{PATH}/erase", unit="kiosk", kind="anonymous_id")
    assert (status, "2 people used this anonymous id" in page) == (422, True)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_only_admins_come_here(empty_site: Flask, deployment: Deployment, role: Role) -> None:
    signed_in(empty_site)
    boss = caller_of(id=0, name="t", role=Role.ADMIN)
    with deployment.store.write() as session:
        token = invite(session=session, name="Bo", by=boss, now=NOW, role=role)
    other = empty_site.test_client()
    assert other.get(f"/enter?token={token}").status_code == 303
    assert other.get(PATH).status_code == 403
    assert send(other, PATH, {"unit": "u1", "kind": "user_id"}).status_code == 403
    assert send(other, f"{PATH}/erase", {"unit": "u1", "kind": "user_id"}).status_code == 403
    assert "Personal data" not in other.get("/settings/project").get_data(as_text=True)


def test_it_is_counted_over_the_api_too(admin: FlaskClient) -> None:
    page = admin.get("/experiments/new").get_data(as_text=True)
    word = {"X-CSRFToken": page.partition('name="csrf_token" value="')[2].partition('"')[0]}
    asked = {"unit": "u1", "only_count": True}
    for _ in range(2):
        answer = admin.post("/api/v1/erasures", json=asked, headers=word).json or {}
        assert (answer["events"], answer["erased"]) == (2, False)
    answer = admin.post("/api/v1/erasures", json={"unit": "u1"}, headers=word).json or {}
    assert (answer["events"], answer["erased"]) == (2, True)
