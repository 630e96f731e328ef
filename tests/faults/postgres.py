"""A PostgreSQL of a test's own, that may be stopped and started as nobody else's may."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from tests.tasks.running import free_port

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
# The server does not run as root.
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups") if os.geteuid() == 0 else ()


class Postgres:
    """One server with one database."""

    def __init__(self, folder: Path, **options: object) -> None:
        self._data, self._log, self._port = folder / "data", folder / "log", free_port()
        here = {"port": self._port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder} | options
        # What is written is written to the disk: a server that is shot is to keep its word.
        self._options = " ".join(f"-c {key}={value}" for key, value in here.items())

    @property
    def url(self) -> str:
        """The address of its database, for the record."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self._port}/postgres"

    async def make(self) -> None:
        """An empty server, not started."""
        await _run("initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-N")

    async def start(self) -> None:
        """The server answers."""
        await _run("pg_ctl", "-D", self._data, "-l", self._log, "-w", "-o", self._options, "start")

    async def shoot(self) -> None:
        """The server is gone at once, without a word to anybody: it must recover from its log."""
        await _run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    async def cut_connections(self) -> int:
        """Every connection but this one is ended; how many there were."""
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        return len(await self.execute(others))

    async def execute(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Say this as its superuser; the rows of the last statement."""
        connection: Any = await asyncpg.connect(
            make_url(self.url).set(drivername="postgresql", database=database).render_as_string()
        )
        try:
            return list([await connection.fetch(one) for one in statements][-1])
        finally:
            await connection.close()


@asynccontextmanager
async def open_postgres(**options: object) -> AsyncIterator[Postgres]:
    """A server that runs with these options, gone with its files at the end."""
    folder = Path(tempfile.mkdtemp(prefix="test-postgres-"))
    try:
        if AS_POSTGRES:
            shutil.chown(folder, "postgres", "postgres")
        server = Postgres(folder, **options)
        await server.make()
        await server.start()
        try:
            yield server
        finally:
            await server.shoot()
    finally:
        shutil.rmtree(folder)


async def _run(program: str, *arguments: object) -> None:
    # pg_ctl hands its output on to the server, which would keep a pipe open for ever.
    process = await asyncio.create_subprocess_exec(
        *AS_POSTGRES, PROGRAMS / program, *map(str, arguments), stdout=asyncio.subprocess.DEVNULL, cwd="/"
    )
    code = await asyncio.wait_for(process.wait(), 60)
    if code:
        raise AssertionError(f"{program} ended with {code}")
