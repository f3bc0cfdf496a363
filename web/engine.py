"""The engine that the settings ask for. It is loaded late: it takes longer than a decision."""

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.store import Store
from web.settings import Settings

if TYPE_CHECKING:
    from experiments.observe import Engine


def engine_of(settings: Settings, store: Store) -> "Engine":
    """The engine of a deployment."""
    from experiments.observe import open_engine

    return open_engine(
        name=settings.engine,
        store=store,
        columns=settings.columns_path,
        url=settings.engine_url,
        warehouse=Path(settings.warehouse) if settings.warehouse else None,
    )
