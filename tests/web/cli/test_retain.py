"""`evenhand retain`: how long rows are kept, by the tracking plan or by an option."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.web.cli.conftest import Run

AsJson = Callable[..., Any]


@pytest.fixture
def old_rows(run: Run, as_json: AsJson, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user_id,event,timestamp\nu1,purchase,2020-03-15\nu1,visit,2020-03-15\n")
    assert as_json("import", "events", path)["imported"] == 2


@pytest.fixture
def planned(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    listed = [{"event": "purchase", "retention": "400d"}, {"event": "refund", "retention": "30d"}]
    path.write_text(json.dumps({"events": [*listed, {"event": "visit"}]}))
    assert run("apply", path).exit_code == 0


@pytest.mark.usefixtures("old_rows", "planned")
def test_the_plan_says_how_long_each_event_is_kept(as_json: AsJson) -> None:
    assert as_json("retain", "--event", "refund")["forgotten"] == {}
    assert as_json("retain", "--dry-run")["forgotten"] == {"purchase": 1}
    assert as_json("retain")["forgotten"] == {"purchase": 1}
    assert as_json("retain")["total"] == 0


@pytest.mark.usefixtures("old_rows", "planned")
def test_an_option_goes_before_the_plan(as_json: AsJson) -> None:
    assert as_json("retain", "--older-than", "9999d")["total"] == 0
    assert as_json("retain", "--older-than", "500d", "--event", "visit")["forgotten"] == {"visit": 1}
    assert as_json("retain", "--older-than", "500d")["forgotten"] == {"purchase": 1}


@pytest.mark.usefixtures("old_rows")
def test_where_nothing_says_how_long_nothing_is_forgotten(run: Run) -> None:
    for words in ((), ("--event", "visit"), ("--older-than", "long")):
        result = run("retain", *words)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")
