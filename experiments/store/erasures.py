"""Erasures: what the ledger holds of a person, how it is taken out, and how it is kept from coming back.

Rows that were deleted took their message ids with them. So that a replay cannot bring them back, the ledger
remembers a digest of each erased id and the moment: whatever such a unit did before it is ignored on arrival,
as with the floors. What a unit does afterwards is new.

A row belongs to its user id; one without a user id belongs to its anonymous id. The same text may be an id of
either kind, so a digest is of both.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, or_, select, text, update
from sqlmodel import Session

from experiments.store.tables import ErasureRow, EventRow, ExposureRow, IdentityRow, RejectionRow
from experiments.store.tallies import Edge

PIECE = 5_000
"""Rows that one transaction deletes: it holds the lock for a fraction of a second."""

_EVENT: Table = EventRow.__table__  # type: ignore[attr-defined]  # SQLModel's tables have it
_EXPOSURE: Table = ExposureRow.__table__  # type: ignore[attr-defined]  # the same
_IDENTITY: Table = IdentityRow.__table__  # type: ignore[attr-defined]  # the same
_REJECTION: Table = RejectionRow.__table__  # type: ignore[attr-defined]  # the same
_ERASURE: Table = ErasureRow.__table__  # type: ignore[attr-defined]  # the same

LEDGER: Mapping[str, Table] = {"exposures": _EXPOSURE, "events": _EVENT}


@dataclass(frozen=True, slots=True)
class Person:
    """All ids of one person."""

    users: frozenset[str]
    anonymous: frozenset[str]

    @property
    def digests(self) -> list[str]:
        """What is remembered of the ids."""
        users = [digest_of("user_id", each) for each in sorted(self.users)]
        return users + [digest_of("anonymous_id", each) for each in sorted(self.anonymous)]


@dataclass(frozen=True, slots=True)
class Rows:
    """Row ids of one table: those of a person, and those of others that name an id of theirs beside."""

    own: Sequence[int] = ()
    beside: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.own) + len(self.beside)

    def pieces(self) -> Iterator["Rows"]:
        """The same in pieces, each for a transaction of its own."""
        for start in range(0, len(self.own), PIECE):
            yield Rows(own=self.own[start : start + PIECE])
        for start in range(0, len(self.beside), PIECE):
            yield Rows(beside=self.beside[start : start + PIECE])


@dataclass(frozen=True, slots=True)
class Erasures:
    """Moments by digest, in milliseconds since 1970."""

    by_digest: Mapping[str, int]

    def cover(self, user: str | None, anonymous: str | None, moment: int) -> bool:
        """Whether a row of this unit and moment was, or would have been, erased."""
        kind, unit = ("user_id", user) if user is not None else ("anonymous_id", anonymous)
        return unit is not None and moment < self.by_digest.get(digest_of(kind, unit), moment)

    def cover_edge(self, edge: Edge) -> bool:
        """The same for who is who."""
        either = ((edge.user_id, None), (None, edge.anonymous_id))
        return any(self.cover(user, anonymous, edge.first_seen) for user, anonymous in either)


def digest_of(kind: str, unit: str) -> str:
    """What is remembered of an id."""
    said = f"{kind}\0{unit}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(said, digest_size=16, person=b"evenhand erased").hexdigest()


def known_erasures(connection: Connection, *, newest: int) -> Erasures:
    """The erasures as they stand, up to the newest; a connection asks only when it has not seen that one."""
    reached, known = connection.info.get("erasures", (0, Erasures({})))
    if newest != reached:
        query = select(_ERASURE.c.digest, _ERASURE.c.moment).order_by(_ERASURE.c.id)
        known = Erasures({row.digest: row.moment for row in connection.execute(query)})
        connection.info["erasures"] = (newest, known)
    found: Erasures = known
    return found


def newest_erasure(connection: Connection) -> int:
    """The number of the newest erasure that took rows out; 0 before the first."""
    return connection.execute(select(func.max(_ERASURE.c.id)).where(_ERASURE.c.removed > 0)).scalar() or 0


def remember(*, session: Session, person: Person, moment: int, removed: int) -> None:
    """Ignore what this person did before the moment, from this transaction on."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        # Whoever is writing now has not seen it: wait for them, and let them wait for us.
        connection.execute(text("LOCK TABLE erasure, exposure, event, identity IN SHARE ROW EXCLUSIVE MODE"))
    session.add_all(ErasureRow(digest=digest, moment=moment, removed=removed) for digest in person.digests)
    session.flush()


def users_of(*, session: Session, anonymous: Collection[str]) -> set[str]:
    """The user ids that were seen with an anonymous id."""
    return _beside(session, "user_id", "anonymous_id", anonymous)


def anonymous_of(*, session: Session, users: Collection[str]) -> set[str]:
    """The anonymous ids that were seen with a user id."""
    return _beside(session, "anonymous_id", "user_id", users)


def rows_of(*, session: Session, person: Person) -> dict[str, Rows]:
    """Find a person's rows in the ledger, by the name of what they are."""
    return {name: _rows(session.connection(), table, person) for name, table in LEDGER.items()}


def take_out(*, session: Session, name: str, rows: Rows) -> None:
    """Delete rows of the ledger, and take the anonymous id out of others."""
    table, connection = LEDGER[name], session.connection()
    _overwrite(connection)
    connection.execute(delete(table).where(table.c.id.in_(rows.own)))
    connection.execute(update(table).where(table.c.id.in_(rows.beside)).values(anonymous_id=None))


def identities_of(*, session: Session, person: Person) -> int:
    """How many lines say who the person is."""
    query = select(func.count()).select_from(_IDENTITY).where(_any_id(_IDENTITY, person))
    return session.connection().execute(query).scalar_one()


def rejections_of(*, session: Session, person: Person) -> list[int]:
    """Numbers of the latest rejected messages that name an id of the person. They are few."""
    units = person.users | person.anonymous
    rows = session.connection().execute(select(_REJECTION)).all()
    return [row.id for row in rows if _names(units, row.message_id or "", row.detail, row.event)]


def forget_identities(*, session: Session, person: Person) -> int:
    """Delete who is who; say how many."""
    _overwrite(session.connection())
    return session.connection().execute(delete(_IDENTITY).where(_any_id(_IDENTITY, person))).rowcount


def forget_rejections(*, session: Session, person: Person) -> int:
    """Delete the latest rejected messages that name an id; say how many."""
    connection, naming = session.connection(), rejections_of(session=session, person=person)
    _overwrite(connection)
    return connection.execute(delete(_REJECTION).where(_REJECTION.c.id.in_(naming))).rowcount


def _overwrite(connection: Connection) -> None:
    """Let SQLite overwrite what it deletes; it would leave the bytes in the file."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def _rows(connection: Connection, table: Table, person: Person) -> Rows:
    own: list[int] = []
    beside: list[int] = []
    for row, user in connection.execute(select(table.c.id, table.c.user_id).where(_any_id(table, person))):
        (own if user is None or user in person.users else beside).append(row)
    return Rows(own, beside)


def _any_id(table: Table, person: Person) -> ColumnElement[bool]:
    return or_(table.c.user_id.in_(person.users), table.c.anonymous_id.in_(person.anonymous))


def _beside(session: Session, wanted: str, known: str, units: Collection[str]) -> set[str]:
    found: set[str] = set()
    for table in (_IDENTITY, _EVENT, _EXPOSURE):
        given = and_(table.c[known].in_(units), table.c[wanted].is_not(None))
        found.update(session.connection().execute(select(table.c[wanted]).where(given).distinct()).scalars())
    return found


def _names(units: Iterable[str], *texts: str) -> bool:
    return any(unit in said for unit in units for said in texts)


def kept_rows(known: Erasures, fields: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Sequence[Any]:
    """Rows of the ledger, without what was erased; ``fields`` names their places."""
    user, anonymous, moment = (fields.index(name) for name in ("user_id", "anonymous_id", "occurred_at"))
    return [row for row in rows if not known.cover(row[user], row[anonymous], row[moment])]
