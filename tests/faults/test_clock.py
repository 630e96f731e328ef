"""A worker's clock is an hour wrong, or becomes so in the middle: the record's own clock counts, and only that one."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.requests import Asked, Requests
from blocks.domain.journal import Kind, Phase, fold
from tests.builders import make_request
from tests.chaos.ground import FakeGround, Order, open_fake_ground
from tests.chaos.life import Life
from tests.chaos.worker import Job
from tests.faults.clock import CONTEXT, HOUR, Clock, carry_by_clock, take_by_clock

# Seconds that a process may take on a busy machine.
PATIENCE = 240


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that is right until it is told to jump."""
    return Clock(tmp_path, monkeypatch)


@pytest.fixture
async def ground(database_url: str, prefect_server: None, tmp_path: Path) -> AsyncIterator[FakeGround]:
    """A fake world around a real record."""
    async with open_fake_ground(database_url, tmp_path) as opened:
        # Long enough for a busy machine, and nothing to a clock that is an hour wrong.
        opened.settings.update({"LEASE_TTL": "20", "LEASE_RENEW": "2"})
        yield opened


@pytest.mark.parametrize(
    ("database_url", "jump"),
    [
        pytest.param("postgresql", HOUR, id="an hour ahead of PostgreSQL"),
        pytest.param("sqlite", -HOUR, id="an hour behind SQLite's file"),
    ],
    indirect=["database_url"],
)
async def test_a_clock_that_jumps_while_an_operation_is_carried_changes_nothing(
    ground: FakeGround, clock: Clock, tmp_path: Path, jump: int
) -> None:
    order, told = await Life(ground).ask("install"), tmp_path / "told"
    before = await ground.journal.now()
    worker = CONTEXT.Process(target=carry_by_clock, args=(job_of(ground, order), told), daemon=True)
    clock.start(worker)
    await until_it_works(ground, order, worker)
    clock.jump(jump)
    await asyncio.to_thread(worker.join, PATIENCE)
    began, ended = json.loads(told.read_text())
    assert abs(ended - began - jump) < HOUR / 2, "the clock did not jump"
    entries = await ground.journal.read(order.operation)
    assert fold(entries).phase is Phase.SUCCEEDED
    assert len({one.token for one in entries if one.kind is Kind.DONE}) == 1
    assert await ground.audit.verify() == []
    if ground.engine.dialect.name == "postgresql":
        times = [before, *(one.at for one in entries), await ground.journal.now()]
        assert times == sorted(times)


@pytest.mark.parametrize(
    ("jump", "ttl", "free"),
    [
        pytest.param(HOUR, HOUR / 2, False, id="a clock ahead makes no lease run out"),
        pytest.param(-HOUR, 0.01, True, id="a clock behind holds no lease"),
    ],
)
async def test_a_lease_runs_by_a_clock_that_nobody_sets(
    engine: AsyncEngine, clock: Clock, tmp_path: Path, jump: int, ttl: float, *, free: bool
) -> None:
    operation, told = (await Requests(engine).request_install(make_request(), Asked("ann"))).operation, tmp_path / "told"
    await Leases(engine, ttl).acquire(operation, "me")
    clock.jump(jump)
    url = engine.url.render_as_string(hide_password=False)
    stranger = CONTEXT.Process(target=take_by_clock, args=(url, operation, told), daemon=True)
    clock.start(stranger)
    await asyncio.to_thread(stranger.join, PATIENCE)
    at, was_free = json.loads(told.read_text())
    assert abs(at - time.time() - jump) < HOUR / 2, "the clock is not wrong"
    assert was_free is free
    assert await Journal(engine).read(operation) == []


def job_of(ground: FakeGround, order: Order) -> Job:
    """What the worker is told."""
    log = ground.folder / "worker.log"
    return Job(order.verb, order.operation, order.request, ground.settings, ground.far, PREFECT_API_URL.value() or "", log)


async def until_it_works(ground: FakeGround, order: Order, worker: BaseProcess) -> None:
    """The worker has some of its steps behind it, and others before it."""
    async with asyncio.timeout(PATIENCE):
        while len(await ground.journal.read(order.operation)) < 4:
            assert worker.is_alive(), (ground.folder / "worker.log").read_text()
            await asyncio.sleep(0.02)
