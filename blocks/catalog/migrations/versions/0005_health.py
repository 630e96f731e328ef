"""How it is with what serves is recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    times = ("since", "checked_at", "due_at", "healthy", "unhealthy", "unknown", "millis")
    op.create_table(
        "health",
        sa.Column("installation", sa.Uuid(), sa.ForeignKey("installation.id"), primary_key=True, nullable=False),
        sa.Column("operation", sa.Uuid(), sa.ForeignKey("operation.id"), nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("status", "tried")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("note", "said")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("failures", "successes")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in times),
    )


def downgrade() -> None:
    """Take the table away again."""
    op.drop_table("health")
