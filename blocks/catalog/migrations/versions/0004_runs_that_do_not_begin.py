"""Why a run does not begin is shown to whoever waits for it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the trouble, and take away a column that nothing ever wrote."""
    op.add_column("operation", sa.Column("trouble", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("installation") as changed:
        changed.drop_column("held")


def downgrade() -> None:
    """As it was."""
    op.add_column("installation", sa.Column("held", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("operation") as changed:
        changed.drop_column("trouble")
