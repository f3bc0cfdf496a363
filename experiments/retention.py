"""Retention: raw rows are forgotten when they are older than what people agreed to keep; results stay.

What is forgotten is gone, its message ids included. So that a late replay cannot count twice, the ledger
remembers for each event the moment before which it has forgotten (its floor) and ignores whatever is older
on arrival. The floor is raised before the first row is deleted, so whoever writes at the same time sees it.

Who is who is kept as long as ``identify`` events are, and the latest rejected messages as long as their
event. Exposures are kept as long as an experiment that is still running began before them: without them, its
units could not be told from those who never met it. Readouts that were computed stay as they are; a running
experiment that loses events of its metrics is named, because its next readout will count fewer.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from experiments.catalog import list_experiments
from experiments.errors import InvalidInput
from experiments.fields import length_of
from experiments.lifecycle import Status
from experiments.observe import columns as copy
from experiments.store import Store
from experiments.store.floors import ALL_OTHERS, EXPOSURES, Floors, raise_floors, raised
from experiments.store.forgetting import (
    RANGE,
    count_below,
    delete_below,
    forget_identities,
    forget_rejections,
)
from experiments.store.instants import to_millis
from experiments.store.ledger import position
from experiments.tracking_plans import find_plan


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten, or would be.

    Attributes
    ----------
    counts
        Rows by event name; exposures under the name by which they arrive, ``Experiment Viewed``.
    unfinished
        Running experiments that began before a moment that is now forgotten.
    identities
        How often it was forgotten who is who.
    rejections
        How many of the latest rejected messages were forgotten.
    """

    counts: Mapping[str, int]
    unfinished: tuple[str, ...]
    identities: int = 0
    rejections: int = 0


def planned_limits(*, session: Session) -> dict[str, timedelta]:
    """How long the tracking plan says that events are kept, by name; those of which it says nothing stay."""
    listed = find_plan(session=session).draft.events
    return {each.event: length_of(each.retention) for each in listed if each.retention is not None}


def forget_old(
    *,
    store: Store,
    columns: Path,
    limits: Mapping[str, timedelta],
    default: timedelta | None,
    now: datetime,
    dry_run: bool = False,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Forgotten:
    """Forget raw rows that are older than their retention.

    Parameters
    ----------
    columns
        Where the columnar copy lies; it forgets, too.
    limits
        How long events are kept, by name.
    default
        How long all others are kept, exposures among them; None for ever.
    dry_run
        Change nothing, only count.

    Raises
    ------
    InvalidInput
        If nothing says how long anything is kept, or a length is not positive.
    Unavailable
        If the database or the copy cannot be used; what is left is for the next time.
    """
    lengths = [*limits.values(), *([] if default is None else [default])]
    if not lengths or min(lengths) <= timedelta():
        raise InvalidInput.at("retention", "expected how long to keep rows, such as 400d")
    with store.read() as session:
        starts = _starts(session)
        wanted = _wanted(limits, default, now, starts)
        floors = raised(session=session, to=wanted)
        last = max(position(session=session))
    identities = rejections = 0
    if not dry_run:
        with store.write() as session:
            floors = raise_floors(session=session, to=wanted)
            identities = forget_identities(session=session, floors=floors)
            rejections = forget_rejections(session=session, floors=floors)
    counts = _forget_rows(store, floors, last, progress, dry_run=dry_run)
    if not dry_run:
        with copy.opened(columns) as connection:
            copy.refresh(connection, store)
    return Forgotten(dict(sorted(counts.items())), _unfinished(floors, starts), identities, rejections)


def _forget_rows(
    store: Store, floors: Floors, last: int, progress: Callable[[float], None], *, dry_run: bool
) -> Counter[str]:
    counts: Counter[str] = Counter()
    for after in range(0, last, RANGE):
        if dry_run:
            with store.read() as session:
                counts += count_below(session=session, floors=floors, after=after)
        else:
            with store.write() as session:
                counts += delete_below(session=session, floors=floors, after=after)
        progress(min(1.0, (after + RANGE) / last))
    return counts


def _starts(session: Session) -> dict[str, int]:
    """When the experiments began whose data are still read."""
    running = list_experiments(session=session, status=Status.RUNNING)
    began = {each.key: each.definition.starts or each.started_at for each in running}
    return {key: to_millis(moment) for key, moment in began.items() if moment is not None}


def _wanted(
    limits: Mapping[str, timedelta], default: timedelta | None, now: datetime, starts: Mapping[str, int]
) -> dict[str, int]:
    wanted = {name: to_millis(now - limit) for name, limit in limits.items()}
    if default is not None:
        wanted[ALL_OTHERS] = to_millis(now - default)
        wanted.setdefault(EXPOSURES, wanted[ALL_OTHERS])
    if EXPOSURES in wanted:
        wanted[EXPOSURES] = min(wanted[EXPOSURES], *starts.values(), wanted[EXPOSURES])
    return wanted


def _unfinished(floors: Floors, starts: Mapping[str, int]) -> tuple[str, ...]:
    highest = max(floors.by_event.values(), default=0)
    return tuple(sorted(key for key, start in starts.items() if start < highest))
