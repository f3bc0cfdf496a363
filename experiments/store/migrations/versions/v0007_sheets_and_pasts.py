"""What is being typed, and what is known of each metric's past."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "sheet",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("stands_on", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet")),
        sa.UniqueConstraint("key", name=op.f("uq_sheet_key")),
    )
    op.create_table(
        "past",
        sa.Column("id", row_id, autoincrement=True, nullable=False),
        sa.Column("metric", sa.String(length=128), nullable=False),
        sa.Column("unit_type", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past")),
        sa.UniqueConstraint("metric", "unit_type", name=op.f("uq_past_metric_unit_type")),
    )


def downgrade() -> None:
    op.drop_table("past")
    op.drop_table("sheet")
