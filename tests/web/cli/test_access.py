"""Tokens and people on the command line."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.web.cli.conftest import Run

AsJson = Callable[..., Any]


def test_the_first_person_is_an_admin_and_roles_are_chosen(as_json: AsJson, run: Run) -> None:
    as_json("user", "link", "Ada")
    as_json("user", "link", "Bo")
    as_json("user", "link", "Cy", "--role", "viewer")
    people = as_json("user", "list")["people"]
    assert [(each["name"], each["role"]) for each in people] == [
        ("Ada", "admin"),
        ("Bo", "editor"),
        ("Cy", "viewer"),
    ]
    assert "viewer  Cy" in run("user", "list").stdout
    assert run("user", "link", "Cy", "--role", "king").exit_code == 2


def test_somebody_is_removed_but_not_the_last_admin(as_json: AsJson, run: Run) -> None:
    as_json("user", "link", "Ada")
    as_json("user", "link", "Bo")
    assert as_json("user", "remove", "Bo") == {"name": "Bo", "removed": True}
    refused = run("user", "remove", "Ada")
    assert (refused.exit_code, "only admin" in refused.stderr) == (1, True)
    assert "no person" in run("user", "remove", "Bo").stderr


def test_a_token_is_made_listed_and_revoked(as_json: AsJson, run: Run) -> None:
    as_json("user", "link", "Ada")
    made = as_json(
        "token", "create", "--owner", "Ada", "--name", "ci", "--scope", "read", "--scope", "launch"
    )
    assert made["token"].startswith(made["prefix"])
    assert made["scopes"] == ["read", "launch"]
    listed = as_json("token", "list")["tokens"]
    assert [(each["prefix"], each["state"]) for each in listed] == [(made["prefix"], "open")]
    assert "token" not in listed[0]
    assert as_json("token", "revoke", made["prefix"])["revoked"] is True
    assert "revoked" in run("token", "list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--owner", "Eve", "--name", "x", "--scope", "read"), "no person 'Eve'"),
        (("--owner", "Bo", "--name", "x", "--scope", "people"), "more than they hold"),
        (("--owner", "Bo", "--name", "x", "--scope", "everything"), "scopes"),
        (("--owner", "Bo", "--name", "", "--scope", "read"), "name"),
    ],
)
def test_a_token_that_cannot_be_made_says_why(
    as_json: AsJson, run: Run, words: tuple[str, ...], said: str
) -> None:
    as_json("user", "link", "Ada")
    as_json("user", "link", "Bo")
    refused = run("token", "create", *words)
    assert refused.exit_code == 1
    assert said in refused.stderr
