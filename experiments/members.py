"""Members: the people of the project, what each of them may do, and the end of it.

There is always an admin: the last one can be neither changed nor removed. Somebody who is removed is signed
out everywhere and their tokens are revoked in the same transaction; their name stays in the audit log.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, delete, select

from experiments import audit
from experiments.errors import NotAllowed, NotFound
from experiments.people import Person, create_link
from experiments.roles import GRANTS, Caller, Role
from experiments.store.administration import AdminTokenRow
from experiments.store.tables import PersonRow, SessionRow, SignInLinkRow


@dataclass(frozen=True, slots=True)
class Member:
    """A person, as the list shows them."""

    id: int
    name: str
    role: Role
    created_at: datetime
    sessions: int


def list_members(*, session: Session, now: datetime) -> list[Member]:
    """Everybody who may sign in, by name, with the number of browsers in which they are."""
    counted = dict(
        session.exec(
            select(SessionRow.person_id, func.count())
            .where(col(SessionRow.expires_at) > now)
            .group_by(col(SessionRow.person_id))
        ).all()
    )
    rows = session.exec(select(PersonRow).where(col(PersonRow.removed_at).is_(None)).order_by(PersonRow.name))
    return [
        Member(row.id or 0, row.name, Role(row.role), row.created_at, counted.get(row.id or 0, 0))
        for row in rows
    ]


def find_person(*, session: Session, name: str) -> Person:
    """Look somebody up by name.

    Raises
    ------
    NotFound
        If nobody of that name may sign in.
    """
    row = session.exec(select(PersonRow).where(PersonRow.name == name)).first()
    if row is None or row.removed_at is not None:
        raise NotFound(f"there is no person {name!r}")
    return Person(row.id or 0, row.name, Role(row.role), row.language)


def person_with(*, session: Session, id: int) -> Person:  # noqa: A002 - its name
    """Look somebody up by number.

    Raises
    ------
    NotFound
        If nobody of that number may sign in.
    """
    row = _present(session, id)
    return Person(row.id or 0, row.name, Role(row.role), row.language)


def invite(*, session: Session, name: str, by: Caller, now: datetime, role: Role | None = None) -> str:
    """Make a sign-in link for somebody new, or a further one for somebody known.

    Raises
    ------
    NotPermitted
        If the link would open more than the caller holds.
    NotAllowed
        If it would change the role of somebody who is there already: that is `change_role`.
    """
    known = session.exec(select(PersonRow).where(PersonRow.name == name)).first()
    if known is not None and known.removed_at is None:
        if role is not None and role != known.role:
            raise NotAllowed(f"{name} is here already, as {known.role}; change the role instead")
        role = Role(known.role)
    role = role or Role.EDITOR
    by.require_grantable(GRANTS[role])
    return create_link(session=session, name=name, actor=by.name, now=now, role=role)


def change_role(*, session: Session, id: int, role: Role, by: Caller, now: datetime) -> Person:  # noqa: A002 - its name
    """Let somebody do more, or less.

    Raises
    ------
    NotAllowed
        If they are the last admin.
    """
    row = _present(session, id)
    by.require_grantable(GRANTS[role] | GRANTS[Role(row.role)])
    if row.role != role:
        _require_another_admin(session, row)
        before, row.role = row.role, role
        session.add(row)
        _record(session, row, by, "role", now, before, role)
    return Person(row.id or 0, row.name, Role(row.role), row.language)


def remove(*, session: Session, id: int, by: Caller, now: datetime) -> None:  # noqa: A002 - as above
    """Let somebody in no more.

    Raises
    ------
    NotAllowed
        If they are the last admin.
    """
    row = _present(session, id)
    by.require_grantable(GRANTS[Role(row.role)])
    _require_another_admin(session, row)
    row.removed_at = now
    session.add(row)
    for token in session.exec(
        select(AdminTokenRow).where(AdminTokenRow.person_id == id, col(AdminTokenRow.revoked_at).is_(None))
    ):
        token.revoked_at = now
        session.add(token)
    _end_sessions(session, id)
    _record(session, row, by, "remove", now)


def sign_out_everywhere(*, session: Session, id: int, by: Caller, now: datetime) -> int:  # noqa: A002 - as above
    """End all sessions of somebody, and the links that wait for them; say how many sessions that were."""
    row = _present(session, id)
    ended = _end_sessions(session, id)
    _record(session, row, by, "sign_out", now)
    return ended


def choose_language(*, session: Session, id: int, language: str | None) -> None:  # noqa: A002 - as above
    """Remember what somebody wants to read."""
    row = _present(session, id)
    row.language = language
    session.add(row)


def _present(session: Session, id: int) -> PersonRow:  # noqa: A002 - as above
    row = session.get(PersonRow, id) if 0 < id < 2**63 else None
    if row is None or row.removed_at is not None:
        raise NotFound(f"there is no person {id}")
    return row


def _require_another_admin(session: Session, row: PersonRow) -> None:
    admins = select(PersonRow.id).where(PersonRow.role == Role.ADMIN, col(PersonRow.removed_at).is_(None))
    if row.role == Role.ADMIN and list(session.exec(admins)) == [row.id]:
        raise NotAllowed(f"{row.name} is the only admin; make somebody else one first")


def _end_sessions(session: Session, person: int) -> int:
    session.exec(delete(SignInLinkRow).where(col(SignInLinkRow.person_id) == person))
    return session.exec(delete(SessionRow).where(col(SessionRow.person_id) == person)).rowcount


def _record(
    session: Session,
    row: PersonRow,
    by: Caller,
    action: str,
    now: datetime,
    before: str | None = None,
    after: str | None = None,
) -> None:
    told = f"person:{row.name}"
    audit.record(
        session=session, actor=by.name, action=action, object=told, before=before, after=after, now=now
    )
    session.flush()
