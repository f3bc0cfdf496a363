"""Documentation is a test: every setting, command and door stands in the README, and only those."""

import re
from pathlib import Path

from web.api import assigning
from web.app import create_app
from web.cli.root import main
from web.deployment import open_deployment
from web.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PROGRAM_DOORS = ("/api/", "/ofrep", "/v1", "/livez", "/readyz", "/metrics")


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_setting_is_listed_with_its_default_and_meaning() -> None:
    rows = [line.strip("|").split("|") for line in section("Settings").splitlines() if "`EVENHAND_" in line]
    listed = {name.strip(" `"): (default.strip(" `"), meaning.strip()) for name, default, meaning in rows}
    known = {}
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = default.get_secret_value() if hasattr(default, "get_secret_value") else str(default)
        known[f"EVENHAND_{name.upper()}"] = (shown, field.description)
    assert listed == known


def test_every_command_is_listed_and_no_other() -> None:
    listed = re.findall(r"^\| `evenhand ([\w-]+)`", section("Commands"), re.M)
    assert sorted(listed) == sorted(main.list_commands(None))  # type: ignore[arg-type]  # the context is not used


def test_every_door_is_listed(tmp_path: Path) -> None:
    deployment = open_deployment(Settings(data_dir=tmp_path))
    app = create_app(deployment)
    listed = {
        (method, re.sub(r"<.*?>", "<>", path))
        for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]*)`", section("Doors"))
    }
    served = {
        (method, re.sub(r"<.*?>", "<>", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(PROGRAM_DOORS) and not rule.endpoint.startswith("pages.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    deployment.store.close()
    before_flask = (assigning.PATH, f"{assigning.PATH}/<>", "/v1/<>", "/v1/projects/<>/<>")
    assert listed == served | {("POST", path) for path in before_flask}
