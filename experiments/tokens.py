"""Admin tokens: secrets that let a program manage the project in a person's name, within named scopes.

A token is never wider than its owner: at each use it holds those of its scopes that its owner's role has
then. It is shown once and kept as a hash; it always expires, and it can be revoked before.
"""

import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, ValidationError
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from experiments import audit
from experiments.definition import invalid
from experiments.errors import NotFound, NotSignedIn
from experiments.fields import Draft, Name
from experiments.people import hash_of, require_name
from experiments.roles import GRANTS, Caller, Role, Scope
from experiments.store.administration import AdminTokenRow
from experiments.store.tables import PersonRow

PREFIX = "eh_admin_"
LONGEST = timedelta(days=366)
PRECISION = timedelta(minutes=1)
"""How exactly the last use of a token is known: writing it down at each one would cost more than the use."""


class TokenDraft(Draft):
    """What somebody wants a token for."""

    name: Name = Field(min_length=1)
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=len(Scope))
    days: int = Field(default=90, ge=1, le=LONGEST.days, strict=True)


@dataclass(frozen=True, slots=True)
class AdminToken:
    """A token, without its secret."""

    prefix: str
    owner: str
    owner_id: int
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be used."""
        return self.revoked_at is None and now < self.expires_at


def create_token(*, session: Session, draft: TokenDraft, by: Caller, now: datetime) -> tuple[AdminToken, str]:
    """Make a token for the caller.

    Returns
    -------
    AdminToken, str
        The token, and its secret text: it cannot be shown again.

    Raises
    ------
    NotPermitted
        If it would hold more than the caller does. What a token makes lives no longer than itself.
    """
    require_name(draft.name, "expected 1 to 200 characters that say what the token is for")
    by.require_grantable(draft.scopes)
    prefix = f"{PREFIX}{secrets.token_hex(4)}"
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    scopes = [str(scope) for scope in Scope if scope in draft.scopes]
    row = AdminTokenRow(
        prefix=prefix,
        person_id=by.id,
        name=draft.name,
        scopes=json.dumps(scopes),
        secret_hash=hash_of(secret),
        created_at=now,
        expires_at=min([now + timedelta(days=draft.days), *_end_of(session, by)]),
    )
    session.add(row)
    told = f"token:{prefix}"
    audit.record(
        session=session, actor=by.name, action="create", object=told, after=" ".join(scopes), now=now
    )
    session.flush()
    return _token(row, by.name), secret


def list_tokens(*, session: Session, owner: int | None = None) -> list[AdminToken]:
    """All tokens, or those of one person, the newest first."""
    query = _with_owner().order_by(col(AdminTokenRow.id).desc())
    if owner is not None:
        query = query.where(AdminTokenRow.person_id == owner)
    return [_token(row, person.name) for row, person in session.exec(query)]


def revoke_token(*, session: Session, prefix: str, by: Caller, now: datetime) -> AdminToken:
    """Close a token for good: one's own, or anybody's for those who manage people.

    Raises
    ------
    NotFound
        If there is none that the caller may see.
    """
    found = session.exec(_with_owner().where(AdminTokenRow.prefix == prefix)).first()
    if found is None or not (found[0].person_id == by.id or by.may(Scope.PEOPLE)):
        raise NotFound(f"there is no token {prefix!r}")
    row, person = found
    if row.revoked_at is None:
        row.revoked_at = now
        session.add(row)
        audit.record(session=session, actor=by.name, action="revoke", object=f"token:{prefix}", now=now)
        session.flush()
    return _token(row, person.name)


def caller_with(*, session: Session, texts: Iterable[str], now: datetime) -> Caller:
    """The caller that one of the texts speaks for.

    Raises
    ------
    NotSignedIn
        If none of them is a token in force.
    """
    problem = "this is no admin token; they begin with " + PREFIX
    for text in texts:
        found = session.exec(_with_owner().where(AdminTokenRow.prefix == prefix_of(text))).first()
        if found is None or not hmac.compare_digest(found[0].secret_hash, hash_of(text)):
            continue
        row, person = found
        if row.revoked_at is not None or person.removed_at is not None:
            problem = f"the token {row.prefix} was revoked"
        elif row.expires_at <= now:
            problem = f"the token {row.prefix} expired at {row.expires_at.isoformat(timespec='minutes')}"
        else:
            role = Role(person.role)
            return Caller(person.id or 0, person.name, role, _scopes(row) & GRANTS[role], row.prefix)
    raise NotSignedIn(problem)


def note_use(*, session: Session, prefix: str, now: datetime) -> None:
    """Remember that a token was used."""
    row = session.exec(select(AdminTokenRow).where(AdminTokenRow.prefix == prefix)).first()
    if row is not None:
        row.last_used_at = now
        session.add(row)


def is_use_known(*, session: Session, prefix: str, now: datetime) -> bool:
    """Whether the last use of a token is written down exactly enough."""
    query = select(AdminTokenRow.last_used_at).where(AdminTokenRow.prefix == prefix)
    at = session.exec(query).first()
    return at is not None and now - at < PRECISION


def prefix_of(text: str) -> str:
    """The visible part of a token; the secret after it may hold underscores itself."""
    prefix = "_".join(text.split("_")[:3])
    return prefix if prefix.startswith(PREFIX) and prefix.isascii() and len(prefix) <= 32 else ""


def parse_token(document: Mapping[str, Any]) -> TokenDraft:
    """Read what somebody wants a token for, or name everything that is wrong with it."""
    try:
        return TokenDraft.model_validate(document)
    except ValidationError as problem:
        raise invalid(problem) from problem


def _end_of(session: Session, by: Caller) -> Iterator[datetime]:
    if by.token is not None:
        query = select(AdminTokenRow.expires_at).where(AdminTokenRow.prefix == by.token)
        yield session.exec(query).one()


def _with_owner() -> Select[AdminTokenRow, PersonRow]:
    return select(AdminTokenRow, PersonRow).join(PersonRow, col(PersonRow.id) == col(AdminTokenRow.person_id))


def _scopes(row: AdminTokenRow) -> frozenset[Scope]:
    return frozenset(Scope(each) for each in json.loads(row.scopes))


def _token(row: AdminTokenRow, owner: str) -> AdminToken:
    return AdminToken(
        prefix=row.prefix,
        owner=owner,
        owner_id=row.person_id,
        name=row.name,
        scopes=tuple(scope for scope in Scope if scope in _scopes(row)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
