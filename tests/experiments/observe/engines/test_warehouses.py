"""Warehouses that can run here: Spark, and ClickHouse embedded; the extra engines-dev installs them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis import Observation
from experiments.errors import Unavailable
from experiments.observe import parquet
from experiments.observe.engines import Distant, Embedded, Ledger, Mapping
from experiments.observe.engines.mapping import OURS, Source
from experiments.store import Store, open_store
from experiments.store.ledger import append
from experiments.store.schema import upgrade
from tests.experiments.observe.engines import door as doors
from tests.experiments.observe.engines.asked import EVERY, SMALL, differences, log, readout_of, seen_by
from tests.experiments.observe.engines.door import Door
from tests.postgres import Cluster
from tests.samples import NOW

# Their drivers warn of each other's versions.
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]

EXPOSURE = {
    "experiment": "test",
    "user_id": "visitor",
    "anonymous_id": "cookie",
    "variant": "arm",
    "mark": "mark",
    "attributes": "context",
    "occurred_at": "at",
}
EVENT = {
    "event": "name",
    "user_id": "visitor",
    "anonymous_id": "cookie",
    "value": "amount",
    "properties": "more",
    "occurred_at": "at",
    "received_at": "came",
}


def missing(reason: str) -> None:
    """Skip for want of a part; where all parts have to be there, fail."""
    if os.environ.get("EVENHAND_TEST_ENGINES"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    folder = tmp_path_factory.mktemp("ledger")
    store = open_store(f"sqlite:///{folder / 'ledger.sqlite3'}")
    upgrade(store)
    fill(store)
    yield Embedded(store, folder / "columns.duckdb")
    store.close()


def fill(store: Store) -> None:
    exposures, events = log()
    with store.write() as session:
        append(session=session, records=[*exposures, *events])


@pytest.fixture(scope="module")
def expected(embedded: Embedded) -> Observation:
    return seen_by(embedded, EVERY)


@pytest.fixture(scope="module")
def exported(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log as a warehouse gets it."""
    target = tmp_path_factory.mktemp("warehouse") / "out"
    parquet.export(store=embedded.store, columns=embedded.path, target=target, now=NOW)
    return target


@pytest.fixture(scope="module")
def clickhouse(exported: Path) -> Iterator[Any]:
    try:
        import clickhouse_connect  # noqa: F401 - the driver, asked for before the server is made
        from chdb.session import Session
    except ImportError:
        missing("chdb or clickhouse-connect is not installed")
    session = Session()
    for name, named in (("exposure", EXPOSURE), ("event", EVENT)):
        files = f"{exported}/{name}s/**/*.parquet"
        chosen = ", ".join(f"{ours} AS {theirs}" for ours, theirs in named.items())
        session.query(
            f"CREATE TABLE shop_{name} ENGINE = Memory AS SELECT {chosen} FROM file('{files}', Parquet)"
        )
    yield session
    session.close()


@pytest.fixture
def door(clickhouse: Any) -> Iterator[Door]:
    with doors.opened(clickhouse) as door:
        yield door


def shop(**changes: Any) -> Mapping:
    return Mapping(
        {
            "exposure": Source("shop_exposure", EXPOSURE, "timestamp"),
            "event": Source("shop_event", EVENT, "timestamp"),
        },
        **changes,
    )


def test_clickhouse_answers_every_kind_as_the_embedded_engine_does(door: Door, expected: Observation) -> None:
    assert differences(seen_by(Distant("clickhouse", door.url, shop()), EVERY), expected) == []
    assert sorted(door.names("DROP")) == sorted(door.names("CREATE")) != []


def test_who_may_keep_nothing_gets_the_same_numbers(door: Door, embedded: Embedded) -> None:
    door.read_only = True
    engine = Distant("clickhouse", door.url, shop())
    assert differences(seen_by(engine, SMALL), seen_by(embedded, SMALL)) == []
    assert "no temporary tables" in engine.problems()[0]


@pytest.mark.parametrize("gone", [False, True], ids=["once", "for good"])
def test_what_was_kept_is_given_up_when_a_statement_fails(door: Door, *, gone: bool) -> None:
    door.fails, door.gone = "_centres ENGINE", gone
    with pytest.raises(Unavailable, match=r"^clickhouse did not answer: .*shutting down"):
        seen_by(Distant("clickhouse", door.url, shop()), SMALL)
    assert len(door.names("CREATE")) > 3
    assert sorted(door.names("DROP")) == sorted(door.names("CREATE"))


def test_analyses_at_the_same_time_keep_nothing_under_the_same_name(door: Door) -> None:
    for _ in range(2):
        seen_by(Distant("clickhouse", door.url, shop()), SMALL)
    names = door.names("CREATE")
    assert len(set(names)) == len(names) > 6


@pytest.fixture(scope="module")
def spark(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if shutil.which("java") is None:
        missing("there is no Java")
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        missing("pyspark is not installed")
    spark = (
        SparkSession.builder.master("local[2]")
        # For a few hundred rows, planning and compiling would take most of the time.
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.default.parallelism", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "America/Sao_Paulo")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("spark")))
        .getOrCreate()
    )
    for name, named in (("exposure", EXPOSURE), ("event", EVENT)):
        frame = spark.read.parquet(str(exported / f"{name}s")).coalesce(1).cache()
        for ours, theirs in named.items():
            frame = frame.withColumnRenamed(ours, theirs)
        frame.createOrReplaceTempView(f"shop_{name}")
    yield spark
    spark.stop()


def test_duckdb_postgresql_and_spark_make_the_same_readout_of_every_kind(
    spark: Any, postgres: Cluster, expected: Observation
) -> None:
    ledger = open_store(postgres.create("every_kind"))
    upgrade(ledger)
    fill(ledger)
    stored, distant = seen_by(Ledger(ledger), EVERY), seen_by(Distant("spark", "", shop()), EVERY)
    ledger.close()
    for observed in (stored, distant):
        assert differences(observed, expected) == []
        assert differences(readout_of(observed), readout_of(expected)) == []
    assert [each.name for each in spark.catalog.listTables() if each.name.startswith("evenhand")] == []


def test_spark_names_a_column_that_is_not_there(spark: Any) -> None:
    event = Source("shop_event", {**EVENT, "value": "worth"}, "timestamp")
    engine = Distant("spark", "", Mapping({**shop().sources, "event": event}))
    with pytest.raises(Unavailable, match=r"warehouse\.event\.value \(worth of shop_event\) cannot be read"):
        seen_by(engine, SMALL)
    assert len(engine.problems()) == 1
    assert spark.catalog.tableExists("shop_event")


def test_spark_names_a_table_that_is_not_there(spark: Any) -> None:
    mapping = Mapping({**shop().sources, "event": Source("shop_events", EVENT, "timestamp")})
    with pytest.raises(Unavailable, match=r"warehouse\.event\.table \(shop_events\) cannot be read"):
        seen_by(Distant("spark", "", mapping), SMALL)
    assert not spark.catalog.tableExists("shop_events")


def test_a_wrong_password_is_said_and_not_shown(door: Door) -> None:
    url = door.url.replace("open+sesame", "wrong+secret")
    with pytest.raises(Unavailable, match=r"clickhouse cannot be reached: .*Authentication failed") as caught:
        seen_by(Distant("clickhouse", url, OURS), SMALL)
    assert "wrong" not in str(caught.value)


def test_a_query_that_takes_too_long_is_given_up(door: Door) -> None:
    door.slow = "_units ENGINE"
    with pytest.raises(Unavailable, match=r"clickhouse did not answer: .*(timed out|[Tt]imeout)"):
        seen_by(Distant("clickhouse", f"{door.url}?send_receive_timeout=1", shop()), SMALL)


def test_a_server_that_is_not_there_is_said(door: Door) -> None:
    url = f"clickhouse://analyst@127.0.0.1:{door.port}/default"
    with pytest.raises(Unavailable, match="clickhouse cannot be reached"):
        Distant("clickhouse", url.replace(f":{door.port}", ":1"), OURS).problems()
