"""Power losses under load: the product's store and writer on a disk that loses what was not flushed."""

import random
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

import sqlalchemy

from experiments.errors import Unavailable
from experiments.store import Store, database, open_store
from experiments.store.schema import upgrade
from experiments.writing import LedgerWriter
from tests.faults.lossy import Driver, LossyDisk
from tests.samples import event

SENDERS = 4
BATCH = 20


@dataclass
class Losses:
    """What rounds of power losses came to."""

    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    rounds_with_losses: int = 0
    damaged: int = 0


def power_losses(rounds: int, *, synchronous: str, seed: int = 1) -> Losses:
    """Cut the power at random moments of a load, and look what is left each time.

    Parameters
    ----------
    synchronous
        ``FULL`` as the product has it, or ``NORMAL`` to see that the disk does lose.
    """
    rng, losses = random.Random(seed), Losses()
    while losses.rounds < rounds:
        with tempfile.TemporaryDirectory() as name:
            _one_load(Path(name), min(10, rounds - losses.rounds), synchronous, rng, losses)
    return losses


def _one_load(folder: Path, cuts: int, synchronous: str, rng: random.Random, losses: Losses) -> None:
    disk = LossyDisk(f"lossy-{rng.getrandbits(64):x}")
    store = _open(folder / "ledger.sqlite3", disk, synchronous)
    upgrade(store)
    writer, leaving = LedgerWriter(store), threading.Event()
    acknowledged: list[str] = []
    senders = [
        threading.Thread(target=_send, args=(writer, place, acknowledged, leaving))
        for place in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    for cut in range(cuts):
        time.sleep(rng.uniform(0.01, 0.08))
        # First what was acknowledged, then what is on the disk: the other order would blame it for nothing.
        promised = set(acknowledged)
        ruins = folder / f"cut-{cut}"
        ruins.mkdir()
        disk.fail(ruins, rng)
        _look(ruins / "ledger.sqlite3", promised, losses)
    leaving.set()
    for sender in senders:
        sender.join()
    writer.close()
    store.close()
    disk.unregister()


def _open(path: Path, disk: LossyDisk, synchronous: str) -> Store:
    made = partial(sqlalchemy.create_engine, module=Driver(disk, synchronous))
    # Few pages to a checkpoint, so that many cuts fall into one.
    with patch.object(database, "create_engine", made), patch.object(database, "CHECKPOINT_PAGES", 20):
        store = open_store(f"sqlite:///{path}")
        store.reader.connect().close()
        store.writer.connect().close()
    return store


def _send(writer: LedgerWriter, place: int, acknowledged: list[str], leaving: threading.Event) -> None:
    number = place * 10_000_000
    while not leaving.is_set():
        batch = [event(number + n) for n in range(BATCH)]
        number += BATCH
        try:
            writer.append(batch)
        except Unavailable:
            continue
        acknowledged.extend(each.message_id for each in batch)


def _look(path: Path, promised: set[str], losses: Losses) -> None:
    losses.rounds += 1
    losses.acknowledged += len(promised)
    with closing(sqlite3.connect(path)) as connection:
        try:
            left = {row[0] for row in connection.execute("SELECT message_id FROM event")}
            sound = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        except sqlite3.DatabaseError:
            left, sound = set(), False
    lost = len(promised - left)
    losses.lost += lost
    losses.rounds_with_losses += lost > 0
    losses.damaged += not sound
