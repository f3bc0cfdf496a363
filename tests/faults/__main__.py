"""The long form of the faults: ``python -m tests.faults --rounds 200``.

Kills workers under load, cuts the power of a disk that loses what was not flushed, and crashes PostgreSQL in
mid-load; prints what was acknowledged and what of it is gone.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.faults.crashing import crashes
from tests.faults.killing import Delivery, killings
from tests.faults.places import MOST, every_place
from tests.faults.power import power_losses
from tests.postgres import NoPostgres, cluster


def main() -> None:
    """Run all of them and print a line for each; of those that are to happen no time, none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="Workers to kill.")
    parser.add_argument("--power", type=int, default=100, help="Power losses.")
    parser.add_argument("--crashes", type=int, default=10, help="Crashes of PostgreSQL.")
    chosen = parser.parse_args()
    began = time.monotonic()
    print(
        f"batches of {MOST} events with a bad one in each place: {every_place()} of {MOST} went wrong, "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )
    for synchronous in ("FULL", "NORMAL") if chosen.power else ():
        began = time.monotonic()
        losses = power_losses(chosen.power, synchronous=synchronous)
        print(
            f"power losses, synchronous={synchronous}: {losses.rounds} rounds, "
            f"{losses.acknowledged} acknowledged, "
            f"{losses.lost} lost in {losses.rounds_with_losses} rounds, {losses.damaged} files damaged, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )
    if chosen.rounds:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as name:
            delivery, ids = killings(Path(name), chosen.rounds, workers=4)
        _tell(f"kill -9, {chosen.rounds} workers and one whole server", delivery, ids, began)
    if chosen.crashes:
        _crash(chosen.crashes)


def _crash(rounds: int) -> None:
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as name, cluster() as postgres:
            delivery, ids = crashes(Path(name), postgres, rounds)
    except NoPostgres as reason:
        print(f"PostgreSQL: skipped, {reason}")
    else:
        _tell(f"PostgreSQL, {rounds} immediate restarts", delivery, ids, began)


def _tell(what: str, delivery: Delivery, stored: list[str], began: float) -> None:
    lost, doubled = len(delivery.ids - set(stored)), len(stored) - len(set(stored))
    print(
        f"{what}: {len(delivery.ids)} acknowledged, {delivery.replays} replays, {lost} lost, "
        f"{doubled} doubled, {time.monotonic() - began:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
