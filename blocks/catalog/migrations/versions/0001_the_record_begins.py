"""The record begins: installations, operations with their journals, revisions, and what was made once."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("artefact", "idempotency_key", "revision", "journal", "operation", "installation")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "installation",
        sa.Column("id", sa.Uuid(), primary_key=True),
        *_texts("tenant", "environment", "plugin", "slug", "namespace"),
        *_numbers("revision"),
        *_times("created_at", "touched_at"),
        sa.UniqueConstraint("tenant", "environment", "plugin"),
    )
    op.create_index("ix_installation_namespace", "installation", ["namespace"])
    op.create_index("ix_installation_tenant", "installation", ["tenant"])
    _create_operations()
    _create_revisions()
    _create_memory()


def downgrade() -> None:
    """Drop the tables, those that refer to others first."""
    for table in TABLES:
        op.drop_table(table)


def _create_operations() -> None:
    op.create_table(
        "operation",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _refers_to("installation"),
        *_texts("verb", "actor", "flow_run", "holder", "head", "phase"),
        *_long_texts("request", "reason"),
        *_numbers("revision", "attempt", "seq"),
        *_times("token", "expires", "dispatched_at", "created_at", "updated_at"),
    )
    op.create_index("ix_operation_phase", "operation", ["phase"])
    op.create_index("operation_of_installation", "operation", ["installation", "created_at"])
    op.create_table(
        "journal",
        _refers_to("operation", primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True),
        *_texts("step", "kind", "actor", "prev", "hash"),
        *_long_texts("payload"),
        *_times("token", "at"),
    )


def _create_revisions() -> None:
    op.create_table(
        "revision",
        _refers_to("installation", primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        _refers_to("operation"),
        *_texts("release", "integrity", "image", "plan", "url"),
        *_times("created_at"),
    )
    op.create_index("ix_revision_image", "revision", ["image"])


def _create_memory() -> None:
    kept = (sa.Column("kind", sa.String(), primary_key=True), sa.Column("key", sa.String(), primary_key=True))
    op.create_table(
        "artefact", *kept, *_long_texts("value"), sa.Column("operation", sa.Uuid(), nullable=False), *_times("created_at")
    )
    asked = (sa.Column("tenant", sa.String(), primary_key=True), sa.Column("key", sa.String(), primary_key=True))
    op.create_table("idempotency_key", *asked, *_texts("body"), _refers_to("operation"), *_times("created_at"))


def _refers_to(table: str, *, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(table, sa.Uuid(), sa.ForeignKey(f"{table}.id"), primary_key=primary_key, nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _long_texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _times(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]
