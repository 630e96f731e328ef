"""A record is brought to the newest schema, and one that a newer version wrote is left alone."""

from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.migrate import configure, find_drift, migrate
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


def downgrade(connection: Connection) -> None:
    """Take the record back to its first schema."""
    command.downgrade(configure(connection), "0001")


async def test_what_was_recorded_before_goes_on(engine: AsyncEngine) -> None:
    """What is under way has its slot, what serves has served since it was made; and there is a way back."""
    async with engine.begin() as connection:
        await connection.run_sync(downgrade)
        for statement in OLD:
            await connection.execute(text(statement))
    await migrate(engine)
    assert await find_drift(engine) == []
    async with engine.connect() as connection:
        operations = await connection.execute(
            text("SELECT phase, slot, wish, priority, expires, trouble FROM operation ORDER BY phase")
        )
        assert [tuple(row) for row in operations] == [("applying", True, "{}", 1, 0, ""), ("parked", False, "{}", 1, 0, "")]
        revisions = await connection.execute(text("SELECT served_at, needs FROM revision"))
        assert [tuple(row) for row in revisions] == [(7, "[]")]
        installations = await connection.execute(text("SELECT enabled FROM installation"))
        assert [tuple(row) for row in installations] == [(True,)]


def ident(number: int) -> str:
    """An id as both databases read it."""
    return UUID(int=number).hex


OLD = [
    (
        f"INSERT INTO installation (id, tenant, environment, plugin, slug, namespace, revision, created_at, touched_at)"
        f" VALUES ('{ident(1)}', 't', 'dev', 'p', 'p', 't-dev', 1, 5, 5)"
    ),
    *(
        f"INSERT INTO operation (id, installation, verb, actor, flow_run, holder, head, phase, request, reason, revision, attempt, seq,"
        f" token, expires, dispatched_at, created_at, updated_at)"
        f" VALUES ('{ident(number)}', '{ident(1)}', 'install', 'ann', '', '', '', '{phase}', '{{}}', 'null', 1, 1, 0, 1, 9, 9, 5, 5)"
        for number, phase in ((2, "applying"), (3, "parked"))
    ),
    (
        f"INSERT INTO revision (installation, number, operation, release, integrity, image, plan, url, created_at)"
        f" VALUES ('{ident(1)}', 1, '{ident(2)}', 'p@1', 'i', 'im', 'pl', 'u', 7)"
    ),
]
