"""`evenhand erase`: what was removed, said to people and to programs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.web.cli.conftest import Run

AsJson = Callable[..., Any]


@pytest.fixture
def rows(run: Run, as_json: AsJson, shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user_id,event,timestamp\nada,purchase,2026-03-15\nbob,purchase,2026-03-15\n")
    assert as_json("import", "events", path)["imported"] == 2


@pytest.mark.usefixtures("rows")
def test_it_says_what_was_removed_and_the_same_file_brings_nothing_back(
    as_json: AsJson, run: Run, tmp_path: Path
) -> None:
    assert [as_json("erase", "ada", "--count")["events"] for _ in range(2)] == [1, 1]
    assert run("erase", "ada", "--count").output.startswith("would erase under 1 user ids")
    removed = as_json("erase", "ada")
    assert (removed["events"], removed["exposures"], removed["overrides"]) == (1, 0, [])
    again = as_json("import", "events", tmp_path / "events.csv")
    assert (again["imported"], again["duplicates"], again["outdated"]) == (0, 1, 1)
    assert "1 older than what was forgotten" in run("import", "events", tmp_path / "events.csv").output
    told = run("erase", "bob").output.splitlines()
    assert told[0] == "erased under 1 user ids and 0 anonymous ids:"
    assert told[1].split() == ["1", "events"]
    assert run("erase", "bob").output.startswith("nothing was stored under this id")


def test_what_cannot_be_an_id_is_one_line(run: Run) -> None:
    result = run("erase", "x" * 600)
    assert (result.exit_code, result.stderr) == (1, "Error: unit: expected an id of 1 to 512 characters\n")
