"""A made log of any size, put straight into the columnar copy."""

from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from experiments.observe import layout
from experiments.store.instants import to_millis

HOUR = 3_600_000
DAY = 24 * HOUR
START = to_millis(datetime(2026, 1, 1, tzinfo=UTC))
NAMES = ("view", "search", "cart", "purchase", "refund")
SHARES = (0.6, 0.2, 0.1, 0.06, 0.04)
PIECE = 2_000_000

Arrays = dict[str, NDArray[Any]]


def make_units(count: int) -> Arrays:
    """When each unit was first exposed, and to what."""
    rng = np.random.default_rng(1)
    return {"first": START + rng.integers(0, 14 * DAY, count), "arm": rng.integers(0, 2, count)}


def make_events(count: int, units: Arrays, seed: int) -> Arrays:
    """Events from two weeks before to two weeks after a unit's exposure, in no order."""
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, len(units["first"]), count).astype(np.int32)
    return {
        "unit": unit,
        "kind": rng.choice(5, count, p=SHARES).astype(np.int8),
        "value": np.round(rng.lognormal(3, 1, count), 2),
        "moment": units["first"][unit] + rng.integers(-14 * DAY, 14 * DAY, count),
    }


def load(connection: duckdb.DuckDBPyConnection, events: int, units: Arrays, experiments: int) -> None:
    """Put the log into the copy, as many small batches would have got there in the end."""
    numbers = np.arange(1, len(units["first"]) + 1, dtype=np.int32)
    connection.register("made", {"number": numbers, **units})
    connection.execute("INSERT INTO unit SELECT number, 'user-' || number FROM made")
    for place in range(experiments):
        connection.execute(
            f"INSERT INTO exposure SELECT number + {place} * {len(numbers)}, 'e{place}', number, NULL, "
            "CASE WHEN arm = 0 THEN 'old' ELSE 'new' END, first, first, NULL, NULL FROM made"
        )
    for seed, start in enumerate(range(0, events, PIECE)):
        add(connection, make_events(min(PIECE, events - start), units, seed + 2), start)
    layout.cluster(connection)
    connection.execute("CHECKPOINT")


def add(connection: duckdb.DuckDBPyConnection, made: Arrays, start: int) -> None:
    """Append events."""
    names = ", ".join(f"'{each}'" for each in NAMES)
    connection.register("made", {"id": np.arange(start + 1, start + 1 + len(made["unit"])), **made})
    connection.execute(
        f"INSERT INTO event SELECT id, unit + 1, NULL, [{names}][kind + 1], value, moment, moment, NULL "
        "FROM made ORDER BY 2, 6"
    )
