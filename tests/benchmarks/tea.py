"""The rival of a readout: tea-tasting over Ibis and DuckDB, in an interpreter that has it."""

import json
import subprocess
from pathlib import Path

from experiments.observe import columns, parquet

TEA = """
import json, sys, time
import ibis, tea_tasting as tt
folder, turns, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
con = ibis.duckdb.connect()
if kind == "export":
    exposure = con.read_parquet(folder + "/exposures/experiment=e0/*/*.parquet")
    exposure = exposure.select(unit="user_id", first="occurred_at", arm="variant")
    event = con.read_parquet(folder + "/events/*/*.parquet")
    event = event.select("event", "value", unit="user_id", moment="occurred_at")
    back, control = ibis.interval(days=14), "old"
else:
    exposure = con.read_parquet(folder + "/exposure.parquet")
    event = con.read_parquet(folder + "/event.parquet")
    back, control = 14 * 86_400_000, 0
joined = event.join(exposure, "unit")
after = joined.moment >= joined.first
before = (joined.moment < joined.first) & (joined.moment >= joined.first - back)
def total(when, name, by_value):
    here = when & (joined.event == name)
    return ibis.cases((here, joined.value if by_value else 1.0), else_=0.0).sum()
NAMES = {"views": "view", "searches": "search", "carts": "cart", "spend": "purchase", "refunds": "refund"}
SUMS, SHARES = ("spend", "refunds"), ("searches", "carts")
values = joined.group_by("unit").agg(**{
    key + suffix: total(when, name, key in SUMS)
    for key, name in NAMES.items() for suffix, when in (("", after), ("_before", before))
})
def filled(key):
    value = values[key].fill_null(0)
    return value.clip(upper=1) if key.removesuffix("_before") in SHARES else value
units = exposure.left_join(values, "unit").select(
    variant=exposure.arm,
    **{key + suffix: filled(key + suffix) for key in NAMES for suffix in ("", "_before")},
)
experiment = tt.Experiment({key: tt.Mean(key, key + "_before") for key in NAMES})
times = []
for _ in range(turns):
    began, worked = time.perf_counter(), time.process_time()
    result = experiment.analyze(units, control=control)
    times.append((time.perf_counter() - began, time.process_time() - worked))
clock, cpu = (sorted(each[k] for each in times)[turns // 2] for k in (0, 1))
print(json.dumps({"clock": clock, "cpu": cpu, "mean": result["spend"].treatment}))
"""


TABLES = {
    "event": "SELECT user_id AS unit, event, value, occurred_at AS moment FROM event",
    "exposure": "SELECT user_id AS unit, occurred_at AS first, CAST(variant = 'new' AS INTEGER) AS arm "
    "FROM exposure WHERE experiment = 'e0'",
}


def write_files(path: Path, kind: str) -> None:
    """Write what `evenhand export --parquet` writes, or the copy's own columns with numbers for units."""
    with columns.opened(path) as connection:
        if kind == "export":
            parquet.write(connection, path.parent)
            return
        for name, query in TABLES.items():
            connection.execute(f"COPY ({query}) TO '{path.parent / name}.parquet' (FORMAT parquet)")


def measure(python: str, folder: Path, turns: int, kind: str) -> dict[str, float]:
    """Seconds of the clock and of the processor, and a mean that both must find."""
    command = [python, "-W", "ignore", "-c", TEA, str(folder), str(turns), kind]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr)
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found
