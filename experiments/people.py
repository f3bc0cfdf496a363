"""People and keys: who may sign in, and which programs may use the doors.

Secrets are random and long, so a plain SHA-256 of them is safe to keep; the secret itself is shown once.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select

from experiments import audit
from experiments.errors import InvalidInput, NotFound
from experiments.roles import Caller, Role, caller_of
from experiments.storable import unstorable
from experiments.store.tables import KeyRow, PersonRow, SessionRow, SignInLinkRow

LINK_LIFETIME = timedelta(hours=1)
SESSION_LIFETIME = timedelta(days=14)


class KeyKind(StrEnum):
    """Server keys are secret; client keys are public and may only assign and track."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key for the doors, without its secret."""

    prefix: str
    kind: KeyKind
    name: str
    created_at: datetime
    revoked_at: datetime | None = None
    exposes: bool = True


@dataclass(frozen=True, slots=True)
class KeySecret:
    """A stored key as the doors check it: by its prefix, against the hash of the whole."""

    key: ApiKey
    secret_hash: str

    def opens_with(self, text: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.secret_hash, hash_of(text))

    def to_json(self) -> dict[str, Any]:
        """Write what `from_json` reads; the secret itself is not known here."""
        return {
            "prefix": self.key.prefix,
            "kind": str(self.key.kind),
            "name": self.key.name,
            "created_at": self.key.created_at.isoformat(),
            "exposes": self.key.exposes,
            "secret_hash": self.secret_hash,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "KeySecret":
        """Read what `to_json` wrote."""
        created_at = datetime.fromisoformat(document["created_at"])
        kind, exposes = KeyKind(document["kind"]), bool(document["exposes"])
        key = ApiKey(document["prefix"], kind, document["name"], created_at, exposes=exposes)
        return cls(key, document["secret_hash"])


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. ``language`` is what they chose to read; None for what the browser says."""

    id: int
    name: str
    role: Role = Role.VIEWER
    language: str | None = None

    @property
    def caller(self) -> Caller:
        """The person, asking for themselves."""
        return caller_of(id=self.id, name=self.name, role=self.role)


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(
    *, session: Session, kind: KeyKind, name: str, actor: str, now: datetime, exposes: bool = True
) -> tuple[ApiKey, str]:
    """Make a key.

    Parameters
    ----------
    exposes
        Whether a single evaluation with it records the exposure (server keys only).

    Returns
    -------
    ApiKey, str
        The key, and its secret text: it cannot be shown again.
    """
    require_name(name, "expected 1 to 200 characters that say what the key is for")
    prefix = f"eh_{kind}_{secrets.token_hex(4)}"
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    row = KeyRow(
        prefix=prefix, kind=kind, name=name, secret_hash=hash_of(secret), exposes=exposes, created_at=now
    )
    session.add(row)
    audit.record(session=session, actor=actor, action="create", object=f"key:{prefix}", after=name, now=now)
    session.flush()
    return _key(row), secret


def revoke_key(*, session: Session, prefix: str, actor: str, now: datetime) -> ApiKey:
    """Close a key for good."""
    row = session.exec(select(KeyRow).where(KeyRow.prefix == prefix)).first()
    if row is None:
        raise NotFound(f"there is no key {prefix!r}")
    row.revoked_at = row.revoked_at or now
    session.add(row)
    audit.record(session=session, actor=actor, action="revoke", object=f"key:{prefix}", now=now)
    session.flush()
    return _key(row)


def list_keys(*, session: Session) -> list[ApiKey]:
    """All keys, the newest first."""
    return [_key(row) for row in session.exec(select(KeyRow).order_by(col(KeyRow.id).desc()))]


def open_keys(*, session: Session) -> dict[str, KeySecret]:
    """The keys in force, by prefix, for the doors to hold in memory."""
    rows = session.exec(select(KeyRow).where(col(KeyRow.revoked_at).is_(None)))
    return {row.prefix: KeySecret(_key(row), row.secret_hash) for row in rows}


def create_link(*, session: Session, name: str, actor: str, now: datetime, role: Role | None = None) -> str:
    """Make a link token that signs a person in once; the person is created when new.

    Parameters
    ----------
    role
        What the person becomes; None leaves a known person as they are, and makes a new one an editor, or an
        admin where there is none yet.
    """
    require_name(name, "expected 1 to 200 characters")
    row = session.exec(select(PersonRow).where(PersonRow.name == name)).first()
    if row is None or row.removed_at is not None:
        row = row or PersonRow(name=name, role="", created_at=now)
        row.role = role or (Role.EDITOR if _has_admin(session) else Role.ADMIN)
        row.removed_at = None
    row.role = role or row.role
    session.add(row)
    session.flush()
    token = secrets.token_urlsafe(32)
    session.add(
        SignInLinkRow(token_hash=hash_of(token), person_id=row.id or 0, expires_at=now + LINK_LIFETIME)
    )
    told = f"person:{name}"
    audit.record(session=session, actor=actor, action="invite", object=told, after=row.role, now=now)
    session.flush()
    return token


def redeem_link(*, session: Session, token: str, now: datetime) -> str:
    """Use a link up and open a session.

    Returns
    -------
    str
        The session's token, for the browser's cookie.

    Raises
    ------
    NotFound
        If the link was used before, has expired or never existed.
    """
    row = session.exec(select(SignInLinkRow).where(SignInLinkRow.token_hash == hash_of(token))).first()
    if row is None or row.used_at is not None or row.expires_at <= now or _is_gone(session, row.person_id):
        raise NotFound("this sign-in link was used before or has expired")
    row.used_at = now
    session.add(row)
    opened = secrets.token_urlsafe(32)
    session.add(
        SessionRow(
            token_hash=hash_of(opened),
            person_id=row.person_id,
            created_at=now,
            expires_at=now + SESSION_LIFETIME,
        )
    )
    session.flush()
    return opened


def person_of(*, session: Session, token: str, now: datetime) -> Person | None:
    """The person a session belongs to; None when it has ended."""
    query = (
        select(PersonRow)
        .join(SessionRow, col(SessionRow.person_id) == col(PersonRow.id))
        .where(SessionRow.token_hash == hash_of(token), col(SessionRow.expires_at) > now)
        .where(col(PersonRow.removed_at).is_(None))
    )
    row = session.exec(query).first()
    return None if row is None else Person(row.id or 0, row.name, Role(row.role), row.language)


def end_session(*, session: Session, token: str) -> None:
    """Sign a browser out."""
    row = session.exec(select(SessionRow).where(SessionRow.token_hash == hash_of(token))).first()
    if row is not None:
        session.delete(row)


def _is_gone(session: Session, person: int) -> bool:
    return session.get_one(PersonRow, person).removed_at is not None


def _has_admin(session: Session) -> bool:
    query = select(PersonRow).where(PersonRow.role == Role.ADMIN, col(PersonRow.removed_at).is_(None))
    return session.exec(query).first() is not None


def require_name(name: str, expected: str) -> None:
    """Refuse a name that says nothing or cannot be kept."""
    if not name.strip() or len(name) > 200 or unstorable(name):
        raise InvalidInput.at("name", expected)


def _key(row: KeyRow) -> ApiKey:
    return ApiKey(row.prefix, KeyKind(row.kind), row.name, row.created_at, row.revoked_at, row.exposes)
