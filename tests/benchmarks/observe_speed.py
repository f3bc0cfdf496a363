"""How fast a readout is. Run by hand: ``python -m tests.benchmarks.observe_speed``.

A log of events is put straight into the columnar copy. Five metrics in two variants, each adjusted for its
own value in the two weeks before the exposure, are then counted by three:

readout
    Everything: which units count and why, moments with covariates of all units and cumulatively for each
    day, the curve of the first metric over units' lives, checks of the log (late, future and unreadable
    events), and all comparisons, checks and the verdict; over the copy on disk.
numpy
    Over arrays that are in memory already, with units as numbers and events as codes: the age of each event,
    each metric's and each covariate's value by ``bincount``, whether a unit was seen before, and by variant
    the sums, squares and cross products of the three. No days, no checks, no curves.
tea-tasting (with ``--tea PYTHON``, an interpreter that has it and Ibis with DuckDB)
    Over the same exposures and events as Parquet: a value and a covariate for each metric and unit by
    conditional sums in DuckDB, and its analysis of five means with covariates. No days, no checks, no
    curves. Once over the files that ``evenhand export --parquet`` writes, with ids as texts and a folder for
    each day, which is what somebody has who does not use our copy; and once, as ``numbers``, over files with
    the copy's own numbers for units in the copy's own order, which hands it the work that the copy has done.

The processor's seconds are printed beside those of the clock: on a busy machine only they compare.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
from numpy.typing import NDArray

from analysis import Correction, Direction, Plan, PlannedMetric, Role, read
from experiments.metrics import MetricDraft
from experiments.observe import Question, columns, text_of
from experiments.observe.asked import PlainQuestion
from experiments.observe.chunks import Scan
from experiments.observe.counting import read_rows
from experiments.observe.readied import answer_all
from experiments.observe.statement import about_units
from experiments.observe.summing import Summing
from experiments.observe.tallies import Tally
from tests.benchmarks import tea
from tests.benchmarks.ledger_speed import peak_megabytes
from tests.benchmarks.made_log import DAY, HOUR, PIECE, START, Arrays, add, load, make_events, make_units

METRICS: tuple[dict[str, Any], ...] = (
    {"key": "views", "kind": "mean", "event": "view", "aggregation": "count"},
    {"key": "searches", "kind": "proportion", "event": "search"},
    {"key": "carts", "kind": "proportion", "event": "cart"},
    {"key": "spend", "kind": "mean", "event": "purchase"},
    {"key": "refunds", "kind": "mean", "event": "refund"},
)
QUESTION = Question(
    experiment="e0",
    unit_type="user_id",
    variants=["old", "new"],
    metrics=[MetricDraft.model_validate(each) for each in METRICS],
    since=START,
    until=2**62,
    horizon=START + 28 * DAY,
    back=14 * DAY,
    aged=frozenset({"views"}),
)
PLAN = Plan(
    experiment="e0",
    control="old",
    weights={"old": 1.0, "new": 1.0},
    metrics=tuple(
        PlannedMetric(
            key=each["key"],
            role=Role.SECONDARY,
            direction=Direction.INCREASE,
            kind=each["kind"],
            covariates=(f"{each['key']}_before", "seen_before"),
        )
        for each in METRICS
    ),
    phase=1,
    confidence=0.95,
    inference="fixed",
    correction=Correction.HOLM,
)

Found = TypeVar("Found")


def readout(connection: duckdb.DuckDBPyConnection, question: Question = QUESTION) -> float:
    """A full readout; its primary figure, so that two ways can be compared."""
    return readouts(connection, [question])


def readouts(connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> float:
    """Full readouts over one log."""
    for question, rows in zip(questions, answer_all(connection, questions), strict=True):
        observation = read_rows(question, rows)
        read(replace(PLAN, experiment=question.experiment), observation, version="1")
    return observation.moments["spend"]["new"].value


def general(connection: duckdb.DuckDBPyConnection) -> float:
    """The same by the statement alone, as every other engine runs it."""
    observation = read_rows(QUESTION, connection.execute(text_of(QUESTION)).fetchall())
    read(PLAN, observation, version="1")
    return observation.moments["spend"]["new"].value


def bincount(units: Arrays, events: Arrays) -> float:
    """The same means, variances and covariances by numpy, over arrays that are in memory already."""
    size = len(units["first"])
    age = events["moment"] - units["first"][events["unit"]]
    after, before = age >= 0, (age < 0) & (age >= -14 * DAY)
    seen = np.minimum(np.bincount(events["unit"][before], minlength=size), 1.0)
    mean = 0.0
    for place, metric in enumerate(METRICS):
        named = events["kind"] == place
        values = [per_unit(metric, events, named & when, size) for when in (after, before)]
        for arm in (0, 1):
            here = units["arm"] == arm
            np.cov(np.stack([values[0][here], values[1][here], seen[here]]))
            if metric["key"] == "spend":
                mean = float(values[0][here].mean())
    return mean


def per_unit(metric: dict[str, Any], events: Arrays, chosen: NDArray[np.bool_], size: int) -> NDArray[Any]:
    """Each unit's value of a metric."""
    by_value = metric["kind"] == "mean" and metric.get("aggregation") is None
    weights = events["value"][chosen] if by_value else None
    values = np.bincount(events["unit"][chosen], weights, minlength=size).astype(np.float64)
    return np.minimum(values, 1) if metric["kind"] == "proportion" else values


def parts(path: Path) -> None:
    """What a readout's time is spent on."""
    found: dict[str, float] = {}
    with columns.opened(path) as connection:

        def note(name: str, run: Callable[[], Found]) -> Found:
            began = time.process_time()
            done = run()
            found[name] = found.get(name, 0.0) + time.process_time() - began
            return done

        readout(connection)
        asked = note("units", lambda: PlainQuestion(connection, QUESTION, 0))
        scan = Scan([QUESTION])
        chunks = scan.chunks(connection, np.flatnonzero(asked.members.counted))
        while (chunk := note("scan", lambda: next(chunks, None))) is not None:
            tally = note("add", partial(Tally.of, scan.wanted[0], chunk, asked.members))
            part = note("add", partial(asked.see, tally))
            note("add", partial(asked.add, part))
        with ThreadPoolExecutor(1) as pool:
            rows = note("sum", lambda: [*Summing(asked.sheet).summed(pool).rows])
        rows += note("checks", lambda: asked.ask(about_units(QUESTION)))
        observation = note("read", lambda: read_rows(QUESTION, rows))
        note("read", lambda: read(PLAN, observation, version="1"))
    print(json.dumps(found))


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Let nothing stand, so that the next readout is of all the log."""
    connection.execute("DELETE FROM standing")


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of the processor."""
    began, worked = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - began, time.process_time() - worked


def middle(turns: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(each[0] for each in turns), statistics.median(each[1] for each in turns)


def build(path: Path, events: int, experiments: int) -> None:
    units = make_units(events // 10)
    with columns.opened(path) as connection:
        connection.execute("SET memory_limit = '6GB'")
        seconds, _ = timed(lambda: load(connection, events, units, experiments))
    size = path.stat().st_size / 1e6
    print(f"built {events:,} events, {experiments} experiments: {seconds:.0f} s, {size:.0f} MB", flush=True)


def ask(path: Path, turns: int, run: Callable[[duckdb.DuckDBPyConnection], float]) -> None:
    """Readouts in a process of its own, so that the memory is its own."""
    with columns.opened(path) as connection:
        times = []
        for _ in range(turns):
            forget(connection)
            times.append(timed(lambda: run(connection)))
        seconds, worked = middle(times)
    print(json.dumps({"clock": seconds, "cpu": worked, "peak": peak_megabytes()}))


def ask_all(path: Path, experiments: int) -> None:
    """Readouts of several experiments over the same log."""
    asked = [replace(QUESTION, experiment=f"e{place}") for place in range(experiments)]
    with columns.opened(path) as connection:
        forget(connection)
        seconds, worked = timed(lambda: readouts(connection, asked))
    print(json.dumps({"clock": seconds, "cpu": worked, "peak": peak_megabytes()}))


def count_in_memory(events: int, turns: int) -> None:
    units = make_units(events // 10)
    parts = [
        make_events(min(PIECE, events - start), units, seed + 2)
        for seed, start in enumerate(range(0, events, PIECE))
    ]
    whole = {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}
    del parts
    seconds, worked = middle([timed(lambda: bincount(units, whole)) for _ in range(turns)])
    print(json.dumps({"clock": seconds, "cpu": worked, "mean": bincount(units, whole)}))


def grow(path: Path, events: int, turns: int) -> None:
    """Readouts of a log that grows: of all of it, with nothing new, and with one new event in a hundred.

    The new events are of any units and any times, late ones too. An hour passes each time.
    """
    units, size = make_units(events // 10), events // 100
    times: dict[str, list[tuple[float, float]]] = {"whole": [], "still": [], "grown": []}
    with columns.opened(path) as connection:

        def note(name: str, hours: int) -> None:
            asked = replace(QUESTION, horizon=QUESTION.horizon + hours * HOUR)
            times[name].append(timed(lambda: readout(connection, asked)))

        for turn in range(turns):
            forget(connection)
            note("whole", 3 * turn)
            note("still", 3 * turn + 1)
            add(connection, make_events(size, units, 99 + turn), events + turn * size)
            note("grown", 3 * turn + 2)
    found = {name: middle(each) for name, each in times.items()}
    print(
        json.dumps(
            {
                f"{name} {which}": each
                for name, pair in found.items()
                for which, each in zip(("clock", "cpu"), pair, strict=True)
            }
        )
    )


def part(name: str, path: Path, chosen: argparse.Namespace, **changes: int) -> dict[str, float]:
    """One part in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.observe_speed", "--only", name, "--path", str(path)]
    for option in ("events", "turns", "experiments"):
        command += [f"--{option}", str(changes.get(option, getattr(chosen, option)))]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    if name == "build":
        print(run.stdout, end="", flush=True)
        return {}
    found: dict[str, float] = json.loads(run.stdout)
    print(f"{name:10} " + ", ".join(f"{key} {value:,.2f}" for key, value in found.items()), flush=True)
    return found


def compare(path: Path, chosen: argparse.Namespace) -> None:
    """The parts over one log."""
    part("build", path, chosen)
    ours, numpy = part("ask", path, chosen), part("numpy", path, chosen)
    print(f"readout / numpy: {ours['clock'] / numpy['clock']:.2f} (cpu {ours['cpu'] / numpy['cpu']:.2f})")
    part("parts", path, chosen)
    part("general", path, chosen)
    several = part("all", path, chosen)
    print(f"{chosen.experiments} experiments cost {several['cpu'] / ours['cpu']:.1f} single ones")
    part("grow", path, chosen)
    if chosen.larger:
        larger = path.with_name("larger.duckdb")
        part("build", larger, chosen, events=chosen.larger, experiments=1)
        more = part("ask", larger, chosen, events=chosen.larger, turns=3)
        larger.unlink()
        clock, cpu = (more[which] / ours[which] for which in ("clock", "cpu"))
        print(f"{chosen.larger / chosen.events:.0f} times the events: clock {clock:.1f} times, cpu {cpu:.1f}")
    if chosen.tea:
        compare_tea(path.with_name("tea") / "columns.duckdb", chosen, ours)


def compare_tea(path: Path, chosen: argparse.Namespace, ours: dict[str, float]) -> None:
    """Over what a log of one experiment is as Parquet."""
    part("build", path, chosen, experiments=1)
    for kind in ("export", "numbers"):
        tea.write_files(path, kind)
        found = tea.measure(chosen.tea, path.parent, chosen.turns, kind)
        print(
            f"tea-tasting over {kind}: "
            f"clock {found['clock']:.2f}, cpu {found['cpu']:.2f}, mean {found['mean']:.6f}"
        )
        print(
            f"tea / readout: {found['clock'] / ours['clock']:.2f} (cpu {found['cpu'] / ours['cpu']:.2f})",
            flush=True,
        )


def main() -> None:
    """Run everything, or one part in this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--larger", type=int, default=0, help="events of another log to be read beside it")
    parser.add_argument("--experiments", type=int, default=20)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--tea", help="an interpreter with tea-tasting")
    parser.add_argument("--only", choices=["build", "ask", "general", "parts", "all", "numpy", "grow"])
    parser.add_argument("--path", type=Path)
    chosen = parser.parse_args()
    if chosen.only:
        {
            "build": lambda: build(chosen.path, chosen.events, chosen.experiments),
            "ask": lambda: ask(chosen.path, chosen.turns, readout),
            "general": lambda: ask(chosen.path, 1, general),
            "parts": lambda: parts(chosen.path),
            "all": lambda: ask_all(chosen.path, chosen.experiments),
            "numpy": lambda: count_in_memory(chosen.events, chosen.turns),
            "grow": lambda: grow(chosen.path, chosen.events, chosen.turns),
        }[chosen.only]()
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder) / "columns.duckdb", chosen)


if __name__ == "__main__":
    main()
