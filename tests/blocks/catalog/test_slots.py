"""At most so many operations are carried at a time, however many ask at once; the rest stand in a queue: on both databases."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.slots import Slots
from blocks.catalog.words import Words
from blocks.domain.approval import Speaker
from blocks.domain.journal import Fact, Kind
from tests.blocks.catalog.records import Record, make_record
from tests.builders import make_request

OPS = Speaker("ops", frozenset())


async def ask(engine: AsyncEngine, name: str, priority: int = 1) -> UUID:
    """One more operation that waits."""
    request = make_request(plugin={"name": name}, options={"priority": priority})
    asked = await Requests(engine).request_install(request, Asked("ann"))
    await asyncio.sleep(0.002)  # so that no two are equally old
    return asked.operation


@pytest.fixture
async def queue(engine: AsyncEngine) -> list[UUID]:
    """Five operations of the same priority, the oldest first."""
    return [await ask(engine, f"p{n}") for n in range(5)]


async def test_the_oldest_go_first_and_the_rest_stand_in_order(engine: AsyncEngine, queue: list[UUID]) -> None:
    """Whoever asks first does not push in."""
    slots = Slots(engine, most=2)
    assert [await slots.take(one) for one in reversed(queue)] == [5, 4, 3, 0, 0]
    assert [await slots.place(one) for one in queue] == [0, 0, 1, 2, 3]


async def test_priority_goes_before_age(engine: AsyncEngine, queue: list[UUID]) -> None:
    """The urgent one that came last is the next."""
    slots = Slots(engine, most=1)
    assert await slots.take(queue[0]) == 0
    urgent = await ask(engine, "urgent", priority=9)
    assert [await slots.take(one) for one in (queue[1], urgent)] == [2, 1]


async def test_taken_twice_is_one_slot(engine: AsyncEngine, queue: list[UUID]) -> None:
    """Whoever dispatches again what has a slot takes none from others."""
    slots = Slots(engine, most=2)
    assert [await slots.take(queue[0]) for _ in range(3)] == [0, 0, 0]
    assert await slots.take(queue[1]) == 0


async def test_never_too_many_however_many_ask_at_once(engine: AsyncEngine) -> None:
    """Forty dispatchers, ten slots."""
    operations = [await ask(engine, f"p{n}") for n in range(20)]
    slots = [Slots(engine, most=10) for _ in range(2)]
    places = await asyncio.gather(*(one.take(operation) for operation in operations for one in slots))
    assert places[0::2].count(0) >= 10
    assert [await slots[0].take(one) for one in operations] == [0] * 10 + list(range(1, 11))


@pytest.mark.parametrize(
    "kind", [Kind.FINISHED, Kind.WITHDRAWN, Kind.FROZEN, Kind.PARKED], ids=["finished", "withdrawn", "frozen", "parked"]
)
async def test_who_ends_or_parks_gives_the_slot_to_the_next(engine: AsyncEngine, queue: list[UUID], kind: Kind) -> None:
    """In the transaction that says so: nothing has to be cleaned up."""
    slots, leases = Slots(engine, most=1), Leases(engine, 60)
    assert [await slots.take(one) for one in queue[:2]] == [0, 1]
    lease = await leases.acquire(queue[0], "worker")
    await Journal(engine).append(lease, Fact("operation", kind, "worker"))
    await leases.release(lease)
    assert [await slots.place(one) for one in queue[:2]] == [0, 1], "what has ended stands in no queue"
    assert await slots.take(queue[1]) == 0


async def test_a_frozen_operation_gives_its_slot_and_takes_another(engine: AsyncEngine, queue: list[UUID]) -> None:
    """Words of people free it as well; whoever goes on stands in the queue by its age."""
    slots, words = Slots(engine, most=1), Words(engine)
    assert await slots.take(queue[0]) == 0
    await words.freeze(queue[0], OPS, "")
    assert await slots.take(queue[1]) == 0
    await words.unfreeze(queue[0], OPS, "")
    assert await slots.take(queue[0]) == 1


async def test_a_run_begun_without_a_slot_counts(engine: AsyncEngine, queue: list[UUID]) -> None:
    """On Prefect's page, say: the limit holds over all, and nobody waits for it in the queue."""
    lease = await Leases(engine, 60).acquire(queue[0], "somebody")
    slots = Slots(engine, most=1)
    assert [await slots.take(one) for one in queue[1:3]] == [1, 2]
    await Journal(engine).append(lease, Fact("operation", Kind.FINISHED, "somebody"))
    assert await slots.take(queue[1]) == 0


async def test_what_has_nothing_to_do_gets_no_slot(record: Record) -> None:
    """A run that is started all the same ends quietly, and no slot is lost to it."""
    await record.words.cancel(record.operation, OPS, "")
    assert await record.slots.take(record.operation) == 0
    assert await record.row("slot") in [(0,), (False,)]
    assert await record.slots.take(uuid4()) == 0


async def test_a_slot_outlives_who_took_it(engine: AsyncEngine, tmp_path: Path) -> None:
    """It is a fact of the record, not of a process."""
    record = await make_record(engine, tmp_path)
    await Slots(engine, most=1).take(record.operation)
    assert await Slots(engine, most=1).take(await ask(engine, "later")) == 1
