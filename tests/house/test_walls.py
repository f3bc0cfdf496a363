"""The walls: what may import what, and what each room shows to the others."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("assignment", "analysis", "experiments", "web")


def test_imports_run_downwards_only() -> None:
    # In a process of its own: the linter configures logging for everybody.
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_assignment_loads_no_third_party_module() -> None:
    script = "import sys, assignment; print('\\n'.join(m.partition('.')[0] for m in sys.modules))"
    run = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split()) - set(sys.stdlib_module_names) - {"assignment", "__main__"}
    assert not loaded


def test_analysis_does_not_load_the_slow_parts_of_its_libraries() -> None:
    script = "import sys, analysis; print([m for m in ('scipy.stats', 'bokeh') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_charter_and_its_public_names_exist(room: str) -> None:
    module = __import__(room)
    assert module.__doc__
    assert len(module.__doc__) > 40
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name)


def test_nothing_but_the_named_things_stands_at_the_top() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    top = {name.partition("/")[0] for name in listed}
    named = {*ROOMS, "tests", "pyproject.toml", "README.md", "LICENSE"}
    assert {name for name in top if not name.startswith(".")} <= named


def test_modules_are_not_called_by_words_that_say_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "service", "impl"}
    assert not [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if path.stem in empty]


def test_a_module_never_shares_its_public_functions_name() -> None:
    # power.power is the published name of that function; nothing else may.
    shared = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            if path.stem in names and path.stem != "power":
                shared.append(str(path.relative_to(ROOT)))
    assert not shared


def test_nothing_below_the_web_catches_everything() -> None:
    caught = []
    for room in ROOMS[:3]:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                blanket = isinstance(node, ast.ExceptHandler) and (
                    node.type is None
                    or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
                )
                if blanket:
                    caught.append(f"{path.relative_to(ROOT)}:{node.lineno}")  # type: ignore[attr-defined]  # handlers have lines
    assert not caught


def test_no_assert_guards_the_product() -> None:
    asserted = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert not asserted


def test_analytical_sql_and_tables_stay_in_their_places() -> None:
    for path in (ROOT / "web").rglob("*.py"):
        words = path.read_text(encoding="utf-8")
        assert "experiments.store.tables" not in words, path
        assert "import duckdb" not in words, path
