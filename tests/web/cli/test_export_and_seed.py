"""`evenhand seed` makes data up, `evenhand export` takes them out, `evenhand retain` lets them go."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from tests.web.cli.conftest import Run

AsJson = Callable[..., Any]
SMALL = ("--people", "100", "--days", "3", "--until", "2026-03-15")


def count(folder: Path) -> int:
    found = duckdb.execute("SELECT COUNT(*) FROM read_parquet(?)", [f"{folder}/**/*.parquet"]).fetchone()
    return 0 if found is None else int(found[0])


def test_what_is_seeded_is_exported_and_forgotten(
    run: Run, as_json: AsJson, tmp_path: Path, data_dir: Path
) -> None:
    seeded = as_json("seed", *SMALL)
    assert seeded["events"] > 100
    assert (seeded["new"], seeded["duplicates"]) == (seeded["events"] + seeded["exposures"], 0)
    assert {"experiment", "metric", "difference", "lift"} <= set(seeded["effects"][0])
    again = as_json("seed", *SMALL)
    assert (again["new"], again["effects"]) == (0, seeded["effects"])

    target = tmp_path / "out"
    exported = as_json("export", "--parquet", target)
    assert exported["events"] == seeded["events"] == count(target / "events")
    assert exported["exposures"] == seeded["exposures"] == count(target / "exposures")
    told = run("export", "--parquet", target).output
    assert told.startswith(f"{seeded['exposures']:,} exposures and {seeded['events']:,} events in ")

    wanted = as_json("retain", "--older-than", "1h", "--dry-run")
    assert sum(wanted["forgotten"].values()) == wanted["total"] > 0
    lines = run("retain", "--older-than", "1h").output.splitlines()
    assert lines[0] == f"{wanted['total']:,} rows forgotten"
    assert lines[-1].startswith("still running and counting fewer events from now on: ")
    assert as_json("export", "--parquet", target)["events"] == 0


def test_a_log_in_files_is_imported_to_the_same(run: Run, as_json: AsJson, tmp_path: Path) -> None:
    written = as_json("seed", *SMALL, "--out", tmp_path / "log")
    log = tmp_path / "log"
    assert run("apply", log / "definitions.json").exit_code == 0
    assert as_json("import", "exposures", log / "exposures.csv")["imported"] == written["exposures"]
    assert as_json("import", "events", log / "events.csv")["imported"] == written["events"]


def test_what_cannot_be_done_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = run("export", "--parquet", tmp_path)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "choose another folder" in refused.stderr
    assert run("seed", "--people", "0").exit_code == 2
    assert run("seed", "--until", "tomorrow").exit_code == 2
    assert run("export").exit_code == 2
