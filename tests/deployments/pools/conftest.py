"""A Prefect server on PostgreSQL for the pool's tests: on SQLite its answer to a busy worker is now and then that it is locked."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.conftest import World
from tests.deployments.pools.stand import Stand, wait_for
from tests.empty_databases import drop_database, make_database, plain
from tests.tasks.running import free_port


@pytest.fixture(scope="package")
def stand(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The server, its address everywhere, and gone with its database at the end."""
    admin, folder = world.plugin_database_admin_url, tmp_path_factory.mktemp("prefect")
    made = asyncio.run(make_database(admin))
    url = f"http://127.0.0.1:{(port := free_port())}/api"
    with (folder / "server.log").open("ab") as log:
        program = (sys.executable, "-m", "prefect", "server", "start", "--port", str(port), "--no-ui")
        server = subprocess.Popen(program, env=_environment(folder, url, plain(made)), stdout=log, stderr=log)
    try:
        wait_for(lambda: _answers(f"{url}/health"), bool)
        with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
            yield Stand(client, url)
    finally:
        server.kill()
        server.wait()
        asyncio.run(drop_database(admin, made))


def _environment(folder: Path, url: str, database: str) -> dict[str, str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    quiet = {"PREFECT_HOME": str(folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    return outer | quiet | {"PREFECT_API_URL": url, "PREFECT_API_DATABASE_CONNECTION_URL": database}


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
