"""Erasure: taking a person's rows out of the ledger, and keeping them out.

A person is all ids that the ledger has seen together: a user id, and the anonymous ids that came with it in
an event, an exposure or an identify call. Their rows, identities and rejected messages are deleted, the
columnar copy is made again without them, and whatever of them arrives late is ignored. Readouts stay: they
hold sums and no units. The audit log names the person by a digest alone.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from experiments import audit
from experiments.catalog import list_experiments
from experiments.errors import InvalidInput
from experiments.observe import columns as copy
from experiments.pseudonyms import Pseudonyms
from experiments.storable import unstorable
from experiments.store import Store, erasures
from experiments.store.erasures import Person, Rows
from experiments.store.instants import to_millis

KINDS = ("user_id", "anonymous_id")
LONGEST = 512


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out.

    Attributes
    ----------
    digest
        What the audit log calls the person.
    users, anonymous
        How many ids the person had.
    detached
        Rows of other people that named an anonymous id of this person; they stay without it.
    overrides
        Experiments that place an id of this person by hand: definitions are for people to change.
    """

    digest: str
    users: int
    anonymous: int
    exposures: int
    events: int
    identities: int
    rejections: int
    detached: int
    overrides: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether nothing was stored about the person."""
        return not (self.exposures or self.events or self.identities or self.rejections or self.detached)


def count(*, store: Store, unit: str, kind: str, pseudonyms: Pseudonyms | None = None) -> Removed:
    """Say what erasing a person would take out, and leave everything as it is.

    Raises
    ------
    InvalidInput
        If this cannot be an id, or is an anonymous id that several people used.
    """
    stored = _stored(unit, kind, pseudonyms)
    with store.read() as session:
        person = _person(session, stored, kind)
        found = erasures.rows_of(session=session, person=person)
        beside = (
            erasures.identities_of(session=session, person=person),
            len(erasures.rejections_of(session=session, person=person)),
        )
        overrides = _overrides(session, frozenset({unit, *person.users, *person.anonymous}))
    return _removed(erasures.digest_of(kind, stored[-1]), person, found, beside, overrides)


def erase(
    *,
    store: Store,
    columns: Path,
    unit: str,
    kind: str,
    actor: str,
    now: datetime,
    pseudonyms: Pseudonyms | None = None,
    progress: Callable[[float], None] = lambda share: None,  # noqa: ARG005 - by default nobody watches
) -> Removed:
    """Take everything out that is stored about a person. Doing it again takes out what is left.

    Parameters
    ----------
    columns
        Where the columnar copy lies.
    unit, kind
        An id of the person as clients send it, and which kind it is: ``user_id`` or ``anonymous_id``.
    pseudonyms
        What ids are stored as, if that is on; rows from before it are found, too.

    Raises
    ------
    InvalidInput
        If this cannot be an id, or is an anonymous id that several people used.
    Unavailable
        If the database or the copy cannot be used; doing it again finishes it.
    """
    stored = _stored(unit, kind, pseudonyms)
    with store.read() as session:
        person = _person(session, stored, kind)
        expected = sum(map(len, erasures.rows_of(session=session, person=person).values()))
        overrides = _overrides(session, frozenset({unit, *person.users, *person.anonymous}))
    with store.write() as session:
        erasures.remember(session=session, person=person, moment=to_millis(now), removed=expected)
        beside = (
            erasures.forget_identities(session=session, person=person),
            erasures.forget_rejections(session=session, person=person),
        )
    with store.read() as session:
        found = erasures.rows_of(session=session, person=person)
    _take_out(store, found, progress)
    removed = _removed(erasures.digest_of(kind, stored[-1]), person, found, beside, overrides)
    with store.write() as session:
        _record(session, removed, actor, now)
    store.checkpoint()
    if any(map(len, found.values())):
        copy.discard(columns)
    return removed


def _removed(
    digest: str,
    person: Person,
    found: Mapping[str, Rows],
    beside: tuple[int, int],
    overrides: tuple[str, ...],
) -> Removed:
    identities, rejections = beside
    return Removed(
        digest=digest,
        users=len(person.users),
        anonymous=len(person.anonymous),
        exposures=len(found["exposures"].own),
        events=len(found["events"].own),
        identities=identities,
        rejections=rejections,
        detached=sum(len(rows.beside) for rows in found.values()),
        overrides=overrides,
    )


def _stored(unit: str, kind: str, pseudonyms: Pseudonyms | None) -> tuple[str, ...]:
    """What the id may be stored as; the last one is what it is stored as now."""
    if kind not in KINDS:
        raise InvalidInput.at("kind", f"expected {' or '.join(KINDS)}")
    if not unit or len(unit) > LONGEST or unstorable(unit):
        raise InvalidInput.at("unit", f"expected an id of 1 to {LONGEST} characters")
    return (unit,) if pseudonyms is None else (unit, pseudonyms.name(unit))


def _person(session: Session, stored: tuple[str, ...], kind: str) -> Person:
    users, anonymous = set(stored), set(stored)
    if kind == "anonymous_id":
        users = erasures.users_of(session=session, anonymous=anonymous)
        if len(users) > 1:
            raise InvalidInput.at(
                "unit", f"{len(users)} people used this anonymous id; erase each of them by user id"
            )
    else:
        anonymous = set()
    return Person(
        frozenset(users), frozenset(anonymous | erasures.anonymous_of(session=session, users=users))
    )


def _take_out(store: Store, found: Mapping[str, Rows], progress: Callable[[float], None]) -> None:
    pieces = [(name, piece) for name, rows in found.items() for piece in rows.pieces()]
    for done, (name, piece) in enumerate(pieces, start=1):
        with store.write() as session:
            erasures.take_out(session=session, name=name, rows=piece)
        progress(done / len(pieces))


def _overrides(session: Session, units: frozenset[str]) -> tuple[str, ...]:
    experiments = list_experiments(session=session)
    return tuple(sorted(each.key for each in experiments if units & each.definition.overrides.keys()))


def _record(session: Session, removed: Removed, actor: str, now: datetime) -> None:
    counts = {name: value for name, value in asdict(removed).items() if name not in ("digest", "overrides")}
    audit.record(
        session=session,
        actor=actor,
        action="erase",
        object=f"unit:{removed.digest}",
        after=json.dumps(counts),
        now=now,
    )
