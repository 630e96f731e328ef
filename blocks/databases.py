"""One PostgreSQL database and one role for each plugin, on the server that the settings name.

The role says in its comment which operation made it, and it is made before the database: so whoever comes back after a crash can tell
whose the database is. Passwords reach the server only as SCRAM verifiers, so that no log of the server's can hold one.
"""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from blocks.domain.errors import Refused, Transient, Unreachable
from blocks.ports.cluster import Made

NAME = re.compile(r"p_[0-9a-f]{16}")
CONNECTIONS = 20
ITERATIONS = 4096
SECONDS = 30
# SQLSTATE classes in which the server is away for now: connection, out of something, operator's intervention.
AWAY = ("08", "53", "57")
# In which another try can help: rollback, and a name just taken.
PASSING = ("40", "42710", "42P04", "55006")


class PluginDatabases:
    """The server's databases and roles that belong to plugins; implements `blocks.ports.cluster.Databases`."""

    def __init__(self, admin_url: str) -> None:
        # The record's addresses name their driver; this is the driver.
        self._admin_url = admin_url.replace("postgresql+asyncpg://", "postgresql://", 1)

    async def ensure(self, name: str, password: str, operation: UUID) -> Made:
        """Let a role of this name with this password own a database of this name, which nobody else may use."""
        _check(name)
        async with self._connect() as server:
            maker = await _maker(server, name)
            if maker is None:
                await _make_role(server, name, operation)
            elif not maker:
                raise Refused(f"the role {name} is there already and is not ours", "remove it from the database server")
            await server.execute(f"ALTER ROLE {name} LOGIN PASSWORD '{scram_verifier(password, os.urandom(16))}'")
            if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await server.execute(f"CREATE DATABASE {name} OWNER {name}")
            await server.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        return Made(name, created=maker in (None, str(operation)))

    async def drop(self, name: str, operation: UUID | None = None) -> bool:
        """Let database and role be gone, if the operation made them or none is given; whether there was anything to drop."""
        _check(name)
        async with self._connect() as server:
            maker = await _maker(server, name)
            if not maker or (operation is not None and maker != str(operation)):
                return False
            # The role goes last: as long as it is there, it says whose the database is.
            await _end_sessions(server, name)
            await server.execute(f"DROP DATABASE IF EXISTS {name}")
            await server.execute(f"DROP ROLE IF EXISTS {name}")
        return True

    async def names(self) -> tuple[str, ...]:
        """Every database and role that is a plugin's, as `database p_…` and `role p_…`."""
        both = """SELECT 'database ' || datname AS it FROM pg_database WHERE datname ~ $1
                  UNION SELECT 'role ' || rolname FROM pg_roles WHERE rolname ~ $1 ORDER BY it"""
        async with self._connect() as server:
            return tuple(row["it"] for row in await server.fetch(both, f"^{NAME.pattern}$"))

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Any]:
        if not self._admin_url:
            raise Refused("there is no database server for plugins", "set PLUGIN_DATABASE_ADMIN_URL")
        try:
            server = await asyncpg.connect(self._admin_url, timeout=10, command_timeout=SECONDS)
            try:
                yield server
            finally:
                await server.close(timeout=5)
        except asyncpg.PostgresError as problem:
            raise _translated(problem) from problem
        except asyncpg.exceptions.ClientConfigurationError as problem:
            raise Refused(
                "the address of the database server for plugins is not one", "set PLUGIN_DATABASE_ADMIN_URL"
            ) from problem
        except (asyncpg.InterfaceError, OSError, TimeoutError) as problem:
            why = str(problem) or type(problem).__name__
            raise Unreachable(f"the database server for plugins does not answer: {why}", "see that PostgreSQL runs") from problem


def scram_verifier(password: str, salt: bytes) -> str:
    """What PostgreSQL keeps of a password (RFC 5802, SCRAM-SHA-256): enough to check it, not enough to know it."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    shown = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{shown[0]}${shown[1]}:{shown[2]}"


async def _make_role(server: Any, name: str, operation: UUID) -> None:
    async with server.transaction():
        await server.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT {CONNECTIONS}")
        await server.execute(f"COMMENT ON ROLE {name} IS 'plugin-pipeline {operation}'")
        # An administrator who is not a superuser may give a database only to a role that it is a member of.
        await server.execute(f"GRANT {name} TO CURRENT_USER")


async def _maker(server: Any, name: str) -> str | None:
    """The operation that made the role; None if there is no role, nothing if it is not ours."""
    said = "SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = $1"
    comment = await server.fetchval(said, name)
    if comment is None:
        return None
    ours, _, operation = str(comment).partition(" ")
    return operation if ours == "plugin-pipeline" else ""


async def _end_sessions(server: Any, name: str) -> None:
    # Not `DROP DATABASE … WITH (FORCE)`: while autovacuum is at work there, it is refused to everybody but a superuser; without FORCE the
    # server itself sends autovacuum away. Sessions of others than the plugin are left alone, and the server says that it is used.
    await server.execute(f"ALTER ROLE {name} NOLOGIN")
    await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = $1", name)


def _check(name: str) -> None:
    # Names go into statements that take no parameters: nothing but this shape ever gets there.
    if not NAME.fullmatch(name):
        raise Refused(f"{name!r} is not the name of a plugin's database")


def _translated(problem: asyncpg.PostgresError) -> Refused | Transient:
    state = str(problem.sqlstate or "")
    if state.startswith((*AWAY, *PASSING)):
        kind = Unreachable if state.startswith(AWAY) else Transient
        return kind(f"the database server for plugins cannot do it now: {problem}")
    return Refused(
        f"the database server for plugins says no: {problem}", "see PLUGIN_DATABASE_ADMIN_URL and what its role may do"
    )
