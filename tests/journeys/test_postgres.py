"""The whole trip on PostgreSQL: what it reads is what the embedded database reads."""

import csv
import random
from pathlib import Path
from typing import Any

from tests.benchmarks.ingest_speed import DEFINITIONS
from tests.postgres import Cluster
from tests.served import Instance, set_up

VARIANTS = ("old", "new")
_EXPERIMENT: dict[str, Any] = DEFINITIONS["experiments"][0]
DEFINED: dict[str, Any] = {
    **DEFINITIONS,
    "experiments": [{**_EXPERIMENT, "assignment": "external", "starts": "2026-03-01T00:00:00Z"}],
}


def _files(folder: Path) -> tuple[Path, Path]:
    rng = random.Random(4)
    exposures, events = folder / "exposures.csv", folder / "events.csv"
    with exposures.open("w", newline="") as shown, events.open("w", newline="") as bought:
        first, second = csv.writer(shown), csv.writer(bought)
        first.writerow(["experiment", "user_id", "variant", "timestamp", "attributes"])
        second.writerow(["user_id", "event", "value", "timestamp"])
        for number in range(2_000):
            variant = VARIANTS[number % 2]
            first.writerow(["checkout", f"u{number}", variant, "2026-03-02T10:00:00Z", '{"country":"NO"}'])
            if rng.random() < (0.10, 0.16)[number % 2]:
                second.writerow(
                    [f"u{number}", "Purchase", round(rng.lognormvariate(3, 1), 2), "2026-03-02T11:00:00Z"]
                )
    return exposures, events


def _trip(instance: Instance, files: tuple[Path, Path]) -> dict[str, Any]:
    for kind, path in zip(("exposures", "events"), files, strict=True):
        first = instance.answer("import", kind, str(path))
        assert first["imported"] > 100
        again = instance.answer("import", kind, str(path))
        assert (again["imported"], again["duplicates"]) == (0, first["imported"])
    sent = [
        {
            "type": "track",
            "messageId": f"late-{number}",
            "userId": f"u{number}",
            "event": "Purchase",
            "timestamp": "2026-03-03T10:00:00Z",
        }
        for number in range(0, 40, 2)
    ]
    for expected in ((20, 0), (0, 20)):
        status, answer = instance.post("/v1/batch", {"batch": sent})
        assert (status, answer["accepted"], answer["duplicates"]) == (200, *expected)
    instance.answer("analyze", "checkout")
    assert instance.answer("verify", "checkout")["same"] is True
    read: dict[str, Any] = instance.answer("readout", "checkout")
    return read


def test_both_databases_read_the_same(tmp_path: Path, postgres: Cluster) -> None:
    files = _files(tmp_path)
    with set_up(tmp_path / "embedded", definitions=DEFINED) as instance:
        embedded = _trip(instance, files)
    environment = {"EVENHAND_DATABASE_URL": postgres.create("journey")}
    with set_up(tmp_path / "server", definitions=DEFINED, environment=environment) as instance:
        refused = instance.run("serve", "--port", "1")
        assert refused.returncode == 1
        assert "another server" in refused.stderr
        kept = _trip(instance, files)
    assert embedded["units"] == {"old": 1_000, "new": 1_000}
    assert embedded["comparisons"]
    for document in (embedded, kept):
        document.pop("as_of")
        document["plan"].pop("looked")  # how often the worker came by meanwhile
    assert _rounded(kept) == _rounded(embedded)


def _rounded(part: Any) -> Any:
    """Numbers to eleven digits: the engine adds them up in an order of its own."""
    match part:
        case float():
            return float(f"{part:.11g}")
        case dict():
            return {name: _rounded(each) for name, each in part.items()}
        case list():
            return [_rounded(each) for each in part]
    return part
