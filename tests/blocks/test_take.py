"""A run that comes while another worker's lease stands: it waits for a dead one and ends at once for a living one. On both databases."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.requests import Asked, Requests
from blocks.domain.errors import LeaseLost
from blocks.domain.journal import Fact, Kind
from blocks.work import kept, take
from tests.builders import make_request


@pytest.fixture
async def operation(engine: AsyncEngine) -> UUID:
    return (await Requests(engine).request_install(make_request(), Asked("ann"))).operation


async def test_takes_what_is_free(engine: AsyncEngine, operation: UUID) -> None:
    assert (await take(Leases(engine, ttl=60), operation, "b")).holder == "b"


async def test_waits_until_the_lease_of_a_dead_worker_runs_out_and_not_less(engine: AsyncEngine, operation: UUID) -> None:
    dead = await Leases(engine, ttl=0.6).acquire(operation, "a")
    leases = Leases(engine, ttl=60)
    _, left = await leases.runs_out(operation)
    assert 0 < left <= 0.6
    alive = await take(leases, operation, "b")
    assert alive.token == dead.token + 1
    with pytest.raises(LeaseLost):
        await leases.renew(dead)


async def test_ends_quietly_as_soon_as_the_other_worker_is_heard_of(engine: AsyncEngine, operation: UUID) -> None:
    leases = Leases(engine, ttl=300)
    lease = await leases.acquire(operation, "a")
    async with kept(leases, lease, every=0.05), asyncio.timeout(120):
        with pytest.raises(LeaseLost):
            await take(leases, operation, "b")
    await leases.renew(lease)


async def test_ends_at_once_where_there_is_nothing_to_carry(engine: AsyncEngine, operation: UUID) -> None:
    leases = Leases(engine, ttl=60)
    lease = await leases.acquire(operation, "a")
    await Journal(engine).append(lease, Fact("operation", Kind.FINISHED, "a"))
    assert await leases.runs_out(operation) == (0, 0.0)
    with pytest.raises(LeaseLost):
        await take(leases, operation, "b")


async def test_a_lease_that_ran_out_between_two_questions_is_tried_again(engine: AsyncEngine, operation: UUID) -> None:
    await Leases(engine, ttl=0).acquire(operation, "a")
    await asyncio.sleep(0.01)
    _, left = await Leases(engine, ttl=60).runs_out(operation)
    assert left > 0
