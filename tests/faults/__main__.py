"""The long form of the faults: ``python -m tests.faults --rounds 200``.

Kills workers under load, cuts the power of a disk that loses what was not flushed, and crashes PostgreSQL in
mid-load; prints what was acknowledged and what of it is gone.
"""

import argparse
import tempfile
from pathlib import Path

from tests.faults.crashing import crashes
from tests.faults.killing import killings
from tests.faults.power import power_losses
from tests.postgres import NoPostgres, cluster


def main() -> None:
    """Run all of them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="Workers to kill.")
    parser.add_argument("--power", type=int, default=100, help="Power losses.")
    parser.add_argument("--crashes", type=int, default=10, help="Crashes of PostgreSQL.")
    chosen = parser.parse_args()
    for synchronous in ("FULL", "NORMAL"):
        losses = power_losses(chosen.power, synchronous=synchronous)
        print(
            f"power losses, synchronous={synchronous}: {losses.rounds} rounds, "
            f"{losses.acknowledged} acknowledged, "
            f"{losses.lost} lost in {losses.rounds_with_losses} rounds, {losses.damaged} files damaged",
            flush=True,
        )
    with tempfile.TemporaryDirectory() as name:
        delivery, ids = killings(Path(name), chosen.rounds, workers=4)
    _tell(f"kill -9, {chosen.rounds} workers and one whole server", delivery.ids, delivery.replays, ids)
    try:
        with tempfile.TemporaryDirectory() as name, cluster() as postgres:
            delivery, ids = crashes(Path(name), postgres, chosen.crashes)
    except NoPostgres as reason:
        print(f"PostgreSQL: skipped, {reason}")
    else:
        _tell(f"PostgreSQL, {chosen.crashes} immediate restarts", delivery.ids, delivery.replays, ids)


def _tell(what: str, acknowledged: set[str], replays: int, stored: list[str]) -> None:
    lost, doubled = len(acknowledged - set(stored)), len(stored) - len(set(stored))
    print(
        f"{what}: {len(acknowledged)} acknowledged, {replays} replays, {lost} lost, {doubled} doubled",
        flush=True,
    )


if __name__ == "__main__":
    main()
