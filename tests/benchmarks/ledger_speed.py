"""How fast the ledger takes files and is copied. Run by hand: ``python -m tests.benchmarks.ledger_speed``.

Prints rows per second of an import beside those of a bare ``executemany`` with the same table, ids and
``synchronous=FULL``, in turns, and the seconds and peak memory of copying a million new rows into columns.
"""

import argparse
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from experiments.imports import CHUNK, FileKind, import_file
from experiments.observe import columns
from experiments.store import Store, open_store
from experiments.store.ledger import Event
from experiments.store.schema import upgrade
from tests.samples import NOW


def write_events(path: Path, count: int, *, seed: int = 1, properties: bool = False) -> None:
    """Write a log of events in the order of their times."""
    rng = np.random.default_rng(seed)
    moments = 1_767_225_600_000 + np.sort(rng.integers(0, 30 * 86_400_000, count))
    texts = np.datetime_as_string(moments.astype("datetime64[ms]"), timezone="UTC")
    users = rng.integers(0, max(2, count // 10), count)
    names = np.array(["view", "cart", "purchase"])[rng.choice(3, count, p=[0.8, 0.15, 0.05])]
    values = np.round(rng.lognormal(3, 1, count), 2)
    more = ["", ""]
    if properties:
        more = [",properties", ',"{""page"": ""checkout"", ""items"": 3}"']
    with path.open("w") as file:
        file.write(f"user_id,event,value,timestamp{more[0]}\n")
        for user, name, value, text in zip(users, names, values, texts, strict=True):
            file.write(f"user-{user:07d},{name},{value if name == 'purchase' else ''},{text}{more[1]}\n")


def peak_megabytes() -> float:
    """The most memory that this process held. Linux hands ``ru_maxrss`` down from the parent, so not that."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def fresh(folder: Path, name: str) -> Store:
    store = open_store(f"sqlite:///{folder / name}.sqlite3")
    upgrade(store)
    return store


def bare_rate(folder: Path, name: str, rows: list[tuple[Any, ...]]) -> float:
    fresh(folder, name).close()
    with closing(sqlite3.connect(folder / f"{name}.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        places = ", ".join("?" * len(Event._fields))
        statement = f"INSERT INTO event ({', '.join(Event._fields)}) VALUES ({places})"
        began = time.perf_counter()
        for start in range(0, len(rows), CHUNK):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, rows[start : start + CHUNK])
            connection.execute("COMMIT")
        return len(rows) / (time.perf_counter() - began)


def import_rate(folder: Path, name: str, path: Path) -> tuple[float, list[tuple[Any, ...]]]:
    store = fresh(folder, name)
    began = time.perf_counter()
    report = import_file(store=store, kind=FileKind.EVENTS, path=path, now=NOW)
    rate = report.receipt.accepted / (time.perf_counter() - began)
    store.close()
    with closing(sqlite3.connect(folder / f"{name}.sqlite3")) as connection:
        rows = connection.execute(f"SELECT {', '.join(Event._fields)} FROM event ORDER BY id").fetchall()
    return rate, rows


def compare_import(folder: Path, count: int, turns: int, *, properties: bool) -> None:
    path = folder / "events.csv"
    write_events(path, count, properties=properties)
    ratios = []
    for turn in range(turns):
        rate, rows = import_rate(folder, f"import-{properties}-{turn}", path)
        bare = bare_rate(folder, f"bare-{properties}-{turn}", rows)
        ratios.append(rate / bare)
        print(f"  import {rate:>9,.0f} rows/s, bare {bare:>9,.0f} rows/s, ratio {rate / bare:.2f}")
    kind = "with properties" if properties else "events"
    print(f"import of {kind}: median ratio {statistics.median(ratios):.2f} of bare executemany")


def _told(began: float, worked: float) -> str:
    """How long it took, how much of that the processor worked for it, and how much memory it held."""
    seconds, work = time.perf_counter() - began, time.process_time() - worked
    return f"{seconds:.1f} s, {work:.1f} s of a processor, peak {peak_megabytes():.0f} MB"


def copy(folder: Path) -> None:
    """Copy everything that is new; run in a process of its own, so that the memory is its own."""
    store = open_store(f"sqlite:///{folder / 'copied'}.sqlite3")
    began, worked = time.perf_counter(), time.process_time()
    with columns.opened(folder / "columns.duckdb") as connection:
        added = columns.refresh(connection, store)
    told = _told(began, worked)
    print(f"copy of {added:,} new rows: {told} (DuckDB {duckdb.__version__})")


def import_once(folder: Path) -> None:
    """Import a file; run in a process of its own, so that the memory is its own."""
    store = fresh(folder, "copied")
    began, worked = time.perf_counter(), time.process_time()
    report = import_file(store=store, kind=FileKind.EVENTS, path=folder / "events.csv", now=NOW)
    print(f"import of {report.receipt.accepted:,} rows: {_told(began, worked)}")


def main() -> None:
    """Run everything, or one part in this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", choices=["copy", "import"])
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    if chosen.only:
        {"copy": copy, "import": import_once}[chosen.only](chosen.folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for properties in (False, True) if chosen.turns else ():
            compare_import(folder, min(chosen.rows, 400_000), chosen.turns, properties=properties)
        write_events(folder / "events.csv", chosen.rows)
        for part in ("import", "copy"):
            command = [sys.executable, "-m", "tests.benchmarks.ledger_speed", "--only", part]
            subprocess.run([*command, "--folder", str(folder)], check=True)


if __name__ == "__main__":
    main()
