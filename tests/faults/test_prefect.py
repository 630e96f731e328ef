"""The Prefect server is killed in the middle, stays away, and comes back with nothing in its database: it is a window, and no more."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from blocks.catalog.database import open_database
from blocks.catalog.starts import Starts
from blocks.domain.journal import Kind
from blocks.settings import Settings
from deployments.keeper import Keeper
from deployments.register import register
from tests.deployments.runs import POOLS, runs_of
from tests.fakes.cluster import FakeCluster
from tests.faults.clock import CONTEXT, ROOT
from tests.faults.line import ask_for_line, line, outcome
from tests.faults.prefect_server import PrefectServer, open_prefect_server
from tests.faults.test_record import settings_for, trouble_at


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PrefectServer]:
    """A server of this test's own, which it may kill; everything here speaks to it."""
    async with open_prefect_server(tmp_path) as opened:
        yield opened


@pytest.fixture
def window(server: PrefectServer) -> Iterator[None]:
    """This process speaks to it too."""
    with temporary_settings({PREFECT_API_URL: server.api}):
        yield


@pytest.mark.usefixtures("window")
async def test_an_operation_ends_while_prefect_is_away_and_the_next_is_started_in_an_empty_one(
    server: PrefectServer, fake: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/record.db"
    # Nobody takes over here: on a busy machine a lease of seconds would be lost, rightly, and for good.
    settings = settings_for(url, fake, tmp_path).model_copy(update={"lease_ttl": 120})
    await register(POOLS)
    operation = await ask_for_line(url, fake)
    monkeypatch.syspath_prepend(ROOT)
    worker = CONTEXT.Process(target=carry_line, args=(settings, operation, server.api), daemon=True)
    worker.start()
    await trouble_at(fake, "thing-3", server.kill)
    async with asyncio.timeout(120):
        while (await outcome(url, operation, fake)).entries[-1].kind is not Kind.FINISHED:
            await asyncio.sleep(0.05)
    assert (await outcome(url, operation, fake)).is_whole

    waiting = await ask_for_line(url, fake, tenant="late")
    keeper = Keeper(settings)
    await keeper.sweep()
    assert await started(settings, waiting) == 0
    await server.start()
    await keeper.sweep()
    assert len(await runs_of(waiting)) == await started(settings, waiting) == 1
    await keeper.close()
    worker.kill()


async def started(settings: Settings, operation: UUID) -> int:
    """How many runs the record says were started for it."""
    engine = open_database(settings.database_url)
    try:
        return (await Starts(engine).upcoming(operation)).number - 1
    finally:
        await engine.dispose()


def carry_line(settings: Settings, operation: UUID, api: str) -> None:
    """Carry it in a process of its own."""
    with temporary_settings({PREFECT_API_URL: api, PREFECT_LOGGING_TO_API_ENABLED: False}):
        asyncio.run(_carry(settings, operation))


async def _carry(settings: Settings, operation: UUID) -> None:
    await line(settings)(operation, return_state=True)
