"""Expiry decides who may take, the token decides who may write: the same on both databases."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Lease, Leases
from blocks.catalog.operations import Operations
from blocks.domain.errors import ChainBroken, LeaseLost
from blocks.domain.journal import Fact, Kind
from tests.builders import make_request

FACT = Fact("build", Kind.INTENDED, "ann")


@dataclass(frozen=True)
class Record:
    """One recorded operation and who may write it."""

    engine: AsyncEngine
    journal: Journal
    leases: Leases
    operation: UUID

    async def take_expired(self) -> Lease:
        """A lease that has run out already."""
        lease = await Leases(self.engine, ttl=0).acquire(self.operation, "slow")
        await asyncio.sleep(0.01)
        return lease


@pytest.fixture
async def record(engine: AsyncEngine) -> Record:
    """One operation in an otherwise empty record."""
    asked = await Operations(engine).request_install(make_request(), "ann", None)
    return Record(engine, Journal(engine), Leases(engine, ttl=60), asked.operation)


async def test_outdated_token_writes_nothing(record: Record) -> None:
    """Neither entry nor phase, head or counter."""
    stale = await record.take_expired()
    current = await record.leases.acquire(record.operation, "b")
    for refused in (record.journal.append(stale, FACT), record.leases.renew(stale), record.leases.release(stale)):
        with pytest.raises(LeaseLost):
            await refused
    assert (await record.journal.append(current, FACT)).seq == 1
    assert len(await record.journal.read(record.operation)) == 1


async def test_expired_lease_that_nobody_took_still_writes(record: Record) -> None:
    """A slow renewal alone loses nothing."""
    lease = await record.take_expired()
    assert (await record.journal.append(lease, FACT)).token == lease.token


async def test_one_of_ten_gets_the_lease(record: Record) -> None:
    """Whoever comes first."""
    tries = [record.leases.acquire(record.operation, str(n)) for n in range(10)]
    outcome = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one) is Lease for one in outcome) == [False] * 9 + [True]


async def test_parallel_steps_share_one_chain(record: Record) -> None:
    """Appends of one worker queue at the row."""
    lease = await record.leases.acquire(record.operation, "a")
    await asyncio.gather(*(record.journal.append(lease, FACT) for _ in range(20)))
    assert [entry.seq for entry in await record.journal.read(record.operation)] == list(range(1, 21))


async def test_finished_operation_is_not_taken_up_again(record: Record) -> None:
    """A run that was started twice, or again by hand on Prefect's page, changes nothing."""
    lease = await record.leases.acquire(record.operation, "a")
    await record.journal.append(lease, Fact("operation", Kind.FINISHED, "a"))
    await record.leases.release(lease)
    with pytest.raises(LeaseLost):
        await record.leases.acquire(record.operation, "a")


async def test_edited_journal_is_not_read(record: Record) -> None:
    """Whoever edits a line in the database is noticed at the next look."""
    lease = await record.leases.acquire(record.operation, "a")
    await record.journal.append(lease, FACT)
    async with record.engine.begin() as database:
        await database.execute(text("UPDATE journal SET actor = 'eve'"))
    with pytest.raises(ChainBroken, match="entry 1"):
        await record.journal.read(record.operation)


async def test_idle_is_what_waits_and_is_held_by_nobody(record: Record) -> None:
    """Neither what is held nor what was started a moment ago."""
    operations = Operations(record.engine)
    assert await record.leases.idle(60) == [record.operation]
    await operations.start_attempt(record.operation)
    assert await record.leases.idle(60) == []
    await asyncio.sleep(0.01)
    await record.take_expired()
    assert await record.leases.idle(60) == [record.operation], "its worker died: no reason for patience"
    await record.leases.acquire(record.operation, "b")
    assert await record.leases.idle(0) == []
