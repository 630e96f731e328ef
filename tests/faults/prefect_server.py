"""A Prefect server of a test's own, that may be killed, kept away and emptied."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.tasks.running import free_port


class PrefectServer:
    """A server process on a port that stays the same; each start with another folder finds an empty database."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port, self._starts = folder, free_port(), 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def api(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self._port}/api"

    async def start(self) -> None:
        """The server answers, and remembers nothing."""
        self._starts += 1
        home = self._folder / f"prefect-{self._starts}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        environment |= {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_API_URL": self.api}
        program = (sys.executable, "-m", "prefect", "server", "start", "--port", str(self._port), "--no-ui")
        with (self._folder / "prefect.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*program, env=environment, stdout=log, stderr=log)
        async with asyncio.timeout(300), httpx.AsyncClient() as client:
            while not await _answers(client, f"{self.api}/health"):
                assert self._process.returncode is None, (self._folder / "prefect.log").read_text()
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """The server is gone without a word."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def open_prefect_server(folder: Path) -> AsyncIterator[PrefectServer]:
    """A server that answers, gone at the end."""
    server = PrefectServer(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
