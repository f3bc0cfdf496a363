"""A PostgreSQL that crashes in mid-load."""

import time
import urllib.request
from pathlib import Path

from sqlmodel import select

from experiments.store import open_store
from experiments.store.tables import EventRow
from tests.faults.killing import Delivery, under_load
from tests.postgres import Cluster
from tests.served import set_up


def crashes(folder: Path, postgres: Cluster, rounds: int) -> tuple[Delivery, list[str]]:
    """Restart the server without letting it finish anything, under load.

    Returns
    -------
    tuple[Delivery, list[str]]
        What was acknowledged, and the message ids that are stored.
    """
    url = postgres.create(f"crashing{time.monotonic_ns()}")
    with set_up(folder, workers=2, environment={"EVENHAND_DATABASE_URL": url}) as instance:

        def disturb(_: Delivery) -> None:
            for _round in range(rounds):
                time.sleep(1.0)
                postgres.control("restart", "-m", "immediate")
                urllib.request.urlopen(f"{instance.url}/livez", timeout=5).close()
            time.sleep(1.0)

        delivery = under_load(instance, disturb)
    store = open_store(url)
    with store.read() as session:
        ids = list(session.exec(select(EventRow.message_id)))
    store.close()
    return delivery, ids
