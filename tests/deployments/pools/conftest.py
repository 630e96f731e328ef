"""A Prefect server on PostgreSQL for the pool's tests: on SQLite its answer to a busy worker is now and then that it is locked."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy import URL, make_url

from tests.conftest import World
from tests.deployments.pools.stand import Stand, wait_for
from tests.tasks.running import free_port


@pytest.fixture(scope="package")
def stand(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The server, its address everywhere, and gone with its database at the end."""
    admin, name, folder = (
        make_url(world.plugin_database_admin_url),
        f"test_{secrets.token_hex(6)}",
        tmp_path_factory.mktemp("prefect"),
    )
    asyncio.run(_execute(admin, f"CREATE DATABASE {name}"))
    url = f"http://127.0.0.1:{(port := free_port())}/api"
    with (folder / "server.log").open("ab") as log:
        program = (sys.executable, "-m", "prefect", "server", "start", "--port", str(port), "--no-ui")
        server = subprocess.Popen(program, env=_environment(folder, url, admin.set(database=name)), stdout=log, stderr=log)
    try:
        wait_for(lambda: _answers(f"{url}/health"), bool)
        with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
            yield Stand(client, url)
    finally:
        server.kill()
        server.wait()
        asyncio.run(_execute(admin, f"DROP DATABASE {name} WITH (FORCE)"))


def _environment(folder: Path, url: str, database: URL) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    said = database.render_as_string(hide_password=False)
    quiet = {"PREFECT_HOME": str(folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    return plain | quiet | {"PREFECT_API_URL": url, "PREFECT_API_DATABASE_CONNECTION_URL": said}


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


async def _execute(admin: URL, statement: str) -> None:
    connection = await asyncpg.connect(admin.set(drivername="postgresql").render_as_string(hide_password=False))
    await connection.execute(statement)
    await connection.close()
