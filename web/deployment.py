"""The deployment: what every door and page of one process shares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from flask import current_app

from experiments.store import Store, open_store
from web.settings import Settings

VERSION = version("evenhand")


@dataclass(frozen=True)
class Deployment:
    """One process's share of the product."""

    settings: Settings
    store: Store
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


def open_deployment(settings: Settings) -> Deployment:
    """Open what the settings name."""
    return Deployment(settings, open_store(settings.ledger_url))


def current() -> Deployment:
    """The deployment that serves the present request."""
    deployment: Deployment = current_app.extensions["evenhand"]
    return deployment
