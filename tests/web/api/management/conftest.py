"""A project with one person and programs that speak for her."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from experiments import members, people
from experiments.roles import GRANTS, Role, Scope
from experiments.tokens import TokenDraft, create_token
from tests.samples import NOW
from web.app import create_app
from web.deployment import Deployment, open_deployment
from web.settings import Settings


@dataclass
class Program:
    """A program with an admin token."""

    client: FlaskClient
    secret: str
    prefix: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """Send a request with the token."""
        headers = {"Authorization": f"Bearer {self.secret}", **self.headers, **more.pop("headers", {})}
        answer = self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        assert answer.status_code < 500, answer.get_data(as_text=True)
        answer.close()
        return answer

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.ask("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self.ask("POST", path, json=json, **more)

    def put(self, path: str, json: Any, **more: Any) -> TestResponse:
        return self.ask("PUT", path, json=json, **more)

    def patch(self, path: str, json: Any) -> TestResponse:
        return self.ask("PATCH", path, json=json)

    def delete(self, path: str) -> TestResponse:
        return self.ask("DELETE", path)


MakeProgram = Callable[..., Program]


@pytest.fixture
def program_for(deployment: Deployment, client: FlaskClient) -> MakeProgram:
    """Make a program that speaks for somebody, with all that the role allows or with some scopes."""
    return maker(deployment, client)


@pytest.fixture(scope="module")
def settled(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeProgram]:
    """Make programs for a deployment that a whole module shares: for tests that change nothing."""
    data = tmp_path_factory.mktemp("settled")
    (data / "evenhand.sqlite3").write_bytes(furnished.read_bytes())
    opened = open_deployment(Settings(data_dir=data), now=lambda: NOW)
    yield maker(opened, create_app(opened).test_client())
    opened.close()


@pytest.fixture(scope="module")
def onlooker(settled: MakeProgram) -> Program:
    """A program that may do everything, and does nothing that lasts."""
    return settled()


def maker(deployment: Deployment, client: FlaskClient) -> MakeProgram:
    """Make programs for a deployment."""

    def make(
        name: str = "Ada",
        role: Role = Role.ADMIN,
        scopes: Sequence[Scope] | None = None,
        days: int = 90,
        age: timedelta = timedelta(0),
    ) -> Program:
        with deployment.store.write() as session:
            people.create_link(session=session, name=name, actor="t", now=NOW, role=role)
            caller = members.find_person(session=session, name=name).caller
            draft = TokenDraft(name="t", scopes=tuple(scopes or GRANTS[role]), days=days)
            token, secret = create_token(session=session, draft=draft, by=caller, now=NOW - age)
        return Program(client, secret, token.prefix)

    return make


@pytest.fixture
def ada(program_for: MakeProgram) -> Program:
    """A program that may do everything."""
    return program_for()
