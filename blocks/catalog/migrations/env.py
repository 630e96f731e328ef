"""How Alembic reaches the database: through the connection that `migrate` hands over, never through an address of its own."""

from alembic import context
from sqlmodel import SQLModel

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
context.run_migrations()
