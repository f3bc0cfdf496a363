"""`evenhand backup` and `evenhand restore`, as an operator runs them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.web.cli.conftest import Run
from web.instance import sole_instance

AsJson = Callable[..., Any]


def test_a_backup_is_restored_with_no_server_about(
    run: Run, as_json: AsJson, shop: Path, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = as_json("backup", tmp_path / "b.tar.gz")
    assert saved["experiments"] == 1
    assert saved["bytes"] == (tmp_path / "b.tar.gz").stat().st_size
    with sole_instance(data_dir):
        refused = run("restore", tmp_path / "b.tar.gz", "--replace")
        assert "another server" in refused.stderr
        assert run("backup", tmp_path / "while-serving.tar").exit_code == 0
    assert "--replace" in run("restore", tmp_path / "b.tar.gz").stderr
    done = run("restore", tmp_path / "b.tar.gz", "--replace")
    assert done.output.startswith("restored 1 experiments, 0 exposures and 0 events of ")
    assert "what was there is kept as" in done.output
    monkeypatch.setenv("EVENHAND_DATA_DIR", str(tmp_path / "elsewhere"))
    assert as_json("restore", tmp_path / "b.tar.gz")["aside"] is None
    assert as_json("assign", "checkout", "u1")["key"] == "checkout"


def test_what_cannot_be_done_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_text("no archive")
    for words in (("restore", tmp_path / "b.tar", "--replace"), ("backup", tmp_path / "b.tar")):
        result = run(*words)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
