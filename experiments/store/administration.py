"""Tables of administration: tokens, the project, approvals, and answers that may be asked for again."""

from datetime import datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from experiments.store.shapes import instant, row_id, text


class AdminTokenRow(SQLModel, table=True):
    """A token that speaks for a person over the API; only a hash of it is kept. ``scopes`` is a JSON list."""

    __tablename__ = "admin_token"

    id: int | None = row_id()
    prefix: str = Field(max_length=32, unique=True)
    person_id: int = Field(sa_type=BigInteger)
    name: str = Field(max_length=200)
    scopes: str = text()
    secret_hash: str = Field(max_length=64)
    created_at: datetime = instant()
    expires_at: datetime = instant()
    last_used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)


class ProjectRow(SQLModel, table=True):
    """A revision of what holds for the whole project. The newest is in force."""

    __tablename__ = "project"

    revision: int | None = row_id()
    definition: str = text()
    created_at: datetime = instant()


class ApprovalRow(SQLModel, table=True):
    """Somebody else's yes to a definition as it stood; ``digest`` binds it to that."""

    __tablename__ = "approval"

    id: int | None = row_id()
    experiment: str = Field(max_length=128, index=True)
    digest: str = Field(max_length=64)
    approver: str = Field(max_length=200)
    approved_at: datetime = instant()


class StoredAnswerRow(SQLModel, table=True):
    """What a request was answered, by its idempotency key; without a status as long as it is under way."""

    __tablename__ = "stored_answer"
    __table_args__ = (UniqueConstraint("caller", "key", "path"),)

    id: int | None = row_id()
    caller: str = Field(max_length=64)
    key: str = Field(max_length=255)
    path: str = Field(max_length=512)
    digest: str = Field(max_length=64)
    status: int | None = None
    headers: str | None = text(nullable=True)
    body: str | None = text(nullable=True)
    begun_at: datetime = instant()
