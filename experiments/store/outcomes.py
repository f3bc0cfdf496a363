"""Tables of what came of experiments: conclusions, their follow-ups and retrospectives, and alerts."""

from datetime import datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from experiments.store.shapes import instant, row_id, text


class ConclusionRow(SQLModel, table=True):
    """What people chose and learnt, beside the snapshot that they saw. It is never changed.

    ``searchable`` is the folded text of the experiment and the conclusion, ``metric`` the first primary one.
    """

    __tablename__ = "conclusion"

    id: int | None = row_id()
    experiment: str = Field(max_length=128, index=True)
    phase: int
    choice: str = Field(max_length=16)
    variant: str | None = Field(default=None, max_length=128)
    until: datetime | None = instant(nullable=True)
    reason: str = text()
    rollout: int
    holdout: int
    learning: str = text()
    recommendation: str | None = Field(default=None, max_length=16)
    snapshot: int | None = Field(default=None, sa_type=BigInteger)
    metric: str = Field(max_length=128)
    searchable: str = text()
    actor: str = Field(max_length=200)
    at: datetime = instant()


class FollowUpRow(SQLModel, table=True):
    """Something to do after a conclusion."""

    __tablename__ = "follow_up"

    id: int | None = row_id()
    conclusion: int = Field(sa_type=BigInteger, index=True)
    task: str = text()
    owner: str = Field(max_length=200)
    due: datetime | None = instant(nullable=True)
    done_at: datetime | None = instant(nullable=True)


class RetrospectiveRow(SQLModel, table=True):
    """Whether a gain held, asked again a month after it was shipped."""

    __tablename__ = "retrospective"

    id: int | None = row_id()
    conclusion: int = Field(sa_type=BigInteger, unique=True)
    held: str = Field(max_length=16)
    note: str = text()
    actor: str = Field(max_length=200)
    at: datetime = instant()


class ThresholdRow(SQLModel, table=True):
    """When a guardrail alerts: beyond which limit, after how many hours, and whom."""

    __tablename__ = "threshold"
    __table_args__ = (UniqueConstraint("experiment", "metric"),)

    id: int | None = row_id()
    experiment: str = Field(max_length=128)
    metric: str = Field(max_length=128)
    limit: float
    wait: int
    who: str = Field(max_length=200)
    muted: bool = False


class AlertRow(SQLModel, table=True):
    """One breach, from the analysis that saw it first to the one that no longer does.

    ``fired_at`` comes when it has lasted as long as the threshold waits; then it is delivered, and
    ``next_attempt`` says when that is tried again. ``snapshot`` is the newest readout that shows the breach.
    """

    __tablename__ = "alert"

    id: int | None = row_id()
    experiment: str = Field(max_length=128, index=True)
    kind: str = Field(max_length=16)
    metric: str = Field(max_length=128)
    variant: str = Field(max_length=128)
    limit: float | None = None
    who: str = Field(max_length=200)
    snapshot: int = Field(sa_type=BigInteger)
    began_at: datetime = instant()
    fired_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)
    attempts: int = 0
    next_attempt: datetime | None = instant(nullable=True)
    delivered_at: datetime | None = instant(nullable=True)
    failure: str | None = text(nullable=True)


class WebhookSecretRow(SQLModel, table=True):
    """A secret that signs webhooks: a random text, good for nothing without the deployment's own key."""

    __tablename__ = "webhook_secret"

    id: int | None = row_id()
    nonce: str = Field(max_length=64)
    created_by: str = Field(max_length=200)
    created_at: datetime = instant()
    retires_at: datetime | None = instant(nullable=True)


class DeliveryRow(SQLModel, table=True):
    """One attempt to deliver a message; only the latest are kept."""

    __tablename__ = "delivery"

    id: int | None = row_id()
    at: datetime = instant()
    message: str = Field(max_length=64)
    kind: str = Field(max_length=32)
    failure: str | None = text(nullable=True)


class InterruptionRow(SQLModel, table=True):
    """An experiment whose readout cannot be refreshed: since when, when it was last tried, and why."""

    __tablename__ = "interruption"

    id: int | None = row_id()
    experiment: str = Field(max_length=128, unique=True)
    since: datetime = instant()
    tried_at: datetime = instant()
    reason: str = text()


class OpeningRow(SQLModel, table=True):
    """A variant that somebody looked at by its link, with a digest of what it showed then."""

    __tablename__ = "opening"
    __table_args__ = (UniqueConstraint("experiment", "variant"),)

    id: int | None = row_id()
    experiment: str = Field(max_length=128)
    variant: str = Field(max_length=128)
    digest: str = Field(max_length=64)
    opened_at: datetime = instant()
