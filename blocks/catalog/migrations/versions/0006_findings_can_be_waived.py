"""Somebody may answer for a finding until a day."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "waiver",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False, index=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("environment", "plugin", "owner", "actor", "revoked_by")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("finding", "reason", "revoked_why")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("expires_at", "created_at", "revoked_at")),
    )


def downgrade() -> None:
    """Take the table away again."""
    op.drop_table("waiver")
