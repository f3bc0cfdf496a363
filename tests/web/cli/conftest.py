"""The command line on a data directory of its own, inside this process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.samples import experiment, metric
from web.cli import main

Run = Callable[..., Result]


@pytest.fixture
def data_dir(tmp_path: Path, empty_ledger: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with an empty ledger, named by the environment."""
    path = tmp_path / "data"
    path.mkdir()
    (path / "evenhand.sqlite3").write_bytes(empty_ledger.read_bytes())
    monkeypatch.setenv("EVENHAND_DATA_DIR", str(path))
    return path


@pytest.fixture
def run(data_dir: Path) -> Run:
    """Run a command; no command may ever end with a traceback."""

    def invoke(*words: object, env: dict[str, str] | None = None) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in words], env=env)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return invoke


@pytest.fixture
def as_json(run: Run) -> Callable[..., Any]:
    """Run a command that succeeds and read its JSON."""

    def invoke(*words: object) -> Any:
        result = run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Path:
    """A file with the usual experiment, applied."""
    path = tmp_path / "shop.json"
    path.write_text(json.dumps({"metrics": [metric()], "experiments": [experiment()]}))
    assert run("apply", path).exit_code == 0
    return path
