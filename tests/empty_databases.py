"""Empty databases on the world's PostgreSQL, for tests and measurements that need one of their own."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.engine import URL, make_url

MINE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = current_user"


async def make_database(admin: str, kind: str = "test", template: str = "template1") -> URL:
    """A new one, empty, or a copy of one that nobody uses."""
    made = make_url(admin).set(database=f"{kind}_{secrets.token_hex(6)}")
    async with _connect(admin) as server:
        await server.execute(f"CREATE DATABASE {made.database} TEMPLATE {template}")
    return made


async def drop_database(admin: str, made: URL) -> None:
    """It is gone, whoever is still connected; as in `blocks.databases`, autovacuum at work there is no obstacle."""
    async with _connect(admin) as server:
        await server.execute(f"ALTER DATABASE {made.database} WITH ALLOW_CONNECTIONS false")
        await server.execute(MINE, made.database)
        await server.execute(f"DROP DATABASE {made.database}")


@asynccontextmanager
async def open_empty_database(admin: str, kind: str = "test") -> AsyncIterator[str]:
    """Its address for the record, dropped afterwards."""
    made = await make_database(admin, kind)
    try:
        yield plain(made)
    finally:
        await drop_database(admin, made)


def plain(made: URL) -> str:
    """The address with its password, as settings want it."""
    return made.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


@asynccontextmanager
async def _connect(admin: str) -> AsyncIterator[Any]:
    server = await asyncpg.connect(make_url(admin).set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        yield server
    finally:
        await server.close()
