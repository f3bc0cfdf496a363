"""Conclusions with their follow-ups and retrospectives; thresholds and alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "conclusion",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("experiment", sa.String(length=128), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("choice", sa.String(length=16), nullable=False),
        sa.Column("variant", sa.String(length=128), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rollout", sa.Integer(), nullable=False),
        sa.Column("holdout", sa.Integer(), nullable=False),
        sa.Column("learning", sa.Text(), nullable=False),
        sa.Column("recommendation", sa.String(length=16), nullable=True),
        sa.Column("snapshot", sa.BigInteger(), nullable=True),
        sa.Column("metric", sa.String(length=128), nullable=False),
        sa.Column("searchable", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conclusion")),
    )
    with op.batch_alter_table("conclusion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conclusion_experiment"), ["experiment"], unique=False)
    op.create_table(
        "follow_up",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("conclusion", sa.BigInteger(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_up_conclusion"), ["conclusion"], unique=False)
    op.create_table(
        "retrospective",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("conclusion", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrospective")),
        sa.UniqueConstraint("conclusion", name=op.f("uq_retrospective_conclusion")),
    )
    _alerts()


def _alerts() -> None:
    op.create_table(
        "threshold",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("experiment", sa.String(length=128), nullable=False),
        sa.Column("metric", sa.String(length=128), nullable=False),
        sa.Column("limit", sa.Float(), nullable=False),
        sa.Column("wait", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threshold")),
        sa.UniqueConstraint("experiment", "metric", name=op.f("uq_threshold_experiment_metric")),
    )
    op.create_table(
        "alert",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("experiment", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("metric", sa.String(length=128), nullable=False),
        sa.Column("variant", sa.String(length=128), nullable=False),
        sa.Column("limit", sa.Float(), nullable=True),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("snapshot", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("fired_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_experiment"), ["experiment"], unique=False)


def downgrade() -> None:
    for table in ("alert", "threshold", "retrospective", "follow_up", "conclusion"):
        op.drop_table(table)
