"""Bring the database to the newest schema, or compare it with what the code expects."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from blocks.catalog import tables
from blocks.domain.errors import Terminal

MIGRATIONS = Path(__file__).with_name("migrations")
# Two processes that start together must not both migrate: PostgreSQL's advisory lock of this number is held meanwhile.
LOCK = 7_205_759


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema to the newest version; a second call changes nothing. Raises `Terminal` when the record is newer than this code."""
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        await connection.run_sync(_upgrade)


async def find_drift(engine: AsyncEngine) -> list[Any]:
    """What the tables in the code and those in the database do not have in common; nothing if all is well."""
    async with engine.connect() as connection:
        return await connection.run_sync(_compare)


def configure(connection: Connection) -> Config:
    """Alembic's configuration for one connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    config = configure(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if unknown := set(MigrationContext.configure(connection).get_current_heads()) - known:
        raise Terminal(
            f"the record has schema {', '.join(sorted(unknown))}, which this version of the product does not know",
            "a newer version wrote it: update this clone, or name another database",
        )
    command.upgrade(config, "head")


def _compare(connection: Connection) -> list[Any]:
    assert tables.Installation.metadata is SQLModel.metadata  # the tables are loaded before they are compared
    return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))
