"""Why a run does not begin is shown to whoever waits for it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the trouble, and take away a column that nothing ever wrote.

    It is dropped by itself and not in a batch: on SQLite that makes the table anew, which nothing that points at its rows allows.
    """
    op.add_column("operation", sa.Column("trouble", sa.Text(), nullable=False, server_default=""))
    op.drop_column("installation", "held")


def downgrade() -> None:
    """As it was."""
    op.add_column("installation", sa.Column("held", sa.Text(), nullable=False, server_default=""))
    op.drop_column("operation", "trouble")
