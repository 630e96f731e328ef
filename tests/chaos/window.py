"""A Prefect server of the tests' own on PostgreSQL: on SQLite it keeps flows waiting for a minute as soon as a few run at once."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.settings import Settings
from tests.empty_databases import open_empty_database
from tests.tasks.running import free_port

PATIENCE = 120
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
}


@asynccontextmanager
async def open_window(folder: Path) -> AsyncIterator[str]:
    """A running server, which every flow that is started meanwhile tells what it does; nothing of it stays."""
    async with fresh_record() as database:
        port = free_port()
        own = {"PREFECT_HOME": str(folder / "prefect"), "PREFECT_API_DATABASE_CONNECTION_URL": database}
        arguments = ("-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        with (folder / "prefect.log").open("w") as log:
            server = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, env={**os.environ, **QUIET, **own}, stdout=log, stderr=log
            )
        try:
            address = f"http://127.0.0.1:{port}/api"
            await _await_answer(f"{address}/health")
            with temporary_settings({PREFECT_API_URL: address}):
                yield address
        finally:
            with contextlib.suppress(ProcessLookupError):
                server.terminate()
            await server.wait()


@asynccontextmanager
async def fresh_record() -> AsyncIterator[str]:
    """The address of an empty PostgreSQL database, dropped afterwards."""
    async with open_empty_database(Settings().plugin_database_admin_url.get_secret_value(), "chaos") as address:
        yield address


async def _await_answer(address: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(address)).status_code == 200:
                    return
            await asyncio.sleep(0.2)
