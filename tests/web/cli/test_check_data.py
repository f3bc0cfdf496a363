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


def test_days_that_differ_from_another_system_are_named(folder: Path) -> None:
    (folder / "events.csv").write_text(EVENTS)
    run("import", "events", str(folder / "events.csv"))
    totals = folder / "totals.csv"
    totals.write_text("day,event,count\n2026-03-15,order,1\n")
    same = "0 of 1 daily totals differ by more than 5%\n"
    assert run("check-data", "--against", str(totals)) == same
    totals.write_text('[{"day": "2026-03-15", "event": "order", "count": 2}]')
    head, line = run("check-data", "--against", str(totals), "--keep", code=1).splitlines()
    assert head == "1 of 1 daily totals differ by more than 5%"
    assert line == "  2026-03-15  order: 2 there, 1 here (-50.0%)"
    document = json.loads(run("check-data", "--against", str(totals), "--json", code=1))
    assert (document["compared"], document["differing"]) == (1, 1)
    assert document["differences"][0]["share"] == -0.5


@pytest.mark.parametrize("text", [None, "", "day,event\n", '[{"day": 1}]', "["])
def test_totals_that_cannot_be_read_are_one_line(folder: Path, text: str | None) -> None:
    totals = folder / "totals.csv"
    if text is not None:
        totals.write_text(text)
    done = CliRunner().invoke(main, ["check-data", "--against", str(totals)])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: ")
