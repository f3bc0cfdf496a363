"""Tables: the whole of what a deployment remembers.

Rows of definitions keep the validated draft as one JSON text beside the columns that are looked up by;
a ledger row is never changed, and its message id is unique for good, so a replay can never count twice.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, UniqueConstraint
from sqlmodel import Field, SQLModel

from experiments.store.shapes import instant as _instant
from experiments.store.shapes import row_id as _row_id
from experiments.store.shapes import text as _text

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class ExperimentRow(SQLModel, table=True):
    """An experiment as it stands; ``revision`` counts its changes."""

    __tablename__ = "experiment"

    id: int | None = _row_id()
    key: str = Field(max_length=128, unique=True)
    status: str = Field(max_length=16, index=True)
    phase: int
    salt: str = Field(max_length=64)
    revision: int
    definition: str = _text()
    shipped: str | None = Field(default=None, max_length=128)
    analysis_asked_at: datetime | None = _instant(nullable=True)
    created_at: datetime = _instant()
    updated_at: datetime = _instant()
    started_at: datetime | None = _instant(nullable=True)
    stopped_at: datetime | None = _instant(nullable=True)


class PhaseRow(SQLModel, table=True):
    """One randomisation of an experiment: what was fixed when it began, and when it was in force.

    ``holdouts`` is the JSON list of those it honours: a holdout made later must not take units out.
    """

    __tablename__ = "phase"
    __table_args__ = (UniqueConstraint("experiment", "number"),)

    id: int | None = _row_id()
    experiment: str = Field(max_length=128)
    number: int
    salt: str = Field(max_length=64)
    holdouts: str = _text()
    definition: str = _text()
    started_at: datetime | None = _instant(nullable=True)
    stopped_at: datetime | None = _instant(nullable=True)


class MetricRow(SQLModel, table=True):
    """A version of a metric; a change makes a new one, so old readouts keep theirs."""

    __tablename__ = "metric"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: int | None = _row_id()
    key: str = Field(max_length=128)
    version: int
    definition: str = _text()
    created_at: datetime = _instant()


class SheetRow(SQLModel, table=True):
    """What somebody has typed of an experiment, as JSON; see `experiments.sheets`."""

    __tablename__ = "sheet"

    id: int | None = _row_id()
    key: str = Field(max_length=128, unique=True)
    typed: str = _text()
    author: str = Field(max_length=200)
    revision: int
    stands_on: int
    updated_at: datetime = _instant()


class PastRow(SQLModel, table=True):
    """What is known of a metric's last weeks, as JSON; see `experiments.pasts`."""

    __tablename__ = "past"
    __table_args__ = (UniqueConstraint("metric", "unit_type"),)

    id: int | None = _row_id()
    metric: str = Field(max_length=128)
    unit_type: str = Field(max_length=16)
    version: int
    as_of: datetime = _instant()
    document: str = _text()


class LayerRow(SQLModel, table=True):
    """A layer; its salt is fixed for good."""

    __tablename__ = "layer"

    id: int | None = _row_id()
    key: str = Field(max_length=128, unique=True)
    salt: str = Field(max_length=64)
    definition: str = _text()
    created_at: datetime = _instant()


class HoldoutRow(SQLModel, table=True):
    """A holdout; its salt is fixed for good."""

    __tablename__ = "holdout"

    id: int | None = _row_id()
    key: str = Field(max_length=128, unique=True)
    salt: str = Field(max_length=64)
    definition: str = _text()
    created_at: datetime = _instant()


class SegmentRow(SQLModel, table=True):
    """A saved condition."""

    __tablename__ = "segment"

    id: int | None = _row_id()
    key: str = Field(max_length=128, unique=True)
    definition: str = _text()
    created_at: datetime = _instant()


class ExposureRow(SQLModel, table=True):
    """A unit met its variant. Times are whole milliseconds in UTC: this table is written in bulk."""

    __tablename__ = "exposure"

    id: int | None = _row_id()
    message_id: str = Field(max_length=200, unique=True)
    experiment: str = Field(max_length=128)
    user_id: str | None = Field(default=None, max_length=512)
    anonymous_id: str | None = Field(default=None, max_length=512)
    variant: str = Field(max_length=128)
    occurred_at: int = Field(sa_type=BigInteger)
    received_at: int = Field(sa_type=BigInteger)
    attributes: str | None = _text(nullable=True)
    mark: str | None = Field(default=None, max_length=32)


class EventRow(SQLModel, table=True):
    """Something happened to a unit. Times are whole milliseconds in UTC: this table is written in bulk."""

    __tablename__ = "event"

    id: int | None = _row_id()
    message_id: str = Field(max_length=200, unique=True)
    user_id: str | None = Field(default=None, max_length=512)
    anonymous_id: str | None = Field(default=None, max_length=512)
    event: str = Field(max_length=200)
    value: float | None = None
    occurred_at: int = Field(sa_type=BigInteger)
    received_at: int = Field(sa_type=BigInteger)
    properties: str | None = _text(nullable=True)
    mark: str | None = Field(default=None, max_length=32)


class FloorRow(SQLModel, table=True):
    """Before this moment events of this name have been forgotten; see `experiments.store.floors`."""

    __tablename__ = "floor"

    id: int | None = _row_id()
    event: str = Field(max_length=200, unique=True)
    moment: int = Field(sa_type=BigInteger)


class ErasureRow(SQLModel, table=True):
    """An id whose rows were erased, as a digest; see `experiments.store.erasures`.

    ``removed`` counts the rows of the ledger that were found, under whichever id of the same person.
    """

    __tablename__ = "erasure"

    id: int | None = _row_id()
    digest: str = Field(max_length=64)
    moment: int = Field(sa_type=BigInteger)
    removed: int = Field(sa_type=BigInteger)


class IdentityRow(SQLModel, table=True):
    """An anonymous id and the user id that was seen with it, when they first were."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("anonymous_id", "user_id"),)

    id: int | None = _row_id()
    anonymous_id: str = Field(max_length=512)
    user_id: str = Field(max_length=512, index=True)
    first_seen: int = Field(sa_type=BigInteger)


class QualityRow(SQLModel, table=True):
    """How often something became of an event on a day (days since 1970): accepted, late or rejected.

    It is counted in the transaction that stores the events, so the two can never disagree.
    """

    __tablename__ = "quality"

    day: int = Field(sa_column=Column(Integer(), primary_key=True, autoincrement=False))
    event: str = Field(max_length=200, primary_key=True)
    outcome: str = Field(max_length=64, primary_key=True)
    count: int = Field(sa_type=BigInteger)


class RejectionRow(SQLModel, table=True):
    """One of the latest messages that were not stored, for the live tail; older ones make room."""

    __tablename__ = "rejection"

    id: int | None = _row_id()
    at: int = Field(sa_type=BigInteger)
    event: str = Field(max_length=200)
    message_id: str | None = Field(default=None, max_length=200)
    code: str = Field(max_length=32)
    detail: str = _text()


class OutsideTotalRow(SQLModel, table=True):
    """How many events another system counted on a day (days since 1970)."""

    __tablename__ = "outside_total"

    day: int = Field(sa_column=Column(Integer(), primary_key=True, autoincrement=False))
    event: str = Field(max_length=200, primary_key=True)
    count: int = Field(sa_type=BigInteger)
    reported_at: datetime = _instant()


class TrackingPlanRow(SQLModel, table=True):
    """A version of the tracking plan. The newest is in force."""

    __tablename__ = "tracking_plan"

    version: int | None = _row_id()
    definition: str = _text()
    created_at: datetime = _instant()


class RulesetRow(SQLModel, table=True):
    """A published ruleset. The newest version is in force."""

    __tablename__ = "ruleset"

    version: int | None = _row_id()
    digest: str = Field(max_length=64)
    document: str = _text()
    published_at: datetime = _instant()


class WorkerRow(SQLModel, table=True):
    """A process that serves, and the ruleset it held when it was last heard of."""

    __tablename__ = "worker"

    id: int | None = _row_id()
    name: str = Field(max_length=200, unique=True)
    ruleset: int
    seen_at: datetime = _instant()


class SnapshotRow(SQLModel, table=True):
    """A readout that was computed once and is never changed, with the observation behind it."""

    __tablename__ = "snapshot"
    __table_args__ = (Index("ix_snapshot_experiment_id", "experiment", "id"),)

    id: int | None = _row_id()
    experiment: str = Field(max_length=128)
    phase: int
    as_of: datetime = _instant()
    version: str = Field(max_length=64)
    recommendation: str = Field(max_length=16)
    readout: str = _text()
    observation: str = _text()


class ReportRow(SQLModel, table=True):
    """What people wrote about an experiment's results; ``revision`` counts its changes."""

    __tablename__ = "report"

    id: int | None = _row_id()
    experiment: str = Field(max_length=128, unique=True)
    revision: int
    texts: str = _text()
    updated_by: str = Field(max_length=200)
    updated_at: datetime = _instant()


class ShareRow(SQLModel, table=True):
    """A link to one frozen report; only a hash of its token is kept.

    ``frozen`` is everything the report says beside the snapshot's numbers, as it was when it was shared.
    """

    __tablename__ = "share"

    id: int | None = _row_id()
    token_hash: str = Field(max_length=64, unique=True)
    experiment: str = Field(max_length=128, index=True)
    snapshot: int = Field(sa_type=BigInteger)
    frozen: str = _text()
    created_by: str = Field(max_length=200)
    created_at: datetime = _instant()
    expires_at: datetime = _instant()
    revoked_at: datetime | None = _instant(nullable=True)


class KeyRow(SQLModel, table=True):
    """A key for the doors; only a hash of its secret is kept."""

    __tablename__ = "api_key"

    id: int | None = _row_id()
    prefix: str = Field(max_length=32, unique=True)
    kind: str = Field(max_length=16)
    name: str = Field(max_length=200)
    secret_hash: str = Field(max_length=64)
    exposes: bool = True
    created_at: datetime = _instant()
    revoked_at: datetime | None = _instant(nullable=True)


class PersonRow(SQLModel, table=True):
    """Somebody who may sign in; whoever was removed stays known by name, for the audit log."""

    __tablename__ = "person"

    id: int | None = _row_id()
    name: str = Field(max_length=200, unique=True)
    role: str = Field(default="viewer", max_length=16)
    language: str | None = Field(default=None, max_length=32)
    created_at: datetime = _instant()
    removed_at: datetime | None = _instant(nullable=True)


class SignInLinkRow(SQLModel, table=True):
    """A link that signs a person in once."""

    __tablename__ = "sign_in_link"

    id: int | None = _row_id()
    token_hash: str = Field(max_length=64, unique=True)
    person_id: int = Field(sa_type=BigInteger)
    expires_at: datetime = _instant()
    used_at: datetime | None = _instant(nullable=True)


class SessionRow(SQLModel, table=True):
    """A signed-in browser; deleting the row signs it out."""

    __tablename__ = "web_session"

    id: int | None = _row_id()
    token_hash: str = Field(max_length=64, unique=True)
    person_id: int = Field(sa_type=BigInteger)
    created_at: datetime = _instant()
    expires_at: datetime = _instant()


class AuditRow(SQLModel, table=True):
    """Who changed what, written in the same transaction as the change; ``token`` if one spoke for them."""

    __tablename__ = "audit"

    id: int | None = _row_id()
    at: datetime = _instant()
    actor: str = Field(max_length=200)
    token: str | None = Field(default=None, max_length=32)
    action: str = Field(max_length=64)
    object: str = Field(max_length=200, index=True)
    before: str | None = _text(nullable=True)
    after: str | None = _text(nullable=True)
