"""Interruptions: experiments whose readouts cannot be refreshed, since when, and why.

The last readout stays where it is; whoever looks at it is told that it is not fresh any more.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from experiments.errors import EvenhandError, Unavailable
from experiments.store import Store
from experiments.store.outcomes import InterruptionRow

LONGEST = 2_000
"""Characters of a reason that are kept."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """Why a readout is not refreshed.

    Attributes
    ----------
    since
        When it went wrong first.
    tried_at
        When it went wrong last.
    """

    since: datetime
    tried_at: datetime
    reason: str

    def to_json(self) -> Mapping[str, str]:
        """For programs."""
        return {
            "since": self.since.isoformat(),
            "tried_at": self.tried_at.isoformat(),
            "reason": self.reason,
        }


@contextmanager
def noted(*, store: Store, keys: Sequence[str], now: datetime) -> Iterator[None]:
    """Note what keeps experiments from being analysed, and let it pass on."""
    try:
        yield
    except EvenhandError as problem:
        with (
            suppress(Unavailable),
            store.write() as session,
        ):  # without the ledger there is nowhere to note it
            for key in dict.fromkeys(keys):
                note(session=session, key=key, reason=str(problem), now=now)
        raise


def note(*, session: Session, key: str, reason: str, now: datetime) -> None:
    """Note that an experiment could not be analysed."""
    row = session.exec(select(InterruptionRow).where(InterruptionRow.experiment == key)).first()
    if row is None:
        row = InterruptionRow(experiment=key, since=now, tried_at=now, reason="")
    row.tried_at = now
    row.reason = reason[:LONGEST]
    session.add(row)


def end(*, session: Session, key: str) -> None:
    """An experiment has been analysed."""
    row = session.exec(select(InterruptionRow).where(InterruptionRow.experiment == key)).first()
    if row is not None:
        session.delete(row)


def find_interruption(*, session: Session, key: str) -> Interruption | None:
    """What keeps an experiment from being analysed; None when nothing does."""
    row = session.exec(select(InterruptionRow).where(InterruptionRow.experiment == key)).first()
    return None if row is None else Interruption(row.since, row.tried_at, row.reason)
