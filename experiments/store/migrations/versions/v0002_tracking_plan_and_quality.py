"""The tracking plan, identities and the quality of data."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DAY_MS = 86_400_000


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "identity",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("anonymous_id", sa.String(length=512), nullable=False),
        sa.Column("user_id", sa.String(length=512), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("anonymous_id", "user_id", name=op.f("uq_identity_anonymous_id_user_id")),
    )
    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_user_id"), ["user_id"], unique=False)
    op.create_table(
        "quality",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "event", "outcome", name=op.f("pk_quality")),
    )
    op.create_table(
        "rejection",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejection")),
    )
    op.create_table(
        "outside_total",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=200), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("reported_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "event", name=op.f("pk_outside_total")),
    )
    op.create_table(
        "tracking_plan",
        sa.Column("version", row_id, autoincrement=True, nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_tracking_plan")),
    )
    _count_what_is_there()


def _count_what_is_there() -> None:
    """Begin the counters where the ledger stands, so that the two agree from the first day."""
    for table, event in (("event", "event"), ("exposure", "'Experiment Viewed'")):
        for outcome, moment in (("accepted", "received_at"), ("happened", "occurred_at")):
            op.execute(
                f"INSERT INTO quality (day, event, outcome, count) "  # noqa: S608 - our own words only
                f"SELECT {moment} / {DAY_MS}, {event}, '{outcome}', COUNT(*) FROM {table} GROUP BY 1, 2 "
                "ON CONFLICT (day, event, outcome) DO UPDATE SET count = quality.count + excluded.count"
            )
