"""Definitions as code: a file in a repository, applied again and again by a pipeline."""

from pathlib import Path

from tests.journeys.conftest import Trip

SHOP = """
[[metrics]]
key = "purchase"
name = "Bought something"
kind = "proportion"
event = "purchase"
window = "7d"

[[experiments]]
key = "checkout"
name = "One-page checkout"
control = "old"
status = "running"
traffic = 1_000
variants = [{ key = "old" }, { key = "new", value = { pages = 1 } }]
metrics = { primary = ["purchase"] }
plan = { size = 20_000, days = 14 }
"""


def test_definitions_as_code(trip: Trip, tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"

    def apply(text: str) -> list[str]:
        path.write_text(text)
        return [f"{each['action']} {each['key']}" for each in trip.json("apply", path)["changes"]]

    assert apply(SHOP) == ["created purchase", "created checkout", "started checkout"]
    before = {unit: trip.json("assign", "checkout", unit) for unit in ("u1", "u2")}
    assert "unchanged  experiment checkout" in trip.start("apply", path)

    wider = SHOP.replace("1_000", "10_000")
    assert apply(wider) == ["unchanged purchase", "updated checkout"]
    for unit, decision in before.items():
        after = trip.json("assign", "checkout", unit)
        assert after["bucket"] == decision["bucket"]
        assert after["in_experiment"]
        assert decision["variant"] in (after["variant"], "excluded")

    path.write_text(SHOP)  # back to less traffic: units would leave
    assert "traffic would move units" in trip.run("apply", path, code=1)
    path.write_text(wider.replace('status = "running"', 'status = "flying"'))
    assert "experiments.0.status" in trip.run("apply", path, code=1)
    assert trip.json("assign", "checkout", "u1")["in_experiment"]

    assert apply(wider.replace('status = "running"', 'status = "stopped"'))[-1] == "stopped checkout"
    assert trip.json("assign", "checkout", "u1")["detail"] == "not_running"
