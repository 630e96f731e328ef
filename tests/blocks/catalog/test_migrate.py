"""A record is brought to the newest schema, and one that a newer version wrote is left alone."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.migrate import find_drift, migrate
from blocks.domain.errors import Terminal


async def test_schema_is_what_the_code_expects(engine: AsyncEngine) -> None:
    """And a second migration finds nothing to do."""
    await migrate(engine)
    assert await find_drift(engine) == []


async def test_record_of_a_newer_version_is_refused(engine: AsyncEngine) -> None:
    """With a sentence that names the schema and says what to do, and nothing changes."""
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Terminal, match=r"schema 9999.*update this clone"):
        await migrate(engine)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == "9999"
