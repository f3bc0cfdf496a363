import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.samples import metric
from tests.web.cli.conftest import Run
from tests.web.cli.test_commands import refused

AsJson = Callable[..., Any]

MEAN = ("power", "--baseline", "10", "--sd", "5")


def test_power_of_a_proportion(as_json: AsJson) -> None:
    answer = as_json("power", "--baseline", "0.1", "--inference", "fixed")
    assert answer == {
        "baseline": 0.1,
        "sd": pytest.approx(0.3),
        "lift": 0.05,
        "inference": "fixed",
        "units": 113_024,
        "by_variant": [56_512, 56_512],
        "fixed_units": 113_024,
    }


@pytest.mark.parametrize("inference", ["sequential", "group_sequential", "always_valid"])
def test_looking_while_running_costs_units(as_json: AsJson, inference: str) -> None:
    answer = as_json(*MEAN, "--inference", inference)
    assert answer["units"] > answer["fixed_units"]


def test_power_tells_whole_weeks_and_what_each_week_can_detect(as_json: AsJson) -> None:
    answer = as_json(*MEAN, "--daily", "100", "--weeks", "3", "--weights", "2,1,1")
    assert answer["weeks"] == -(-answer["days"] // 7)
    assert [row["week"] for row in answer["table"]] == [1, 2, 3]
    assert [row["units"] for row in answer["table"]] == [700, 1_400, 2_100]
    lifts = [row["lift"] for row in answer["table"]]
    assert lifts == sorted(lifts, reverse=True)
    assert [row["difference"] for row in answer["table"]] == pytest.approx([10 * lift for lift in lifts])
    assert len(answer["by_variant"]) == 3


def test_power_is_told_in_words_too(run: Run) -> None:
    said = run(*MEAN, "--daily", "100", "--weeks", "2").stdout
    assert said.startswith("units needed: ")
    assert "whole weeks" in said
    assert len(re.findall(r"^ +\d+ +[\d,]+ +[\d.]+%$", said, re.MULTILINE)) == 2


def test_a_mean_below_zero_is_a_baseline_like_any_other(as_json: AsJson) -> None:
    below, above = (as_json("power", "--baseline", mean, "--sd", "5") for mean in ("-10", "10"))
    assert below["units"] == above["units"]
    falling = as_json(*MEAN, "--lift", "-0.05")
    assert falling["units"] == above["units"]


@pytest.mark.parametrize("command", ["power", "simulate"])
def test_help_tells_the_shape_of_the_json(run: Run, as_json: AsJson, shop_history: str, command: str) -> None:
    words = (
        ("simulate", shop_history, "--replays", "10") if command == "simulate" else (*MEAN, "--daily", "9")
    )
    told = run(command, "--help").stdout.split("With --json")[1]
    assert [key for key in as_json(*words) if key not in told] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--baseline"),
        (("--baseline", "-0.1"), "between 0 and 1"),
        (("--baseline", "1.5"), "between 0 and 1"),
        (("--baseline", "nan"), "between 0 and 1"),
        (("--baseline", "0", "--sd", "1"), "mean of 0"),
        (("--baseline", "nan", "--sd", "1"), "finite mean"),
        (("--baseline", "inf", "--sd", "1"), "finite mean"),
        (("--baseline", "10", "--sd", "-5"), "--sd"),
        (("--baseline", "10", "--sd", "0"), "--sd"),
        (("--baseline", "10", "--sd", "nan"), "--sd"),
        (("--baseline", "10", "--sd", "inf"), "variance"),
        (("--baseline", "10", "--sd", "1e300"), "variance"),
        (("--baseline", "0.1", "--lift", "0"), "lift"),
        (("--baseline", "0.1", "--lift", "nan"), "lift"),
        (("--baseline", "0.1", "--lift", "inf"), "lift"),
        (("--baseline", "0.1", "--lift", "1e-300"), "lift"),
        (("--baseline", "1e-300", "--sd", "1"), "lift"),
        (("--baseline", "0.1", "--weights", "0,0"), "weights"),
        (("--baseline", "0.1", "--weights", "1,0"), "weights"),
        (("--baseline", "0.1", "--weights", "-1,1"), "weights"),
        (("--baseline", "0.1", "--weights", "nan,1"), "weights"),
        (("--baseline", "0.1", "--weights", "1,inf"), "weights"),
        (("--baseline", "0.1", "--weights", "1"), "weights"),
        (("--baseline", "0.1", "--weights", ""), "--weights"),
        (("--baseline", "0.1", "--weights", "a,b"), "--weights"),
        (("--baseline", "0.1", "--confidence", "1"), "confidence"),
        (("--baseline", "0.1", "--confidence", "nan"), "confidence"),
        (("--baseline", "0.1", "--power", "0"), "power"),
        (("--baseline", "0.1", "--power", "nan"), "power"),
        (("--baseline", "0.1", "--guardrails", "-1"), "guardrails"),
        (("--baseline", "0.1", "--correlation", "1"), "correlation"),
        (("--baseline", "0.1", "--correlation", "nan"), "correlation"),
        (("--baseline", "0.1", "--daily", "0"), "--daily"),
        (("--baseline", "0.1", "--daily", "-5"), "--daily"),
        (("--baseline", "0.1", "--daily", "nan"), "daily"),
        (("--baseline", "0.1", "--daily", "inf"), "daily"),
        (("--baseline", "1e-6", "--daily", "0.3", "--lift", "0.01"), "never end"),
        (("--metric", "nothing"), "nothing"),
    ],
)
def test_a_wrong_number_is_refused_in_one_clear_line(run: Run, words: tuple[str, ...], said: str) -> None:
    assert said in refused(run, "power", *words)


@pytest.fixture
def shop_history(run: Run, tmp_path: Path) -> str:
    """Four hundred visitors of the last two weeks through the real ledger; a quarter of them bought."""
    spend = {"key": "spend", "kind": "mean", "event": "purchase"}
    never = {"key": "never", "kind": "mean", "event": "never"}
    (tmp_path / "shop.json").write_text(json.dumps({"metrics": [metric(), spend, never]}))
    assert run("apply", tmp_path / "shop.json").exit_code == 0
    start = datetime.now(UTC) - timedelta(days=13)
    lines = ["user_id,event,value,timestamp"]
    for number in range(400):
        at = (start + timedelta(minutes=number * 40)).isoformat()
        lines.append(f"u{number},visit,,{at}")
        if number % 4 == 0:
            lines.append(f"u{number},purchase,{number / 10},{at}")
    (tmp_path / "events.csv").write_text("\n".join(lines) + "\n")
    assert run("import", "events", tmp_path / "events.csv").exit_code == 0
    return "purchase"


def test_the_baseline_comes_from_history(as_json: AsJson, shop_history: str) -> None:
    answer = as_json("power", "--metric", shop_history, "--days", "14", "--inference", "fixed")
    assert answer["baseline"] == 0.25
    assert answer["sd"] == pytest.approx((0.25 * 0.75 * 400 / 399) ** 0.5)
    assert answer["daily"] == pytest.approx(400 / 14)
    assert answer["weeks"] >= 1
    assert len(answer["table"]) == 8
    chosen = as_json(
        "power", "--metric", shop_history, "--days", "14", "--baseline", "0.1", "--daily", "1000"
    )
    assert (chosen["baseline"], chosen["daily"]) == (0.1, 1000)


def test_a_mean_of_history_counts_those_who_did_nothing(as_json: AsJson, shop_history: str) -> None:
    answer = as_json("power", "--metric", "spend", "--days", "14")
    assert answer["baseline"] == pytest.approx(sum(n / 10 for n in range(0, 400, 4)) / 400)


@pytest.mark.parametrize("command", [("power", "--metric"), ("simulate",)])
def test_a_history_without_variation_is_refused(
    run: Run, shop_history: str, command: tuple[str, ...]
) -> None:
    refused(run, *command, "never")


@pytest.mark.parametrize("days", ["6", "367"])
def test_the_past_is_a_week_to_a_year(run: Run, shop_history: str, days: str) -> None:
    assert "days" in refused(run, "power", "--metric", shop_history, "--days", days)


@pytest.mark.parametrize("inference", ["fixed", "sequential", "group_sequential", "always_valid"])
def test_simulate_replays_the_history(as_json: AsJson, shop_history: str, inference: str) -> None:
    answer = as_json("simulate", shop_history, "--replays", "400", "--lift", "0.5", "--inference", inference)
    assert (answer["units"], answer["replays"], sum(answer["p_values"])) == (400, 400, 400)
    assert 0.01 < answer["false_positives"] < 0.1
    assert answer["coverage"] == pytest.approx(1 - answer["false_positives"], abs=0.01)
    assert answer["detectable_lift"] > 0
    assert answer["plan"]["inference"] == inference
    assert 0 < answer["plan"]["found"] <= 1
    assert 0 < answer["plan"]["mean_stop"] <= 1


def test_simulate_is_repeatable_and_told_in_words(run: Run, shop_history: str) -> None:
    first, second = (run("simulate", shop_history, "--replays", "50", "--seed", "3").stdout for _ in "ab")
    assert first == second
    assert "random splits of 400 real units" in first


def test_simulate_writes_one_page_that_needs_no_network(run: Run, shop_history: str, tmp_path: Path) -> None:
    path = tmp_path / "replay.html"
    result = run("simulate", shop_history, "--replays", "50", "--html", path)
    assert result.exit_code == 0
    page = path.read_text(encoding="utf-8")
    assert result.stdout.strip().splitlines()[0] in page
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="', page)
    assert page.count("Bokeh.embed.embed_item({") == 2
    assert "A/A replays of purchase" in page
    assert '<html lang="en">' in page
    assert "Bokeh" in page


def test_the_page_of_a_replay_speaks_chinese(run: Run, shop_history: str, tmp_path: Path) -> None:
    path = tmp_path / "replay.html"
    words = ("--replays", "50", "--html", path, "--lang", "zh")
    assert run("simulate", shop_history, *words).exit_code == 0
    page = path.read_text(encoding="utf-8")
    assert '<html lang="zh-Hans-CN">' in page
    told = page[page.index("<h1>") :]
    assert "次随机分流" in told
    assert "不应有差异时的 p 值" in told
    assert not re.findall(r">[A-Z][a-z]+ [a-z]+", told[: told.index("<script")])


@pytest.mark.parametrize("lift", ["nan", "inf"])
def test_simulate_refuses_a_lift_that_is_no_number(run: Run, shop_history: str, lift: str) -> None:
    assert "--lift" in refused(run, "simulate", shop_history, "--lift", lift)


def test_a_page_that_cannot_be_written_is_named(run: Run, shop_history: str, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "replay.html"
    assert "--html" in refused(run, "simulate", shop_history, "--replays", "10", "--html", path)


@pytest.mark.parametrize(
    "words", [("--replays", "1"), ("--size", "3"), ("--size", "9" * 30), ("--seed", "-1"), ("--html", "/")]
)
def test_simulate_used_wrongly_ends_with_2(run: Run, words: tuple[str, ...]) -> None:
    assert run("simulate", "purchase", *words).exit_code == 2
