"""Expiry decides who may take, the token decides who may write: the same on both databases."""

import asyncio

import pytest

from blocks.catalog.leases import Lease, Leases
from blocks.catalog.requests import Asked, Requests
from blocks.domain.errors import ChainBroken, LeaseLost
from blocks.domain.journal import Fact, Kind
from tests.blocks.catalog.records import Record
from tests.builders import make_request

FACT = Fact("build", Kind.INTENDED, "ann")


async def take_expired(record: Record) -> Lease:
    """A lease that has run out already."""
    lease = await Leases(record.engine, ttl=0).acquire(record.operation, "slow")
    await asyncio.sleep(0.01)
    return lease


async def test_outdated_token_writes_nothing(record: Record) -> None:
    """Neither entry nor phase, head or counter."""
    stale = await take_expired(record)
    current = await record.leases.acquire(record.operation, "b")
    for refused in (record.journal.append(stale, FACT), record.leases.renew(stale), record.leases.release(stale)):
        with pytest.raises(LeaseLost):
            await refused
    assert (await record.journal.append(current, FACT)).seq == 1
    assert len(await record.journal.read(record.operation)) == 1


async def test_expired_lease_that_nobody_took_still_writes(record: Record) -> None:
    """A slow renewal alone loses nothing."""
    lease = await take_expired(record)
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
    await record.sql("UPDATE journal SET actor = 'eve'")
    with pytest.raises(ChainBroken, match="entry 1"):
        await record.journal.read(record.operation)


async def test_idle_is_what_waits_and_is_held_by_nobody(record: Record) -> None:
    """Neither what is held nor what was started a moment ago."""
    assert await record.leases.idle(60) == [record.operation]
    await record.dispatch()
    assert await record.leases.idle(60) == []
    await asyncio.sleep(0.01)
    await take_expired(record)
    assert await record.leases.idle(60) == [record.operation], "its worker died: no reason for patience"
    await record.leases.acquire(record.operation, "b")
    assert await record.leases.idle(0) == []


async def test_a_kind_that_nobody_ever_wrote_breaks_the_chain(record: Record) -> None:
    """With a sentence, not with a traceback."""
    lease = await record.leases.acquire(record.operation, "a")
    await record.journal.append(lease, FACT)
    await record.sql("UPDATE journal SET kind = 'dreamt'")
    with pytest.raises(ChainBroken, match="entry 1"):
        await record.journal.read(record.operation)


async def test_the_most_urgent_comes_first_then_the_oldest(record: Record) -> None:
    """In the order in which a keeper starts them."""
    asked = [
        await Requests(record.engine).request_install(
            make_request(plugin={"name": name}, options={"priority": priority}), Asked("ann")
        )
        for name, priority in (("low", 0), ("high", 9), ("same", 1))
    ]
    low, high, same = (one.operation for one in asked)
    await record.sql("UPDATE operation SET created_at = created_at - 1000 WHERE id = :id")
    assert await record.leases.idle(60) == [high, record.operation, same, low]


async def test_who_takes_the_lease_ends_the_row_of_vain_starts(record: Record) -> None:
    """Runs that never came are counted only in a row."""
    await record.sql("UPDATE operation SET vain = 7 WHERE id = :id")
    await record.leases.acquire(record.operation, "a")
    assert await record.row("vain") == (0,)
