"""The deployment: what every door and page of one process shares."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from flask import current_app

from experiments.errors import Unavailable
from experiments.intake import Intake
from experiments.previews import Signer
from experiments.pseudonyms import Pseudonyms, read_key
from experiments.store import Store, open_store
from experiments.store.schema import upgrade
from experiments.writing import LedgerWriter
from web.exposures import ExposureLog
from web.mirror import Mirror
from web.previews import PreviewDesk
from web.reporting.shelf import Shelf
from web.settings import Settings, secret_key_of
from web.tally import Tally

VERSION = version("evenhand")

_log = logging.getLogger(__name__)


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
    tally: Tally
    previews: PreviewDesk
    now: Callable[[], datetime] = clock
    pseudonyms: Pseudonyms | None = None
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def intake(self) -> Intake:
        """What is in force for records that come in."""
        return self.mirror.reflection.intake(self.pseudonyms)

    def close(self) -> None:
        """Write what was handed over and let go of everything."""
        self.mirror.close()
        self.previews.note()
        self.writer.close()
        self.store.close()


def open_deployment(settings: Settings, *, now: Callable[[], datetime] = clock) -> Deployment:
    """Open what the settings name; on the embedded database the schema is brought up to date."""
    pseudonyms = read_key(settings.pseudonym_key.get_secret_value())
    store = open_store(settings.ledger_url)
    if settings.embedded:
        _upgrade(store)
    writer = LedgerWriter(store)
    mirror = Mirror(store, settings.kept_path, now)
    tally = Tally()
    exposures = ExposureLog(writer, now, tally, lambda: mirror.reflection.intake(pseudonyms))
    previews = PreviewDesk(Signer.from_secret(secret_key_of(settings)), store, now)
    mirror.after_looks.append(previews.note)
    return Deployment(settings, store, mirror, writer, exposures, tally, previews, now, pseudonyms)


def _upgrade(store: Store) -> None:
    """Bring the schema up to date; without the database, assignment goes on from what was kept on disk."""
    try:
        upgrade(store)
    except Unavailable as problem:
        _log.error("starting without the database: %s", problem)


def current() -> Deployment:
    """The deployment that serves the present request."""
    deployment: Deployment = current_app.extensions["evenhand"]
    return deployment
