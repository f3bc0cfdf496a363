"""Appended: what stands behind a readout, asked of the engine that the deployment works with."""

from datetime import datetime
from typing import TYPE_CHECKING

from experiments.store import Store
from web.engine import engine_of
from web.settings import Settings

if TYPE_CHECKING:
    from experiments.appendix import Appendix


def find_appendix(*, store: Store, settings: Settings, key: str, now: datetime) -> "Appendix":
    """The statements of an experiment as they were asked at a moment, and what was changed since its start.

    Raises
    ------
    NotFound
        If there is no such experiment.
    Unavailable
        If the engine is away.
    """
    from experiments.appendix import appendix_of  # the statement's builder is loaded late

    engine = engine_of(settings, store)
    with store.read() as session:
        return appendix_of(session=session, engine=engine, key=key, now=now)
