"""Several plugins may be asked for as one."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "plugin_set",
        sa.Column("id", sa.Uuid(), primary_key=True, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False, index=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("environment", "name", "actor")),
        sa.Column("reason", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "committed_at")),
    )
    op.create_table(
        "plugin_set_member",
        sa.Column("plugin_set", sa.Uuid(), sa.ForeignKey("plugin_set.id"), primary_key=True, nullable=False),
        sa.Column("place", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("operation", sa.Uuid(), sa.ForeignKey("operation.id"), nullable=False, index=True),
        sa.Column("own", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    """Take the tables away again."""
    op.drop_table("plugin_set_member")
    op.drop_table("plugin_set")
