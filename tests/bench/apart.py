"""Measuring in processes of their own, each with a memory of its own: an empty database, storage, package store and registry path."""

import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dotenv import dotenv_values

from blocks.settings import WORLD, Settings
from tests.empty_databases import open_empty_database

# Seconds that one process may take.
LONGEST = 420


async def run_apart(memory: Mapping[str, str], *arguments: str) -> Any:
    """What `python -m …` says as JSON in its last line; one that fails or takes too long is an error, and its own words have been seen."""
    command = (sys.executable, "-m", *arguments)
    process = await asyncio.create_subprocess_exec(*command, env=os.environ | memory, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(LONGEST):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            # An interrupt, so that it still takes away what it made.
            process.send_signal(signal.SIGINT)
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"measuring {' '.join(arguments)} ended with exit code {process.returncode}")
    return json.loads(said.decode().splitlines()[-1])


def in_the_product(settings: Settings) -> dict[str, str]:
    """The environment of a process that talks to the running product's own Prefect."""
    password = dotenv_values(WORLD)["PREFECT_API_AUTH_STRING"] or ""
    return {"PREFECT_API_URL": settings.prefect_api_url, "PREFECT_API_AUTH_STRING": password, "PREFECT_LOGGING_LEVEL": "ERROR"}


@asynccontextmanager
async def empty_memory(settings: Settings, kind: str = "postgresql") -> AsyncIterator[dict[str, str]]:
    """The environment of a process that remembers nothing; the record is in a database of this kind."""
    with TemporaryDirectory(prefix="bench-") as folder:
        async with open_empty_database(settings.plugin_database_admin_url.get_secret_value(), "bench") as database:
            own = {
                "DATABASE_URL": database if kind == "postgresql" else f"sqlite+aiosqlite:///{folder}/record.db",
                "STORAGE_DIR": str(Path(folder, "storage")),
                "SECRETS_DIR": str(Path(folder, "secrets")),
                "STORE_DIR": str(Path(folder, "store")),
                "REGISTRY": f"{settings.registry}/bench-{secrets.token_hex(4)}",
            }
            yield own | in_the_product(settings)
