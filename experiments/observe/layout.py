"""Layout: how the columnar copy keeps its rows, so that reading them is quick.

A unit's id is a text of any length that occurs in every row, so each text is kept once, in ``unit``, and the
rows hold its number. Exposures lie by experiment, events by unit and time: new rows are sorted within their
batch, and from time to time, when many batches have come together, everything is sorted anew. What was
sorted is a part of the copy that any statement reads in the order in which it needs it.

The views ``named_exposure`` and ``named_event`` show the rows as the ledger has them.
"""

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

UNIT = "INTEGER"
"""A number that stands for a unit's id."""

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "exposure": {
        "id": "BIGINT",
        "experiment": "VARCHAR",
        "user_id": UNIT,
        "anonymous_id": UNIT,
        "variant": "VARCHAR",
        "occurred_at": "BIGINT",
        "received_at": "BIGINT",
        "attributes": "VARCHAR",
        "mark": "VARCHAR",
    },
    "event": {
        "id": "BIGINT",
        "user_id": UNIT,
        "anonymous_id": UNIT,
        "event": "VARCHAR",
        "value": "DOUBLE",
        "occurred_at": "BIGINT",
        "received_at": "BIGINT",
        "properties": "VARCHAR",
    },
}
_ORDERS: Mapping[str, str] = {
    "exposure": "experiment, user_id, anonymous_id, occurred_at",
    "event": "user_id, anonymous_id, occurred_at",
}
_NUMPY: Mapping[str, Any] = {"BIGINT": np.int64, "DOUBLE": np.float64, "VARCHAR": object, UNIT: object}
_NAMES = (*COLUMNS, "unit", "clustered", "standing")

LOOSE = 400_000
"""Rows that may lie about in sorted batches; with fewer, sorting everything gains nothing."""


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables, empty."""
    connection.execute(f"CREATE TABLE unit (number {UNIT}, name VARCHAR)")
    for name, columns in COLUMNS.items():
        connection.execute(f"CREATE TABLE {name} ({_described(columns)})")
        connection.execute(f"CREATE VIEW named_{name} AS {_named(name)}")
    connection.execute("CREATE TABLE clustered (source VARCHAR, id BIGINT)")
    connection.execute(
        "CREATE TABLE standing "
        "(question VARCHAR, horizon BIGINT, exposure BIGINT, event BIGINT, summed VARCHAR)"
    )


def empty(connection: duckdb.DuckDBPyConnection) -> None:
    """Take every row out."""
    for name in _NAMES:
        connection.execute(f"DELETE FROM {name}")  # noqa: S608 - our own names


def stage(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Make room for the rows of a batch as they arrive."""
    columns = {column: "VARCHAR" if kind == UNIT else kind for column, kind in COLUMNS[name].items()}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE arrived ({_described(columns)})")


def arrive(connection: duckdb.DuckDBPyConnection, name: str, rows: NDArray[Any]) -> None:
    """Take some rows of the batch. A missing number is NaN for numpy, and none for DuckDB again."""
    batch = {
        column: rows[:, place].astype(_NUMPY[kind], copy=False)
        for place, (column, kind) in enumerate(COLUMNS[name].items())
    }
    connection.register("batch", batch)
    connection.execute("INSERT INTO arrived SELECT * FROM batch")
    connection.unregister("batch")


def settle(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Number the units of the batch and put its rows where they belong."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE arrived_unit AS
        SELECT name, MIN(id) AS id FROM (
            SELECT user_id AS name, id FROM arrived UNION ALL SELECT anonymous_id, id FROM arrived
        ) WHERE name IS NOT NULL GROUP BY name
        """
    )
    connection.execute(
        """
        INSERT INTO unit
        SELECT (SELECT COALESCE(MAX(number), 0) FROM unit) + ROW_NUMBER() OVER (ORDER BY id, name), name
        FROM arrived_unit ANTI JOIN unit USING (name)
        """
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE known_unit AS SELECT unit.* FROM unit JOIN arrived_unit USING (name)"
    )
    connection.execute(
        f"INSERT INTO {name} SELECT {_chosen(name, 'arrived', 'number')} FROM arrived "  # noqa: S608 - our own names
        "LEFT JOIN known_unit AS own ON own.name = arrived.user_id "
        "LEFT JOIN known_unit AS other ON other.name = arrived.anonymous_id "
        f"ORDER BY {_ORDERS[name]}"
    )
    for temporary in ("arrived", "arrived_unit", "known_unit"):
        connection.execute(f"DROP TABLE {temporary}")


def cluster(connection: duckdb.DuckDBPyConnection) -> None:
    """Sort what has become loose: when it is as much as half of what lies sorted."""
    for name in COLUMNS:
        sorted_up_to = connection.execute("SELECT id FROM clustered WHERE source = ?", [name]).fetchone()
        counted = connection.execute(
            f"SELECT COUNT(*), COUNT(*) FILTER (id > ?), MAX(id) FROM {name}",  # noqa: S608 - our own names
            [sorted_up_to[0] if sorted_up_to else 0],
        ).fetchone()
        rows, loose, newest = counted or (0, 0, None)
        if loose > LOOSE and loose > (rows - loose) / 2:
            _sort(connection, name, newest)


def prune(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the ids of units of which no row is left, and the sums in which the dropped rows have a part."""
    connection.execute("DELETE FROM standing")
    used = " UNION ALL ".join(
        f"SELECT {column} FROM {name} WHERE {column} IS NOT NULL"  # noqa: S608 - our own names
        for name in COLUMNS
        for column in ("user_id", "anonymous_id")
    )
    connection.execute(f"DELETE FROM unit WHERE number NOT IN ({used})")  # noqa: S608 - the same


def _sort(connection: duckdb.DuckDBPyConnection, name: str, newest: int) -> None:
    connection.begin()
    connection.execute(f"CREATE TABLE ordered AS SELECT * FROM {name} ORDER BY {_ORDERS[name]}")  # noqa: S608 - our own names
    connection.execute(f"DROP TABLE {name}")
    connection.execute(f"ALTER TABLE ordered RENAME TO {name}")
    connection.execute("DELETE FROM clustered WHERE source = ?", [name])
    connection.execute("INSERT INTO clustered VALUES (?, ?)", [name, newest])
    connection.commit()


def _described(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{column} {kind}" for column, kind in columns.items())


def _chosen(name: str, source: str, kind: str) -> str:
    """The columns of a table, with the units' numbers or names."""
    units = {"user_id": f"own.{kind} AS user_id", "anonymous_id": f"other.{kind} AS anonymous_id"}
    return ", ".join(units.get(column, f"{source}.{column}") for column in COLUMNS[name])


def _named(name: str) -> str:
    return (
        f"SELECT {_chosen(name, name, 'name')} FROM {name} "  # noqa: S608 - our own names
        f"LEFT JOIN unit AS own ON own.number = {name}.user_id "
        f"LEFT JOIN unit AS other ON other.number = {name}.anonymous_id"
    )
