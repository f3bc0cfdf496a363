"""`evenhand audit`: who changed what, narrowed by object, actor, action and time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.web.cli.conftest import Run

AsJson = Callable[..., Any]


def test_changes_are_listed_and_narrowed(run: Run, as_json: AsJson, shop: Path) -> None:
    objects = [each["object"] for each in as_json("audit")["entries"]]
    assert objects == ["checkout", "checkout", "metric:purchase"]
    assert [each["action"] for each in as_json("audit", "--object", "checkout")["entries"]] == [
        "running",
        "create",
    ]
    assert len(as_json("audit", "--actor", "command line", "--action", "create")["entries"]) == 2
    assert len(as_json("audit", "--limit", "1")["entries"]) == 1
    assert as_json("audit", "--actor", "nobody")["entries"] == []
    assert as_json("audit", "--until", "2020-01-01")["entries"] == []
    assert len(as_json("audit", "--since", "2020-01-01T00:00:00Z")["entries"]) == 3
    first = run("audit").output.splitlines()[0]
    assert first.split("  ")[1:] == ["command line", "running", "checkout", "running"]
    assert run("audit", "--object", "nothing").output == "no such changes\n"
    assert run("audit", "--since", "yesterday").exit_code == 2
