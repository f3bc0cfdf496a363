import json
from pathlib import Path
from typing import Any

import pytest

from experiments import launch
from experiments.analyses import analyse
from experiments.errors import InvalidInput
from experiments.observe.engines import Embedded
from experiments.readouts import latest, recompute
from experiments.store import Store
from experiments.summaries import SummaryReport, import_summaries
from tests.samples import DAY, NOW, definitions, experiment, metric

HEAD = "experiment,variant,metric,n,successes,mean,variance,checkpoint,day\n"


@pytest.fixture
def external(store: Store) -> Store:
    metrics = [metric(), {"key": "spend", "kind": "mean", "event": "buy"}]
    asked = experiment(
        assignment="external",
        metrics={"primary": ["purchase"], "secondary": ["spend"]},
        plan={"inference": "fixed"},
    )
    with store.write() as session:
        launch.apply(session=session, definitions=definitions(asked, metrics=metrics), actor="ada", now=NOW)
    return store


def run(store: Store, tmp_path: Path, *rows: str, **more: Any) -> SummaryReport:
    path = tmp_path / "totals.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return import_summaries(store=store, path=path, now=NOW, version="1", **more)


def newest(store: Store) -> dict[str, Any]:
    with store.read() as session:
        found = latest(session=session, key="checkout")
        assert found is not None
        assert recompute(session=session, snapshot=found) == found.text
        return dict(found.document)


def test_days_are_added_up_and_the_split_is_that_of_the_units(external: Store, tmp_path: Path) -> None:
    report = run(
        external,
        tmp_path,
        "checkout,old,,1000,,,,,2026-03-01",
        "checkout,new,,1000,,,,,2026-03-01",
        "checkout,old,purchase,100,10,,,,2026-03-01",
        "checkout,new,purchase,100,20,,,,2026-03-01",
        "checkout,old,purchase,300,30,,,,2026-03-02",
        "checkout,new,purchase,300,60,,,,2026-03-02",
    )
    assert (report.rows, dict(report.kept), report.rejected) == (6, {"checkout": 1}, ())
    document = newest(external)
    (found,) = (each for each in document["comparisons"] if each["metric"] == "purchase")
    assert (found["treatment_n"], found["treatment_value"], found["control_value"]) == (400, 0.2, 0.1)
    assert document["units"] == {"old": 1000, "new": 1000}
    (series,) = (each for each in document["series"] if each["metric"] == "purchase")
    assert [point["day"] for point in series["points"]] == ["2026-03-01", "2026-03-02"]


def test_checkpoints_say_everything_up_to_them_and_each_has_a_readout(
    external: Store, tmp_path: Path
) -> None:
    rows = [
        f"checkout,{variant},spend,{n},,{mean},4.0,2026-03-0{day}T12:00:00Z,"
        for day, n in ((1, 100), (2, 250))
        for variant, mean in (("old", 5), ("new", 6))
    ]
    assert dict(run(external, tmp_path, *rows, each=True).kept) == {"checkout": 2}
    document = newest(external)
    (found,) = (each for each in document["comparisons"] if each["metric"] == "spend")
    assert (found["treatment_n"], found["difference"]["estimate"]) == (250, 1.0)
    assert found["standard_error"] == pytest.approx((4 / 250 + 4 / 250) ** 0.5)
    assert document["as_of"].startswith("2026-03-02T12:00")
    assert document["units"] == {"old": 250, "new": 250}


def test_the_same_file_again_keeps_nothing_new(external: Store, tmp_path: Path) -> None:
    rows = [f"checkout,{variant},purchase,100,{hits},,,," for variant, hits in (("old", 10), ("new", 9))]
    run(external, tmp_path, *rows)
    again = run(external, tmp_path, *rows)
    assert (dict(again.kept), again.known) == ({"checkout": 0}, 1)


def test_an_analysis_without_units_leaves_the_readout_that_was_told(external: Store, tmp_path: Path) -> None:
    run(external, tmp_path, "checkout,old,purchase,100,10,,,,", "checkout,new,purchase,100,30,,,,")
    before = newest(external)
    analyse(
        store=external,
        engine=Embedded(external, tmp_path / "c.duckdb"),
        key="checkout",
        now=NOW + DAY,
        version="1",
    )
    assert newest(external) == before


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("elsewhere,old,purchase,10,1,,,,", "experiment: 'elsewhere' is not known"),
        ("checkout,third,purchase,10,1,,,,", "variant: 'third' is not known"),
        ("checkout,old,clicks,10,1,,,,", "metric: 'clicks' is not known"),
        ("checkout,old,purchase,10,11,,,,", "successes: 11 of 10 is more than all"),
        ("checkout,old,purchase,-1,1,,,,", "n: '-1' is not a count"),
        ("checkout,old,purchase,1e300,1,,,,", "n: '1e300' is not a number"),
        ("checkout,old,purchase,1.5,1,,,,", "n: '1.5' is not a count"),
        ("checkout,old,purchase,nan,1,,,,", "n: 'nan' is not a number"),
        ("checkout,old,purchase,10,,,,,", "expected successes, or mean and variance"),
        ("checkout,old,spend,10,,2,,,", "expected successes, or mean and variance"),
        ("checkout,old,spend,10,,inf,1,,", "mean: 'inf' is not a number"),
        ("checkout,old,spend,10,,2,-1,,", "variance: it cannot be negative"),
        ("checkout,old,,10,1,,,,", "a row without a metric only counts units"),
        ("checkout,old,purchase,10,1,,,2026-03-01T00:00:00Z,2026-03-01", "a checkpoint or a day, not both"),
        ("checkout,old,purchase,10,1,,,soon,", "checkpoint: 'soon' is not ISO 8601"),
        ("checkout,old,purchase,10,1,,,,2026-02-30", "day: '2026-02-30' is no day"),
        (",old,purchase,10,1,,,,", "experiment: is missing"),
        ("checkout,new,purchase,10,2,,,,", "was given for this moment before"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(
    external: Store, tmp_path: Path, row: str, said: str
) -> None:
    good = ["checkout,new,purchase,10,1,,,,", "checkout,old,purchase,20,1,,,,"]
    report = run(external, tmp_path, good[0], row, *good[1:])
    assert report.rows == 2
    (bad,) = report.rejected
    assert bad.line == 3
    assert said in bad.reason
    with pytest.raises(InvalidInput, match="line 3"):
        run(external, tmp_path, good[0], row, strict=True)


def test_json_lines_are_read_as_well(external: Store, tmp_path: Path) -> None:
    path = tmp_path / "totals.jsonl"
    rows = [
        {"experiment": "checkout", "variant": each, "metric": "purchase", "n": 50, "successes": 5}
        for each in ("old", "new")
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    report = import_summaries(store=external, path=path, now=NOW, version="1")
    assert (report.rows, report.rejected) == (2, ())


def test_only_experiments_that_another_system_assigns_can_be_told(store: Store, tmp_path: Path) -> None:
    with store.write() as session:
        launch.apply(session=session, definitions=definitions(), actor="ada", now=NOW)
    report = run(store, tmp_path, "checkout,old,purchase,10,1,,,,")
    assert "experiment: 'checkout' is not known here" in report.rejected[0].reason
