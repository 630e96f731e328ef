"""Plugins are watched, and what is discovered is recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "watch",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False, index=True),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("environment", "plugin", "action", "version", "actor", "found")
        ),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("source", "reason", "problem")),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("prereleases", "enabled")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "updated_at", "looked_at")),
        sa.UniqueConstraint("tenant", "environment", "plugin"),
    )
    op.create_table(
        "discovered",
        sa.Column("watch", sa.Uuid(), sa.ForeignKey("watch.id"), primary_key=True, nullable=False),
        sa.Column("release", sa.String(), primary_key=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("operation", sa.Uuid(), sa.ForeignKey("operation.id"), nullable=True),
    )


def downgrade() -> None:
    """Take the tables away again."""
    op.drop_table("discovered")
    op.drop_table("watch")
