"""``check-data`` says what became of the messages, for people and for programs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from web.cli import main

EVENTS = (
    "user_id,event,timestamp,message_id\nu1,order,2026-03-15T09:30:00Z,m1\nu1,order,2026-03-15T09:30:00Z,m1\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVENHAND_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == code, done.output
    return done.output


def test_it_begins_with_nothing(folder: Path) -> None:
    assert run("check-data") == "no messages yet\n"
    assert json.loads(run("check-data", "--json"))["events"] == []


def test_it_counts_by_event(folder: Path) -> None:
    (folder / "events.csv").write_text(EVENTS)
    run("import", "events", str(folder / "events.csv"))
    (event,) = json.loads(run("check-data", "--json"))["events"]
    asked = ("event", "accepted", "duplicate", "rejected", "late", "skewed")
    assert {name: event[name] for name in asked} == {
        "event": "order",
        "accepted": 1,
        "duplicate": 1,
        "rejected": 0,
        "late": 0,
        "skewed": 0,
    }
    head, line = run("check-data", "--days", "1").splitlines()
    assert head.split()[:3] == ["event", "accepted", "duplicate"]
    assert line.split()[:3] == ["order", "1", "1"]


def test_a_short_pseudonym_key_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_PSEUDONYM_KEY", "short")
    assert "EVENHAND_PSEUDONYM_KEY is shorter" in run("check", code=1)
