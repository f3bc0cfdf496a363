"""`evenhand apply` beside what people did by hand, and `evenhand check` where something was damaged."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.web.cli.conftest import Run

AsJson = Callable[..., Any]


def change(data_dir: Path, statement: str) -> None:
    with closing(sqlite3.connect(data_dir / "evenhand.sqlite3")) as connection, connection:
        connection.execute(statement)


def test_what_was_stopped_by_hand_starts_only_when_asked(run: Run, shop: Path, data_dir: Path) -> None:
    change(data_dir, "UPDATE experiment SET status = 'stopped'")
    told = run("apply", shop).output
    assert "left stopped experiment checkout" in told
    assert "apply --restart" in told
    assert "started    experiment checkout" in run("apply", shop, "--restart").output
    assert "restart" not in run("apply", shop).output


def test_check_names_a_definition_that_cannot_be_read(
    run: Run, as_json: AsJson, shop: Path, data_dir: Path
) -> None:
    assert as_json("check")["problems"] == []
    change(data_dir, "UPDATE experiment SET definition = '{'")
    checked = run("check")
    assert checked.exit_code == 1
    assert "experiment checkout: its stored definition cannot be read" in checked.output
    assert run("apply", shop).exit_code == 0
    assert as_json("check")["ok"] is True
