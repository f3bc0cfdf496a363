"""Parquet: the columnar copy written out for warehouses, one folder for each day.

The files are written into a folder beside the target, which is then renamed: a reader sees the old export or
the new one, never half of one. A list of contents marks the folder as ours, so nothing else is overwritten.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from experiments.errors import InvalidInput, Unavailable
from experiments.observe.columns import opened, refresh
from experiments.store import Store

CONTENTS = "_evenhand.json"
"""The list of contents. Readers of partitioned folders skip names that begin with an underscore."""

DAY_MS = 86_400_000
DAYS = 31
"""Days that are written at once: each keeps a file open."""

_DAY = "strftime(epoch_ms(occurred_at), '%Y-%m-%d') AS day"
_AT = ", ".join(f"epoch_ms({name}) AT TIME ZONE 'UTC' AS {name}" for name in ("occurred_at", "received_at"))
_PARTS = {
    "exposures": (
        "exposure",
        f"id, experiment, user_id, anonymous_id, variant, {_AT}, attributes, mark, {_DAY}",
        "experiment, day",
    ),
    "events": ("event", f"id, user_id, anonymous_id, event, value, {_AT}, properties, {_DAY}", "day"),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    exposures: int
    events: int
    files: int


def export(
    *,
    store: Store,
    columns: Path,
    target: Path,
    now: datetime,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Exported:
    """Write all exposures (by experiment and day) and events (by day) as Parquet.

    Parameters
    ----------
    columns
        Where the columnar copy lies; it is brought up to date first.
    target
        A folder that does not exist, is empty, or holds an earlier export, which is replaced.

    Raises
    ------
    InvalidInput
        If the folder holds anything else.
    Unavailable
        If it cannot be written.
    """
    target = target.absolute()
    _require_ours(target)
    partial = target.with_name(f".{target.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with opened(columns) as connection:
            refresh(connection, store, lambda share: progress(share / 2))
            rows = write(connection, partial, lambda share: progress(0.5 + share / 2))
        files = sum(1 for _ in partial.rglob("*.parquet"))
        contents = {"written_at": now.isoformat(), **rows, "files": files}
        (partial / CONTENTS).write_text(json.dumps(contents), encoding="utf-8")
        _replace(target, partial)
    except (OSError, duckdb.IOException) as problem:
        shutil.rmtree(partial, ignore_errors=True)
        raise Unavailable(f"{target} cannot be written: {problem}") from problem
    progress(1.0)
    return Exported(**rows, files=files)


def _require_ours(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir() or (any(target.iterdir()) and not (target / CONTENTS).is_file()):
        raise InvalidInput.at(str(target), "is there already and is no earlier export; choose another folder")


def write(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> dict[str, int]:
    """Write the copy as it is into a folder; how many rows each part has."""
    rows = {part: dict(_days(connection, table)) for part, (table, _, _) in _PARTS.items()}
    total = sum(sum(days.values()) for days in rows.values()) or 1
    written = 0
    for part, (table, chosen, partition) in _PARTS.items():
        (folder / part).mkdir()
        days = sorted(rows[part])
        for start in range(0, len(days), DAYS):
            some = days[start : start + DAYS]
            connection.execute(
                f"COPY (SELECT {chosen} FROM named_{table} WHERE occurred_at >= ? AND occurred_at < ?) TO ? "  # noqa: S608 - our own names
                f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({partition}), OVERWRITE_OR_IGNORE)",
                [some[0] * DAY_MS, (some[-1] + 1) * DAY_MS, str(folder / part)],
            )
            written += sum(rows[part][day] for day in some)
            progress(written / total)
    return {part: sum(days.values()) for part, days in rows.items()}


def _days(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[tuple[int, int]]:
    """How many rows each day has."""
    query = (
        f"SELECT CAST(FLOOR(occurred_at / {DAY_MS}.0) AS BIGINT) AS day, COUNT(*) FROM {table} GROUP BY day"  # noqa: S608 - our own names
    )
    yield from connection.execute(query).fetchall()


def _replace(target: Path, new: Path) -> None:
    """Put the new folder in the old one's place."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)
