"""The same answer, whichever engine is asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from analysis import Observation
from experiments.errors import InvalidInput, Unavailable
from experiments.observe.cohorts import with_cohorts
from experiments.observe.engines import Distant, Embedded, Ledger, Mapping, open_engine
from experiments.observe.engines.mapping import OURS, OWN_NAMES, Source
from experiments.observe.scanning import Statement
from experiments.store import Store, open_store
from experiments.store.ledger import append
from experiments.store.schema import upgrade
from tests.experiments.observe.engines.asked import ASKED, differences, log, seen_by
from tests.postgres import Cluster


def fill(store: Store) -> None:
    exposures, events = log()
    with store.write() as session:
        append(session=session, records=[*exposures, *events])


@pytest.fixture
def embedded(store: Store, tmp_path: Path) -> Embedded:
    fill(store)
    return Embedded(store, tmp_path / "columns.duckdb")


@pytest.fixture
def expected(embedded: Embedded) -> Observation:
    return seen_by(embedded)


@pytest.fixture
def ledger(postgres: Cluster, request: pytest.FixtureRequest) -> Iterator[Store]:
    made = open_store(postgres.create(f"e{abs(hash(request.node.name))}"))
    upgrade(made)
    fill(made)
    yield made
    made.close()


def test_the_log_reaches_every_piece_of_the_statement(expected: Observation) -> None:
    assert min(expected.units.values()) > 50
    assert min(expected.excluded.values()) > 0
    assert expected.immature["buys_soon"] > 0
    assert expected.moments["spend_capped"]["new"].variance > 0


def test_postgresql_answers_what_the_embedded_engine_answers(expected: Observation, ledger: Store) -> None:
    assert differences(seen_by(Ledger(ledger)), expected) == []


def test_postgresql_sees_the_same_cohorts(embedded: Embedded, expected: Observation, ledger: Store) -> None:
    ours = with_cohorts(embedded, ASKED, expected).cohorts
    assert len(ours) > 4
    assert with_cohorts(Ledger(ledger), ASKED, expected).cohorts == ours


def test_postgresql_reads_tables_of_other_names(expected: Observation, ledger: Store) -> None:
    with ledger.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("CREATE SCHEMA shop")
        connection.exec_driver_sql(
            "CREATE TABLE shop.shown AS SELECT experiment AS test, user_id AS visitor, variant AS arm, mark, "
            "attributes AS context, to_timestamp(occurred_at / 1000.0) AS at FROM exposure"
        )
        connection.exec_driver_sql(
            "CREATE TABLE shop.clicks AS SELECT user_id AS visitor, event AS name, value AS amount, "
            "properties, to_timestamp(occurred_at / 1000.0) AS at, "
            "to_timestamp(received_at / 1000.0) AS came "
            "FROM event"
        )
    named = {
        "experiment": "test",
        "user_id": "visitor",
        "variant": "arm",
        "mark": "mark",
        "occurred_at": "at",
    }
    clicks = {"user_id": "visitor", "event": "name", "value": "amount", "occurred_at": "at"}
    clicks |= {"properties": "properties", "received_at": "came"}
    mapping = Mapping(
        {
            "exposure": Source(
                "shop.shown", {**named, "occurred_at": "at", "attributes": "context"}, "timestamp"
            ),
            "event": Source("shop.clicks", clicks, "timestamp"),
        }
    )
    assert differences(seen_by(Ledger(ledger, mapping)), expected) == []


@pytest.mark.parametrize(
    ("table", "named", "said"),
    [
        ("shop.nothing", {}, r"warehouse\.event\.table \(shop\.nothing\) cannot be read: .*does not exist"),
        ("event", {"event": "name"}, r"warehouse\.event\.event \(name of event\) cannot be read: .*name"),
    ],
)
def test_postgresql_names_the_table_or_column_that_is_not_there(
    ledger: Store, table: str, named: dict[str, str], said: str
) -> None:
    event = Source(table, {**OWN_NAMES["event"].columns, **named})
    engine = Ledger(ledger, Mapping({"event": event}))
    with pytest.raises(Unavailable, match=said):
        seen_by(engine)
    assert len(engine.problems()) == 1
    assert Ledger(ledger).problems() == []


def test_the_ledger_as_engine_has_to_be_postgresql(store: Store) -> None:
    with pytest.raises(InvalidInput, match="EVENHAND_DATABASE_URL"):
        Ledger(store)


def test_an_engine_whose_driver_is_missing_says_what_to_install() -> None:
    engine = Distant("snowflake", "", OURS)
    with pytest.raises(Unavailable, match=r"pip install 'ibis-framework\[snowflake\]'"):
        engine.fetch_all([Statement(sqlglot.parse_one("SELECT 1"))])


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("duckdb", {"warehouse": Path("x.toml")}, "reads the ledger"),
        ("spark", {"warehouse": Path("nowhere.toml")}, "cannot be read"),
        ("postgresql", {}, "EVENHAND_DATABASE_URL"),
        ("abacus", {}, "expected duckdb"),
        ("trino", {"url": "postgres://analyst@host/shop"}, "EVENHAND_ENGINE_URL: expected trino://"),
    ],
)
def test_settings_that_do_not_go_together_are_named(
    store: Store, tmp_path: Path, name: str, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        open_engine(name=name, store=store, columns=tmp_path / "c", **more)
