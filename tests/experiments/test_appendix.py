from pathlib import Path

import duckdb
import pytest

from experiments.appendix import appendix_of
from experiments.catalog import find_experiment
from experiments.definition import parse_metric
from experiments.errors import NotFound
from experiments.launch import edit
from experiments.observe.engines import OURS, Distant, Embedded
from experiments.observe.layout import COLUMNS
from experiments.registry import save_metric
from experiments.store import Store
from experiments.timeline import FieldChange
from tests.samples import DAY, NOW, apply, experiment

SPEND = {"key": "spend", "kind": "mean", "event": "buy"}
ORDERS = {"key": "orders", "kind": "mean", "event": "buy", "aggregation": "count"}
RATIO = {"key": "aov", "kind": "ratio", "numerator": "spend", "denominator": "orders"}
ASKED = experiment(
    metrics={"primary": ["aov"], "secondary": ["spend"]},
    plan={"cuped": {"days": 7, "metrics": ["orders"]}},
    segments=["country"],
)


def test_every_metric_has_its_own_statement_that_the_engine_can_run(store: Store, tmp_path: Path) -> None:
    apply(store, ASKED, metrics=[SPEND, ORDERS, RATIO])
    with store.read() as session:
        found = appendix_of(
            session=session, engine=Embedded(store, tmp_path / "c.duckdb"), key="checkout", now=NOW + DAY
        )
    assert [(each.metric, each.version) for each in found.statements] == [("aov", 1), ("spend", 1)]
    with duckdb.connect() as connection:
        for name, columns in COLUMNS.items():
            described = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            connection.execute(f"CREATE TABLE {name} ({described})")
        for each in found.statements:
            assert "country" not in each.text
            assert {row[0] for row in connection.execute(each.text).fetchall()} >= {"exposure_through"}


def test_a_statement_is_in_the_words_of_the_engine_that_runs_it(store: Store) -> None:
    apply(store, ASKED, metrics=[SPEND, ORDERS, RATIO])
    with store.read() as session:
        found = appendix_of(session=session, engine=Distant("bigquery", "", OURS), key="checkout", now=NOW)
    assert "AS FLOAT64)" in found.statements[0].text


def test_changes_of_the_experiment_and_its_metrics_are_told_with_who_and_when(
    store: Store, tmp_path: Path
) -> None:
    apply(store, ASKED, metrics=[SPEND, ORDERS, RATIO])
    with store.write() as session:
        later = parse_metric({**ORDERS, "window": "7d"})
        save_metric(session=session, draft=later, actor="Ada", now=NOW + DAY)
    with store.write() as session:
        draft = find_experiment(session=session, key="checkout").definition
        renamed = draft.model_copy(update={"description": "Now with a picture"})
        edit(session=session, draft=renamed, actor="Lin", now=NOW + 2 * DAY)
    with store.read() as session:
        found = appendix_of(
            session=session, engine=Embedded(store, tmp_path / "c.duckdb"), key="checkout", now=NOW + 3 * DAY
        )
    told = [(each.at, each.actor, each.metric, each.version) for each in found.changes]
    assert told == [(NOW + DAY, "Ada", "orders", 2), (NOW + 2 * DAY, "Lin", None, None)]
    assert found.changes[0].changes == (FieldChange("window", None, "7d"),)
    assert [each.version for each in found.statements] == [1, 1]


def test_an_experiment_that_has_not_started_has_no_changes_to_tell(store: Store, tmp_path: Path) -> None:
    apply(store, experiment(status="draft"))
    engine = Embedded(store, tmp_path / "c.duckdb")
    with store.read() as session:
        assert appendix_of(session=session, engine=engine, key="checkout", now=NOW).changes == ()
        with pytest.raises(NotFound):
            appendix_of(session=session, engine=engine, key="nothing", now=NOW)
