"""People have a say, slots are handed out, and an installation has a past to go back to."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables; what is under way keeps going: it has its slot already.

    The clock of the leases is another one from here on, so they all run out: whoever carries an operation holds on by its token.
    """
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.execute("UPDATE operation SET slot = true WHERE phase IN ('applying', 'undoing')")
    op.execute("UPDATE operation SET expires = 0, dispatched_at = 0")
    op.execute("UPDATE revision SET served_at = created_at")
    _create_quarantine()
    turnstile = op.create_table(
        "turnstile",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("passed", sa.BigInteger(), nullable=False),
    )
    op.bulk_insert(turnstile, [{"id": 1, "passed": 0}])


def downgrade() -> None:
    """Take the columns and tables away again."""
    op.drop_table("turnstile")
    op.drop_table("quarantine")
    for table, columns in _added().items():
        with op.batch_alter_table(table) as changed:
            for column in columns:
                changed.drop_column(column.name)


def _create_quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("installation", sa.Uuid(), sa.ForeignKey("installation.id"), primary_key=True, nullable=False),
        sa.Column("release", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("actor", "lifted_by")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "lifted_why")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("at", "lifted_at")),
    )


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    """The new columns of each table, with what the rows that are there already get."""
    return {
        "installation": (
            sa.Column("enabled", sa.Boolean(), nullable=False, server_default=sa.true()),
            sa.Column("held", sa.Text(), nullable=False, server_default=""),
        ),
        "operation": (
            sa.Column("wish", sa.Text(), nullable=False, server_default="{}"),
            sa.Column("priority", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("vain", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("slot", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("wakes_at", sa.BigInteger(), nullable=False, server_default="0"),
        ),
        "revision": (
            sa.Column("needs", sa.Text(), nullable=False, server_default="[]"),
            sa.Column("served_at", sa.BigInteger(), nullable=False, server_default="0"),
        ),
    }
