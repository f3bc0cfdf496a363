import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from assignment import decide
from experiments.publishing import latest_ruleset
from experiments.store import open_store
from tests.samples import experiment, metric
from tests.web.cli.conftest import Run
from web.cli import main

AsJson = Callable[..., Any]

EXPOSURES = "experiment,user_id,variant,timestamp,attributes\n" + "".join(
    f"checkout,u{n},{'new' if n % 2 else 'old'},2026-03-15T09:00:00Z,\n" for n in range(40)
)
EVENTS = "user_id,event,value,timestamp\n" + "".join(
    f"u{n},purchase,1,2026-03-15T10:00:00Z\n" for n in range(0, 40, 3)
)


def all_commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, inner) for inner in command.list_commands(context)]
    return found


def refused(run: Run, *words: object, env: dict[str, str] | None = None) -> str:
    """The one clear line with which a command ends."""
    result = run(*words, env=env)
    assert result.exit_code == 1, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    return lines[0]


@pytest.mark.parametrize("command", [(), *all_commands()], ids=" ".join)
def test_every_command_explains_itself(run: Run, command: tuple[str, ...]) -> None:
    for flag in ("--help", "-h"):
        result = run(*command, flag)
        assert result.exit_code == 0
        assert "Usage:" in result.stdout


def test_the_version_is_told(run: Run) -> None:
    assert re.fullmatch(r"evenhand, version \d+\.\d+\.\d+\n", run("--version").stdout)


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",),
        ("key", "nothing"),
        ("key", "create"),
        ("key", "create", "--kind", "admin", "--name", "x"),
        ("apply",),
        ("assign", "checkout"),
        ("analyze",),
        ("serve", "--port", "abc"),
        ("serve", "--port", "70000"),
        ("serve", "--workers", "0"),
        ("import", "events"),
        ("import", "people", "file.csv"),
        ("readout",),
    ],
)
def test_wrong_use_ends_with_2(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


# Definitions


def test_apply_says_what_it_did_and_the_second_time_nothing(as_json: AsJson, tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_text(json.dumps({"metrics": [metric()], "experiments": [experiment()]}))
    assert as_json("apply", path) == {
        "changes": [
            {"kind": "metric", "key": "purchase", "action": "created"},
            {"kind": "experiment", "key": "checkout", "action": "created"},
            {"kind": "experiment", "key": "checkout", "action": "started"},
        ]
    }
    assert {change["action"] for change in as_json("apply", path)["changes"]} == {"unchanged"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("shop.yaml", b"", ".toml or .json"),
        ("shop", b"", ".toml or .json"),
        ("shop.json", b"", "JSON"),
        ("shop.json", b"\xff\xfe", "JSON"),
        ("shop.json", b'{"metrics": [{"key": "a b"}]}', "metrics.0.key"),
        ("shop.json", b'{"experiments": [{"key": "a"}]}', "experiments.0.variants"),
        ("shop.toml", b"metrics = [", "TOML"),
        ("shop.toml", b"\xff", "UTF-8"),
        ("shop.toml", b"[[metrics]]\nkey = 'a'\nkind = 'median'\nevent = 'a'", "metrics.0.kind"),
        ("shop.json", json.dumps({"experiments": [experiment()]}).encode(), "purchase"),
    ],
)
def test_a_malformed_file_is_refused_by_its_place_and_nothing_is_stored(
    run: Run, as_json: AsJson, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in refused(run, "apply", tmp_path / name)
    assert "there is no experiment 'a'" in refused(run, "readout", "a")


@pytest.mark.parametrize(
    "words",
    [
        ("apply", "missing.json"),
        ("import", "events", "missing.csv"),
        ("import", "exposures", "/"),
        ("apply", "/.json"),
    ],
)
def test_a_missing_file_is_named(run: Run, words: tuple[str, ...]) -> None:
    assert words[-1] in refused(run, *words)


@pytest.mark.parametrize("command", ["readout", "verify", "analyze", "assign"])
def test_an_unknown_experiment_is_named(run: Run, command: str) -> None:
    extra = ("u1",) if command == "assign" else ()
    assert "there is no experiment 'nothing'" in refused(run, command, "nothing", *extra)


@pytest.mark.parametrize(
    "words",
    [
        ("readout", "\udcff"),
        ("assign", "checkout", "\udcff"),
        ("key", "create", "--kind", "server", "--name", "\udcff"),
    ],
)
def test_bytes_that_are_no_text_are_refused(run: Run, shop: Path, words: tuple[str, ...]) -> None:
    assert refused(run, *words)


WAREHOUSE = {"EVENHAND_ENGINE": "bigquery", "EVENHAND_ENGINE_URL": "bigquery://project/shop"}


def test_a_warehouse_without_its_driver_is_refused_and_the_last_readout_says_so(
    run: Run, as_json: AsJson, shop: Path
) -> None:
    assert "interrupted" not in as_json("analyze", "checkout")
    said = refused(run, "analyze", "checkout", env=WAREHOUSE)
    assert "bigquery needs its driver: pip install 'ibis-framework[bigquery]'" in said
    told = as_json("readout", "checkout")["interrupted"]
    assert said.endswith(told["reason"])
    assert f"not refreshed since {told['since']}: bigquery needs" in run("readout", "checkout").output
    run("analyze", "checkout")
    assert "interrupted" not in as_json("readout", "checkout")


def test_check_asks_the_warehouse(run: Run, shop: Path, tmp_path: Path) -> None:
    checked = run("check", env=WAREHOUSE)
    assert checked.exit_code == 1
    assert "pip install 'ibis-framework[bigquery]'" in checked.output
    wrong = run("check", env={**WAREHOUSE, "EVENHAND_ENGINE_URL": "trino://host"})
    assert (wrong.exit_code, wrong.output) == (
        1,
        "EVENHAND_ENGINE_URL: expected bigquery://… for bigquery\n",
    )
    missing = run("check", env={**WAREHOUSE, "EVENHAND_WAREHOUSE": str(tmp_path / "none.toml")})
    assert "none.toml: cannot be read" in missing.output


# Decisions


def test_assign_tells_the_decision(as_json: AsJson, shop: Path, data_dir: Path) -> None:
    store = open_store(f"sqlite:///{data_dir / 'evenhand.sqlite3'}")
    with store.read() as session:
        decision = decide(latest_ruleset(session=session), "checkout", unit="u1")
    store.close()
    assert as_json("assign", "checkout", "u1", "--attributes", '{"country": "NO"}') == {
        "key": "checkout",
        "unit": "u1",
        "variant": decision.variant,
        "value": decision.value,
        "reason": "SPLIT",
        "detail": "assigned",
        "in_experiment": True,
        "phase": 1,
        "ruleset": decision.ruleset,
        "bucket": decision.bucket,
    }


@pytest.mark.parametrize(
    "attributes", ["", "{", "[]", "null", "1", "[" * 100_000, '{"a": 1' + "0" * 5_000 + "}"]
)
def test_bad_attributes_are_refused(run: Run, shop: Path, attributes: str) -> None:
    assert "--attributes" in refused(run, "assign", "checkout", "u1", "--attributes", attributes)


# Data


def test_the_way_from_files_to_a_readout(run: Run, as_json: AsJson, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "exposures.csv").write_text(EXPOSURES)
    (tmp_path / "events.csv").write_text(EVENTS + "u1,purchase,many,2026-03-15\n")
    assert as_json("import", "exposures", tmp_path / "exposures.csv") == {
        "imported": 40,
        "duplicates": 0,
        "outdated": 0,
        "rejected": [],
        "rejected_total": 0,
    }
    brought = as_json("import", "events", tmp_path / "events.csv")
    assert (brought["imported"], brought["duplicates"]) == (14, 0)
    assert brought["rejected"] == [{"line": 16, "reason": "value: 'many' is not a number"}]
    assert as_json("import", "events", tmp_path / "events.csv")["duplicates"] == 14

    assert "has not been analysed yet" in refused(run, "readout", "checkout")
    assert "has not been analysed yet" in refused(run, "verify", "checkout")
    assert as_json("analyze", "checkout")["experiment"] == "checkout"
    document = as_json("readout", "checkout")
    assert document["units"] == {"old": 20, "new": 20}
    assert document["comparisons"][0]["metric"] == "purchase"
    assert document["comparisons"][0]["segment"] is None
    assert {"recommendation", "variant", "reasons"} == document["verdict"].keys()
    assert as_json("verify", "checkout")
    assert "checkout" in run("readout", "checkout").stdout
    assert run("analyze", "--all").stdout.startswith("checkout:")

    written = tmp_path / "comparisons.csv"
    assert run("readout", "checkout", "--csv", written).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(written.read_text())))
    assert [(row["metric"], row["variant"], row["treatment_n"]) for row in rows] == [
        ("purchase", "new", "20")
    ]
    assert "cannot be written" in refused(run, "readout", "checkout", "--csv", tmp_path / "missing" / "x.csv")
    for language, word in (("en", "Data at a glance"), ("zh", "数据概览")):
        page = tmp_path / f"{language}.html"
        assert run("readout", "checkout", "--html", page, "--language", language).exit_code == 0
        assert word in page.read_text()


def test_strict_refuses_the_whole_file(run: Run, as_json: AsJson, shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(EVENTS + "u1,purchase,many,2026-03-15\n")
    assert "events.csv line 16" in refused(run, "import", "events", path, "--strict")
    assert as_json("import", "events", path)["imported"] == 14


def test_many_bad_rows_are_summed_up_for_people_and_listed_for_programs(
    run: Run, as_json: AsJson, shop: Path, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user_id,event,timestamp\n" + "u1,e,never\n" * 30)
    assert "and 10 more" in run("import", "events", path).stdout
    assert len(as_json("import", "events", path)["rejected"]) == 30


# Keys and people


def test_a_key_is_shown_once(run: Run, as_json: AsJson) -> None:
    made = as_json("key", "create", "--kind", "server", "--name", "shop")
    assert made.keys() == {"key", "prefix", "kind"}
    assert made["kind"] == "server"
    assert made["key"].startswith(made["prefix"])
    listed = run("key", "list")
    assert made["prefix"] in listed.stdout
    assert made["key"] not in listed.stdout
    assert as_json("key", "revoke", made["prefix"]) == {"prefix": made["prefix"], "revoked": True}
    assert as_json("key", "list")["keys"] == [
        {"prefix": made["prefix"], "kind": "server", "name": "shop", "revoked": True}
    ]
    assert "no_such_key" in refused(run, "key", "revoke", "no_such_key")
    assert "name" in refused(run, "key", "create", "--kind", "client", "--name", "  ")


def test_a_link_leads_to_the_public_address(run: Run, as_json: AsJson) -> None:
    assert as_json("user", "link", "Ada")["link"].startswith("http://127.0.0.1:8000/enter?token=")
    public = run("user", "link", "Ada", env={"EVENHAND_PUBLIC_URL": "https://ab.example/"})
    assert public.stdout.startswith("https://ab.example/enter?token=")
    assert "name" in refused(run, "user", "link", "")


# Settings and upkeep


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EVENHAND_PORT", "abc"),
        ("EVENHAND_PORT", "70000"),
        ("EVENHAND_WORKERS", "0"),
        ("EVENHAND_ENGINE", "abacus"),
        ("EVENHAND_DATABASE_URL", "nonsense"),
        ("EVENHAND_DATABASE_URL", "sqlite://"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(run: Run, name: str, value: str) -> None:
    for command in (("key", "list"), ("check",), ("migrate",), ("demo", "--no-serve")):
        said = refused(run, *command, env={name: value})
        assert name in said or "database_url" in said


def test_a_data_directory_that_cannot_be_made_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in refused(run, "key", "list", env={"EVENHAND_DATA_DIR": str(tmp_path / "file" / "data")})


def test_a_damaged_database_is_refused_with_one_line(run: Run, data_dir: Path) -> None:
    (data_dir / "evenhand.sqlite3").write_text("not a database" * 1_000)
    for command in (("key", "list"), ("readout", "a"), ("migrate",), ("check",)):
        assert "not a database" in refused(run, *command)


def test_migrating_is_done_once(as_json: AsJson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_DATA_DIR", str(tmp_path / "fresh"))
    assert as_json("migrate")["changed"] is True
    assert as_json("migrate")["changed"] is False


def test_every_command_makes_the_embedded_schema_by_itself(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENHAND_DATA_DIR", str(tmp_path / "fresh"))
    assert run("key", "list").stdout == "no keys yet\n"


def test_check_explains_what_is_unsafe(run: Run, as_json: AsJson) -> None:
    assert as_json("check") == {"ok": True, "problems": []}
    open_to_all = run("check", "--json", env={"EVENHAND_HOST": "0.0.0.0"})
    assert open_to_all.exit_code == 1
    assert "EVENHAND_SECRET_KEY" in json.loads(open_to_all.stdout)["problems"][0]
    assert "shorter than 32" in run("check", env={"EVENHAND_SECRET_KEY": "short"}).stdout
    assert run("check", env={"EVENHAND_HOST": "0.0.0.0", "EVENHAND_SECRET_KEY": "x" * 32}).exit_code == 0


@pytest.mark.parametrize("command", [("serve",), ("demo",)])
def test_serving_to_others_without_a_secret_is_refused(run: Run, command: tuple[str, ...]) -> None:
    assert "EVENHAND_SECRET_KEY" in refused(run, *command, "--host", "0.0.0.0")


def test_a_port_that_is_taken_is_named(run: Run) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}" in refused(run, "serve", "--port", port)


def test_overlaps_says_which_experiments_share_units_and_whether_they_clash(
    run: Run, as_json: AsJson, tmp_path: Path
) -> None:
    definitions = {"metrics": [metric()], "experiments": [experiment("banner"), experiment("checkout")]}
    (tmp_path / "two.json").write_text(json.dumps(definitions))
    assert run("apply", tmp_path / "two.json").exit_code == 0
    assert run("overlaps").stdout.strip() == "no two of these experiments share units"
    rows = [
        f"{key},u{number},{'new' if number // step % 2 else 'old'},2026-03-15T12:00:00Z"
        for number in range(400)
        for key, step in (("banner", 1), ("checkout", 2))
    ]
    (tmp_path / "shown.csv").write_text("\n".join(["experiment,user_id,variant,timestamp", *rows]))
    assert run("import", "exposures", tmp_path / "shown.csv").exit_code == 0
    assert run("overlaps").stdout.strip() == "banner and checkout: 400 units, assigned independently"
    (found,) = as_json("overlaps", "banner", "checkout")["overlaps"]
    assert found["assignment"]["passed"] is True
    assert sum(each["units"] for each in found["table"]) == 400
    assert "there is no experiment 'nothing'" in run("overlaps", "banner", "nothing").stderr
