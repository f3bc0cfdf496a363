"""Floors: the moments before which the ledger has forgotten, and takes nothing in again.

Rows that were deleted for their age took their message ids with them. So that a replay cannot count twice,
whatever is older than its floor on arrival is ignored. A floor never goes down.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlmodel import Session, select

from experiments.store.driver import ask
from experiments.store.tables import FloorRow

EXPOSURES = "Experiment Viewed"
"""The event name under which exposures arrive, and under which their floor is kept."""

IDENTITIES = "identify"
"""The event name under which the floor of who is who is kept: that of the events that say it."""

ALL_OTHERS = ""
"""The floor of every event that has none of its own."""

NEVER = -(2**62)

_FLOORS = "SELECT event, moment FROM floor"


@dataclass(frozen=True, slots=True)
class Floors:
    """Milliseconds by event name."""

    by_event: Mapping[str, int]

    def of_event(self, name: str) -> int:
        """The floor of an event."""
        return self.by_event.get(name, self.by_event.get(ALL_OTHERS, NEVER))

    @property
    def of_exposures(self) -> int:
        """The floor of exposures."""
        return self.of_event(EXPOSURES)

    @property
    def of_identities(self) -> int:
        """The floor of who is who."""
        return self.of_event(IDENTITIES)

    def highest(self, names: Collection[str]) -> int:
        """The highest floor of some events."""
        return max(map(self.of_event, names), default=NEVER)


def known_floors(*, session: Session, read: Mapping[str, int] | None = None) -> Floors:
    """The floors as they stand in the session's transaction; asked for once in each.

    Parameters
    ----------
    read
        What the table holds, where the caller has just read it.
    """
    known: Floors | None = session.info.get("floors")
    if known is None:
        known = Floors(dict(ask(session.connection(), _FLOORS)) if read is None else read)
        session.info["floors"] = known
    return known


def raised(*, session: Session, to: Mapping[str, int]) -> Floors:
    """The floors after raising some; those that are higher already stay."""
    before = known_floors(session=session)
    higher = {name: max(moment, before.of_event(name)) for name, moment in to.items()}
    others = {
        name: max(moment, to.get(ALL_OTHERS, NEVER)) if name != EXPOSURES else moment
        for name, moment in before.by_event.items()
    }
    return Floors(others | higher)


def raise_floors(*, session: Session, to: Mapping[str, int]) -> Floors:
    """Raise floors, for good."""
    known = raised(session=session, to=to)
    rows = {row.event: row for row in session.exec(select(FloorRow))}
    for name, moment in known.by_event.items():
        row = rows.get(name) or FloorRow(event=name, moment=moment)
        row.moment = moment
        session.add(row)
    session.info["floors"] = known
    return known
