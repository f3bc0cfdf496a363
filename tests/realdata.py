"""Published experiments, read again. Run by hand: ``python -m tests.realdata --data DIR``.

DIR holds folders named ``udacity_free_trial``, ``cookie_cats``, ``asos_digital_experiments``,
``upworthy_exploratory`` and ``events/hillstrom`` with the published files. Each case goes the way that a
person's own numbers go: it is defined, imported and read, and every figure is held against one that was
computed elsewhere.
"""

import argparse
import csv
import gzip
import itertools
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from analysis.multiplicity import benjamini_hochberg
from experiments import launch
from experiments.analyses import analyse
from experiments.definition import Definitions
from experiments.imports import FileKind, import_file
from experiments.observe.engines import Embedded
from experiments.readouts import latest_of_all
from experiments.store import Store, open_store
from experiments.store.schema import upgrade
from experiments.summaries import import_summaries

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
Readout = Mapping[str, Any]
Readouts = Mapping[str, Readout]
Row = Mapping[str, Any]


class Tally:
    """What agreed and what did not."""

    def __init__(self) -> None:
        self.agreed = 0
        self.wrong: list[str] = []

    def hold(self, place: str, found: float, wanted: float, within: float) -> None:
        """Hold a figure against another; ``within`` is absolute."""
        if abs(found - wanted) <= within:
            self.agreed += 1
        else:
            self.wrong.append(f"{place}: {found} is not {wanted}")

    def hold_p(self, place: str, found: float, wanted: float) -> None:
        """P-values agree on the scale of their logarithms."""
        if found > 0 and wanted > 0:
            self.hold(place, math.log(found), math.log(wanted), 1e-3 * max(1.0, abs(math.log(wanted))))
        else:
            self.hold(place, found, wanted, 1e-300)


def udacity(folder: Path, store: Store, tally: Tally) -> str:
    """A screener before a free trial: only daily totals were published."""
    rows: list[Row] = []
    for variant, name in (("control", "control_data.csv"), ("experiment", "experiment_data.csv")):
        for day in read_rows(folder / name):
            stamp = datetime.strptime(f"{day['Date']} 2014 +0000", "%a, %b %d %Y %z").date().isoformat()
            common = {"experiment": "free_trial", "variant": variant, "day": stamp}
            rows.append({**common, "n": day["Pageviews"]})
            if day["Enrollments"]:
                for metric, column in (("gross_conversion", "Enrollments"), ("net_conversion", "Payments")):
                    rows.append({**common, "metric": metric, "n": day["Clicks"], "successes": day[column]})
    keys = ("gross_conversion", "net_conversion")
    define(
        store, [proportion(key) for key in keys], [external("free_trial", ("control", "experiment"), keys)]
    )
    document = told(store, rows)["free_trial"]
    wanted = {
        "gross_conversion": (-0.0206, -0.0291, -0.0120, 2.569016818e-06),
        "net_conversion": (-0.0049, -0.0116, 0.0019, 0.155842347),
    }
    said = []
    for each in document["comparisons"]:
        found = each["difference"]
        for name, value in zip(("estimate", "low", "high"), wanted[each["metric"]], strict=False):
            tally.hold(f"{each['metric']} {name}", found[name], value, 5e-5)
        tally.hold_p(f"{each['metric']} p", each["p_value"], wanted[each["metric"]][3])
        said.append(f"{each['metric']} {found['estimate']:.4f} [{found['low']:.4f}, {found['high']:.4f}]")
    tally.hold_p("pageviews split", split(document), 0.2878496417)
    return "; ".join(said)


def cookie_cats(folder: Path, store: Store, tally: Tally) -> str:
    """A gate in a game at level 30 or 40: one row a player."""
    keys = ("retention_1", "retention_7")
    define(store, [proportion(key) for key in keys], [external("gates", ("gate_30", "gate_40"), keys)])
    exposures, events = [], []
    for player in read_rows(folder / "cookie_cats.csv.gz"):
        exposures.append(
            {
                "experiment": "gates",
                "user_id": player["userid"],
                "variant": player["version"],
                "timestamp": BEGIN.isoformat(),
            }
        )
        events += [
            {
                "user_id": player["userid"],
                "event": key,
                "timestamp": (BEGIN + timedelta(days=days)).isoformat(),
            }
            for key, days in (("retention_1", 1), ("retention_7", 7))
            if player[key] == "TRUE"
        ]
    with tempfile.TemporaryDirectory() as temporary:
        for kind, rows in ((FileKind.EXPOSURES, exposures), (FileKind.EVENTS, events)):
            path = written(rows, Path(temporary) / f"{kind}.csv")
            report = import_file(store=store, kind=kind, path=path, now=NOW)
            tally.hold(f"{kind} imported", report.receipt.accepted, len(rows), 0)
        engine = Embedded(store, Path(temporary) / "columns.duckdb")
        analyse(store=store, engine=engine, key="gates", now=NOW, version="1")
    document = documents(store)["gates"]
    wanted = {
        "retention_1": (0.4481879195, 0.4422827497, 0.07441443714),
        "retention_7": (0.1902013423, 0.182000044, 0.001556530181),
    }
    said = []
    for each in document["comparisons"]:
        control, treatment, p_value = wanted[each["metric"]]
        tally.hold(f"{each['metric']} control", each["control_value"], control, 1e-9)
        tally.hold(f"{each['metric']} treatment", each["treatment_value"], treatment, 1e-9)
        tally.hold_p(f"{each['metric']} p", each["p_value"], p_value)
        values = f"{each['control_value']:.4f}/{each['treatment_value']:.4f}"
        said.append(f"{each['metric']} {values} p {each['p_value']:.5f}")
    tally.hold_p("split", split(document), 0.008607987811)
    return "; ".join(said)


def hillstrom(folder: Path, store: Store, tally: Tally) -> str:
    """Mails of a shop, adjusted for what each customer spent in the year before: it hardly helps."""
    arms = ("no_email", "mens_email", "womens_email")
    metrics = [
        proportion("visit"),
        {"key": "spend", "kind": "mean", "event": "purchase"},
        {"key": "past_spend", "kind": "mean", "event": "past_year_spend"},
    ]
    # The year's spending is one event of each customer, eighteen days before the mail.
    asked = external("email_2008", arms, ("visit", "spend"))
    asked["plan"] |= {"correction": "none", "cuped": {"days": 28, "metrics": ["past_spend"]}}
    define(store, metrics, [asked])
    for kind, name in (
        (FileKind.EXPOSURES, "exposures"),
        (FileKind.EVENTS, "events"),
        (FileKind.EVENTS, "pre_period_events"),
    ):
        import_file(store=store, kind=kind, path=folder / f"{name}.csv.gz", now=NOW)
    with tempfile.TemporaryDirectory() as temporary:
        engine = Embedded(store, Path(temporary) / "columns.duckdb")
        analyse(store=store, engine=engine, key="email_2008", now=NOW, version="1")
    explained = _explained(folder)
    said = []
    for each in documents(store)["email_2008"]["comparisons"]:
        found, place = each["variance_reduction"], f"{each['metric']} of {each['variant']}"
        # Both are shares of one; the product also pays for the slope that it estimates.
        tally.hold(f"{place} reduction", found, explained[each["metric"], each["variant"]], 1e-4)
        said.append(f"{place} {found:.4%}")
    return f"variance taken away: {', '.join(said)}"


def _explained(folder: Path) -> dict[tuple[str, str], float]:
    """The squared correlation of a metric with the past, inside a treatment and the control."""
    arm = {each["user_id"]: each["variant"] for each in read_rows(folder / "exposures.csv.gz")}
    past = {each["user_id"]: float(each["value"]) for each in read_rows(folder / "pre_period_events.csv.gz")}
    values: dict[str, dict[str, float]] = {"visit": {}, "spend": {}}
    for each in read_rows(folder / "events.csv.gz"):
        unit = each["user_id"]
        if each["event"] == "visit":
            values["visit"][unit] = 1.0
        if each["event"] == "purchase":
            values["spend"][unit] = values["spend"].get(unit, 0.0) + float(each["value"])
    found = {}
    for metric, treatment in itertools.product(values, ("mens_email", "womens_email")):
        sums = np.zeros((2, 2))
        for variant in (treatment, "no_email"):
            units = [unit for unit, own in arm.items() if own == variant]
            pairs = np.array([[values[metric].get(unit, 0.0), past[unit]] for unit in units])
            sums += (pairs - pairs.mean(axis=0)).T @ (pairs - pairs.mean(axis=0))
        found[metric, treatment] = float(sums[0, 1] ** 2 / sums[0, 0] / sums[1, 1])
    return found


def asos(folder: Path, store: Store, tally: Tally) -> str:
    """Forty experiments of a shop, as means and variances at every checkpoint."""
    rows: list[Row] = []
    metrics: dict[str, set[str]] = {}
    for each in read_rows(folder / "half_shared.csv.gz"):
        if not (each["variance_c"] and each["variance_t"]):
            continue  # published without one
        key = f"asos-{each['experiment_id']}-{each['variant_id']}"
        metrics.setdefault(key, set()).add(f"m{each['metric_id']}")
        at = BEGIN + timedelta(days=round(float(each["time_since_start"]), 6))
        for variant in ("c", "t"):
            said = {
                "n": float(each[f"count_{variant}"]),
                "mean": float(each[f"mean_{variant}"]),
                "variance": float(each[f"variance_{variant}"]),
            }
            named = {"experiment": key, "variant": variant, "metric": f"m{each['metric_id']}"}
            rows.append({**named, **said, "checkpoint": at.isoformat()})
    define(
        store,
        [{"key": f"m{number}", "kind": "mean", "event": "unknown"} for number in range(1, 5)],
        [external(key, ("c", "t"), sorted(found)) for key, found in metrics.items()],
    )
    began = time.perf_counter()
    found = told(store, rows, each=True)
    seconds = time.perf_counter() - began
    compared = 0
    for wanted in read_rows(folder / "expected_final_checkpoint.csv"):
        key = f"asos-{wanted['experiment_id']}-{wanted['variant_id']}"
        if wanted["half"] != "shared" or f"m{wanted['metric_id']}" not in metrics.get(key, ()):
            continue
        compared += 1
        (each,) = (each for each in found[key]["comparisons"] if each["metric"] == f"m{wanted['metric_id']}")
        place = f"{key} m{wanted['metric_id']}"
        tally.hold(f"{place} difference", each["difference"]["estimate"], float(wanted["diff"]), 1e-9)
        tally.hold(f"{place} error", each["standard_error"], float(wanted["se"]), 1e-9)
        tally.hold_p(f"{place} p", each["p_value"], float(wanted["p_welch"]))
        tally.hold_p(f"{place} split", split(found[key]), float(wanted["srm_p"]))
    checkpoints = len({(row["experiment"], row["checkpoint"]) for row in rows})
    experiments = len({key.split("-")[1] for key in found})
    said_of = f"{compared} last comparisons of {experiments} experiments"
    return f"{said_of}; a readout at each of {checkpoints:,} checkpoints in {seconds:.0f} s"


def upworthy(folder: Path, store: Store, tally: Tally) -> str:
    """Thousands of headline tests at once, with the share of false discoveries held."""
    tests: dict[str, dict[str, Row]] = {}
    for each in read_rows(folder / "half_shared.csv.gz"):
        tests.setdefault(each["clickability_test_id"], {})[f"a{each['arm']}"] = each
    define(
        store,
        [proportion("click")],
        [external(key, tuple(sorted(arms)), ("click",)) for key, arms in tests.items()],
    )
    rows = [
        {
            "experiment": key,
            "variant": arm,
            "metric": "click",
            "n": each["impressions"],
            "successes": each["clicks"],
        }
        for key, arms in tests.items()
        for arm, each in arms.items()
    ]
    found = told(store, rows)
    alarms = expected = 0
    for wanted in read_rows(folder / "expected_per_test.csv.gz"):
        if wanted["test_id"] in found:
            p_value = split(found[wanted["test_id"]])
            tally.hold_p(f"{wanted['test_id']} split", p_value, float(wanted["srm_p"]))
            alarms += not passed(found[wanted["test_id"]])
            expected += float(wanted["srm_p"]) < ALARM
    tally.hold("alarms", alarms, expected, 0)
    smallest = [_smallest(one) for one in found.values()]
    discoveries = sum(each <= 0.05 for each in benjamini_hochberg(smallest))
    return f"{len(found):,} tests, {alarms} alarms of the split, {discoveries} discoveries at a rate of 0.05"


def _smallest(document: Readout) -> float:
    """The p-value of a test's clearest comparison, after its own correction."""
    adjusted = (each["p_value_adjusted"] for each in document["comparisons"])
    return min((each for each in adjusted if each is not None), default=1.0)


ALARM = 0.001
"""The p-value below which the readout's check of the split fails."""

CASES: Mapping[str, Callable[[Path, Store, Tally], str]] = {
    "udacity_free_trial": udacity,
    "cookie_cats": cookie_cats,
    "events/hillstrom": hillstrom,
    "asos_digital_experiments": asos,
    "upworthy_exploratory": upworthy,
}


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def written(rows: Iterable[Row], path: Path) -> Path:
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def proportion(key: str) -> dict[str, Any]:
    return {"key": key, "kind": "proportion", "event": key}


def external(key: str, variants: tuple[str, ...], metrics: Iterable[str]) -> dict[str, Any]:
    first, *others = metrics
    return {
        "key": key,
        "assignment": "external",
        "status": "running",
        "variants": [{"key": each} for each in variants],
        "control": variants[0],
        "metrics": {"primary": [first], "secondary": others},
        "plan": {"inference": "fixed"},
    }


def define(store: Store, metrics: list[dict[str, Any]], experiments: list[dict[str, Any]]) -> None:
    definitions = Definitions.model_validate({"metrics": metrics, "experiments": experiments})
    with store.write() as session:
        launch.apply(session=session, definitions=definitions, actor="realdata", now=NOW)


def told(store: Store, rows: Iterable[Row], *, each: bool = False) -> Readouts:
    with tempfile.TemporaryDirectory() as folder:
        path = written(rows, Path(folder) / "summaries.csv")
        import_summaries(store=store, path=path, now=NOW, version="1", strict=True, each=each)
    return documents(store)


def documents(store: Store) -> Readouts:
    with store.read() as session:
        return {key: found.document for key, found in latest_of_all(session=session).items()}


def _srm(document: Readout) -> Readout:
    (check,) = (each for each in document["checks"] if each["name"] == "srm")
    found: Readout = check
    return found


def split(document: Readout) -> float:
    return float(_srm(document)["p_value"])


def passed(document: Readout) -> bool:
    return bool(_srm(document)["passed"])


def main() -> int:
    """Read every case that is there; the exit status says whether all figures agree."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", choices=list(CASES))
    chosen = parser.parse_args()
    failed = False
    for name, run in CASES.items():
        if chosen.only in (None, name):
            tally, began = Tally(), time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                store = open_store(f"sqlite:///{folder}/ledger.sqlite3")
                upgrade(store)
                said = run(chosen.data / name, store, tally)
                store.close()
            seconds = time.perf_counter() - began
            print(
                f"{name}: {tally.agreed} figures agree, {len(tally.wrong)} do not ({seconds:.0f} s): {said}"
            )
            print("".join(f"  {each}\n" for each in tally.wrong[:10]), end="", flush=True)
            failed = failed or bool(tally.wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
