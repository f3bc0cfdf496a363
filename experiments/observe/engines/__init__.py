"""Engines: what runs the statement. All of them are asked the same one, each in its own dialect.

=============== ==========================================================================================
`Embedded`      DuckDB, over the columnar copy of the ledger, which it keeps up to date; the default. What
                can be is added up in memory, to the same answer (`experiments.observe.readied`)
`Ledger`        PostgreSQL, over the ledger itself; no copy
`Distant`       a warehouse that people run already (Spark, ClickHouse, BigQuery, Snowflake, Trino), reached
                through Ibis; its exposures and events are there, under its own names for them
=============== ==========================================================================================
"""

from pathlib import Path

from experiments.errors import InvalidInput
from experiments.observe.engines.distant import Distant
from experiments.observe.engines.drivers import WAREHOUSES
from experiments.observe.engines.embedded import Embedded
from experiments.observe.engines.engine import Engine
from experiments.observe.engines.ledger import Ledger
from experiments.observe.engines.mapping import OURS, Mapping, read_mapping
from experiments.store import Store

__all__ = ["OURS", "Distant", "Embedded", "Engine", "Ledger", "Mapping", "open_engine", "read_mapping"]


def open_engine(
    *, name: str, store: Store, columns: Path, url: str = "", warehouse: Path | None = None
) -> Engine:
    """The engine of a deployment.

    Parameters
    ----------
    name
        ``duckdb``, ``postgresql``, or a warehouse's name.
    columns
        Where the columnar copy lies, for ``duckdb``.
    url
        Ibis' address of a warehouse, such as ``clickhouse://user@host/database``.
    warehouse
        A file that says in which tables and columns of the warehouse exposures and events are.

    Raises
    ------
    InvalidInput
        If these do not go together, or the file cannot be used.
    """
    if name == "duckdb":
        if warehouse is not None:
            raise InvalidInput.at("EVENHAND_WAREHOUSE", "duckdb reads the ledger; choose another engine")
        return Embedded(store, columns)
    mapping = OURS if warehouse is None else read_mapping(warehouse)
    if name == "postgresql":
        return Ledger(store, mapping)
    if name not in WAREHOUSES:
        raise InvalidInput.at("EVENHAND_ENGINE", f"expected duckdb, postgresql, {', '.join(WAREHOUSES)}")
    return Distant(name, url, mapping)
