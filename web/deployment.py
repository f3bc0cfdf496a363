"""The deployment: what every door and page of one process shares."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from flask import current_app

from experiments.store import Store, open_store
from experiments.store.schema import upgrade
from experiments.writing import LedgerWriter
from web.exposures import ExposureLog
from web.mirror import Mirror
from web.settings import Settings

VERSION = version("evenhand")


def clock() -> datetime:
    """The present moment, in UTC. The only place that asks."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deployment:
    """One process's share of the product."""

    settings: Settings
    store: Store
    mirror: Mirror
    writer: LedgerWriter
    exposures: ExposureLog
    now: Callable[[], datetime] = clock

    def close(self) -> None:
        """Write what was handed over and let go of everything."""
        self.mirror.close()
        self.writer.close()
        self.store.close()


def open_deployment(settings: Settings, *, now: Callable[[], datetime] = clock) -> Deployment:
    """Open what the settings name; on the embedded database the schema is brought up to date."""
    store = open_store(settings.ledger_url)
    if settings.embedded:
        upgrade(store)
    writer = LedgerWriter(store)
    return Deployment(settings, store, Mirror(store), writer, ExposureLog(writer), now)


def current() -> Deployment:
    """The deployment that serves the present request."""
    deployment: Deployment = current_app.extensions["evenhand"]
    return deployment
