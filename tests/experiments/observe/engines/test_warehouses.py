"""Warehouses that can run here: Spark, and ClickHouse embedded; the extra engines-dev installs them."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp

from experiments.observe import parquet
from experiments.observe.engines import Distant, Embedded, Mapping
from experiments.observe.engines.engine import Progress, Row, quiet
from experiments.observe.engines.mapping import OURS, Source
from experiments.store import Store
from experiments.store.ledger import append
from tests.experiments.observe.engines.asked import SMALL, differences, log, seen_by
from tests.samples import NOW

# Their drivers warn of each other's versions.
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]

EXPOSURE = {"experiment": "test", "user_id": "visitor", "variant": "arm", "mark": "mark", "occurred_at": "at"}
EVENT = {"event": "name", "user_id": "visitor", "value": "amount", "properties": "more", "occurred_at": "at"}


def missing(reason: str) -> None:
    """Skip for want of a part; where all parts have to be there, fail."""
    if os.environ.get("EVENHAND_TEST_ENGINES"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def embedded(store: Store, tmp_path: Path) -> Embedded:
    exposures, events = log()
    with store.write() as session:
        append(session=session, records=[*exposures, *events])
    return Embedded(store, tmp_path / "columns.duckdb")


@pytest.fixture
def exported(embedded: Embedded, tmp_path: Path) -> Path:
    """The log as a warehouse gets it."""
    target = tmp_path / "out"
    parquet.export(store=embedded.store, columns=embedded.path, target=target, now=NOW)
    return target


class Clickhouse:
    """ClickHouse without its server: the same text, another connection."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def text_of(self, statement: exp.Expr) -> str:
        return Distant("clickhouse", "", OURS).text_of(statement)

    def fetch_all(self, statements: Sequence[exp.Expr], progress: Progress = quiet) -> list[list[Row]]:
        return [self.fetch(each) for each in statements]

    def fetch(self, statement: exp.Expr) -> list[Row]:
        text = f"{self.text_of(statement)}, output_format_json_quote_64bit_integers = 0"
        found = json.loads(self.session.query(text, "JSONCompact").bytes())
        return [tuple(row) for row in found["data"]]


def test_clickhouse_answers_what_the_embedded_engine_answers(exported: Path, embedded: Embedded) -> None:
    try:
        from chdb.session import Session
    except ImportError:
        missing("chdb is not installed")
    session = Session()
    try:
        for name in ("exposure", "event"):
            files = f"{exported}/{name}s/**/*.parquet"
            session.query(
                f"CREATE TABLE {name} ENGINE = Memory AS SELECT * EXCEPT day REPLACE "
                f"(toUnixTimestamp64Milli(toDateTime64(occurred_at, 3)) AS occurred_at) "
                f"FROM file('{files}', Parquet)"
            )
        assert differences(seen_by(Clickhouse(session), SMALL), seen_by(embedded, SMALL)) == []
    finally:
        session.close()


def test_spark_answers_what_the_embedded_engine_answers(
    exported: Path, embedded: Embedded, tmp_path: Path
) -> None:
    if shutil.which("java") is None:
        missing("there is no Java")
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        missing("pyspark is not installed")
    spark = (
        SparkSession.builder.master("local[1]")
        # For a few hundred rows, planning and compiling would take most of the time.
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.default.parallelism", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", str(tmp_path / "spark"))
        .getOrCreate()
    )
    try:
        for name, named in (("exposure", EXPOSURE), ("event", EVENT)):
            frame = spark.read.parquet(str(exported / f"{name}s")).coalesce(1).cache()
            for ours, theirs in named.items():
                frame = frame.withColumnRenamed(ours, theirs)
            frame.createOrReplaceTempView(f"shop_{name}")
        mapping = Mapping(
            {
                "exposure": Source("shop_exposure", EXPOSURE, "timestamp"),
                "event": Source("shop_event", EVENT, "timestamp"),
            }
        )
        assert differences(seen_by(Distant("spark", "", mapping), SMALL), seen_by(embedded, SMALL)) == []
    finally:
        spark.stop()
