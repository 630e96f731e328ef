"""Runs of operations: counted once, and only those that began to work lead somewhere."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.starts import Starts
from blocks.domain.errors import Terminal
from blocks.domain.journal import Fact, Kind
from tests.builders import make_request


@dataclass(frozen=True)
class Record:
    """One operation in an otherwise empty record."""

    starts: Starts
    leases: Leases
    journal: Journal
    operation: UUID

    async def start(self, times: int = 1) -> None:
        """So many runs are started."""
        for _ in range(times):
            start = await self.starts.upcoming(self.operation)
            await self.starts.note(start, f"run-{start.number}")


@pytest.fixture
async def record(engine: AsyncEngine) -> Record:
    """One operation that waits for its first run."""
    asked = await Requests(engine).request_install(make_request(), Asked("ann"))
    return Record(Starts(engine), Leases(engine, ttl=60), Journal(engine), asked.operation)


async def test_the_same_run_comes_next_until_it_is_noted(record: Record) -> None:
    first, again = [await record.starts.upcoming(record.operation) for _ in range(2)]
    assert first == again
    assert (first.number, first.verb, first.request) == (1, "install", make_request())
    await record.starts.note(first, "run-1")
    assert (await record.starts.upcoming(record.operation)).number == 2


async def test_two_processes_that_start_one_run_count_it_once(record: Record) -> None:
    start = await record.starts.upcoming(record.operation)
    await asyncio.gather(*(record.starts.note(start, "run-1") for _ in range(5)))
    assert (await record.starts.upcoming(record.operation)).number == 2
    assert await record.starts.in_vain(2) == frozenset()


async def test_a_started_run_is_given_time_to_come(record: Record) -> None:
    assert await record.leases.idle(60) == [record.operation]
    await record.start()
    assert await record.leases.idle(60) == []


async def test_runs_that_never_began_to_work_are_in_vain_until_one_does(record: Record) -> None:
    await record.start(3)
    assert await record.starts.in_vain(4) == frozenset()
    assert await record.starts.in_vain(3) == {record.operation}
    await record.leases.acquire(record.operation, "a")
    assert await record.starts.in_vain(1) == frozenset()
    assert (await record.starts.upcoming(record.operation)).number == 4


async def test_people_are_led_to_the_run_that_carries_it_whatever_was_started_beside(record: Record) -> None:
    beside = await record.starts.upcoming(record.operation)
    lease = await record.leases.acquire(record.operation, "a", run="by-hand")
    await record.starts.note(beside, "beside")
    assert await record.starts.on_their_way() == {"by-hand": record.operation}
    await record.leases.release(lease)
    await record.start()
    assert await record.starts.on_their_way() == {"run-2": record.operation}
    await record.leases.acquire(record.operation, "b", run="other")
    assert await record.starts.on_their_way() == {"other": record.operation}


async def test_what_goes_forwards_is_on_its_way_with_its_last_run(record: Record) -> None:
    assert await record.starts.on_their_way() == {}
    await record.start(2)
    assert await record.starts.on_their_way() == {"run-2": record.operation}
    lease = await record.leases.acquire(record.operation, "a")
    await record.journal.append(lease, Fact("build", Kind.INTENDED, "a"))
    assert await record.starts.on_their_way() == {"run-2": record.operation}
    await record.journal.append(lease, Fact("operation", Kind.FAILED, "a", '{"code":"x","message":"y"}'))
    assert await record.starts.on_their_way() == {}


async def test_what_ended_is_never_in_vain(record: Record) -> None:
    await record.start()
    lease = await record.leases.acquire(record.operation, "a")
    await record.journal.append(lease, Fact("operation", Kind.FINISHED, "a"))
    assert await record.starts.in_vain(0) == frozenset()


async def test_the_next_expiry_is_that_of_the_lease_that_runs_out_first(record: Record, engine: AsyncEngine) -> None:
    assert await record.starts.next_expiry() is None
    lease = await record.leases.acquire(record.operation, "a")
    other = await Requests(engine).request_install(make_request(tenant="other"), Asked("ann"))
    await Leases(engine, ttl=30).acquire(other.operation, "b")
    left = await record.starts.next_expiry()
    assert left is not None
    assert 0 < left <= 30
    await record.leases.release(lease)
    assert await record.starts.next_expiry() is not None


async def test_a_lease_that_was_given_back_does_not_run_out(record: Record) -> None:
    await record.leases.release(await record.leases.acquire(record.operation, "a"))
    assert await record.starts.next_expiry() is None


@pytest.mark.parametrize(
    ("left", "found"),
    [pytest.param(1, 0, id="renewed just now"), pytest.param(61, 1, id="so little left that its holder may be dead")],
)
async def test_a_silent_worker_is_noticed_before_its_lease_runs_out(record: Record, left: float, found: int) -> None:
    await record.leases.acquire(record.operation, "a")
    await asyncio.sleep(0.01)
    assert await record.starts.overdue(60, left) == [record.operation] * found


async def test_beside_a_silent_worker_one_run_is_started_until_it_is_heard_of_again(record: Record, engine: AsyncEngine) -> None:
    brief = Leases(engine, ttl=30)
    lease = await brief.acquire(record.operation, "a")
    await asyncio.sleep(0.01)
    assert await record.starts.overdue(30, 30) == [record.operation]
    await record.start()
    assert await record.starts.overdue(30, 30) == []
    assert await record.starts.in_vain(1) == frozenset()
    await pass_by(engine, 31)
    assert await record.leases.idle(60) == [], "the run that was started is expected now"
    await brief.renew(lease)
    await asyncio.sleep(0.01)
    assert await record.starts.overdue(30, 30) == [record.operation]
    await pass_by(engine, 31)
    assert await record.leases.idle(60) == [record.operation], "it was heard of since, and fell silent again"


async def pass_by(engine: AsyncEngine, seconds: int) -> None:
    """So many seconds pass, as far as the record can tell: a lease that were so short would run out on a busy machine by itself."""
    moved = ", ".join(f"{name} = {name} - {seconds * 1000}" for name in ("expires", "dispatched_at"))
    async with engine.begin() as database:
        await database.execute(text(f"UPDATE operation SET {moved}"))


async def test_a_lease_that_ran_out_is_not_overdue_but_free(record: Record, engine: AsyncEngine) -> None:
    await Leases(engine, ttl=0.001).acquire(record.operation, "a")
    await asyncio.sleep(0.01)
    assert await record.starts.overdue(60, 61) == []


async def test_an_operation_that_nobody_asked_for_has_no_run(record: Record) -> None:
    with pytest.raises(Terminal, match="there is no operation"):
        await record.starts.upcoming(uuid4())
