"""Starting a run: on both databases and a real Prefect server, which is away or empty where the test says so."""

import asyncio
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.requests import Asked
from blocks.catalog.set_requests import SetRequests
from blocks.domain.errors import Transient
from blocks.domain.plugin_sets import SetRequest
from deployments.dispatch import CARRIERS, SET_CARRIER, Unregistered
from deployments.register import register
from tests.builders import make_request
from tests.deployments.runs import NOWHERE, POOLS, Record, forget_deployments, runs_of

pytestmark = pytest.mark.usefixtures("registered")
REQUEST = make_request().model_dump(mode="json", by_alias=True)


@pytest.fixture(scope="module")
def registered(prefect_server: None) -> None:
    asyncio.run(register(POOLS))


@pytest.fixture
def record(engine: AsyncEngine) -> Record:
    return Record(engine)


async def carrier_of(operation: UUID) -> str:
    (run,) = await runs_of(operation)
    async with get_client() as client:
        return (await client.read_flow(run.flow_id)).name


@pytest.mark.parametrize("verb", CARRIERS)
async def test_every_verb_has_a_flow_that_carries_it(record: Record, verb: str) -> None:
    operation = await record.ask(verb=verb)
    await record.dispatch()(operation)
    assert await carrier_of(operation) == CARRIERS[verb]
    (run,) = await runs_of(operation)
    typed = {"request": REQUEST} if CARRIERS[verb] in ("install-plugin", "plan-plugin") else {}
    assert run.parameters == {"operation": str(operation)} | typed
    assert (await record.see(operation)).flow_run == str(run.id)


async def test_whichever_of_a_set_is_to_be_carried_one_run_carries_them_all(record: Record) -> None:
    wanted = SetRequest.model_validate({"name": "pair", "plugins": [make_request(plugin={"name": name}) for name in ("a", "b")]})
    asked = await SetRequests(record.engine).request_set(wanted, Asked("ann"))
    for operation in reversed(asked.operations):
        await record.dispatch()(operation)
    first, last = asked.operations
    assert await carrier_of(last) == SET_CARRIER
    (run,) = await runs_of(last)
    assert (run.parameters, await runs_of(first)) == ({"operation": str(last)}, [])
    assert [(await record.see(one)).flow_run for one in asked.operations] == [str(run.id)] * 2


async def test_asking_at_once_starts_one_run(record: Record) -> None:
    operation = await record.ask()
    await asyncio.gather(*(record.dispatch()(operation) for _ in range(5)))
    await record.dispatch()(operation)
    assert len(await runs_of(operation)) == 1
    assert (await record.see(operation)).attempt == 1


async def test_the_next_run_is_another_one(record: Record) -> None:
    operation = await record.ask()
    await record.dispatch()(operation)
    await record.set(operation, "dispatched_at", 0)
    await record.dispatch()(operation)
    first, second = await runs_of(operation)
    assert first.id != second.id
    assert (await record.see(operation)).flow_run == str(second.id)


async def test_a_run_that_prefect_did_not_take_is_not_waited_for(record: Record) -> None:
    operation = await record.ask()
    with temporary_settings({PREFECT_API_URL: NOWHERE}), pytest.raises(Transient, match="did not start"):
        await record.dispatch()(operation)
    assert (await record.see(operation)).attempt == 0
    await record.dispatch()(operation)
    assert (await record.see(operation)).attempt == 1


async def test_an_empty_prefect_is_told_apart_from_one_that_is_away(record: Record) -> None:
    operation = await record.ask()
    await forget_deployments()
    with pytest.raises(Unregistered, match="does not know our deployments"):
        await record.dispatch()(operation)
    assert (await record.see(operation)).attempt == 0
    await register(POOLS)


async def test_whoever_has_no_slot_starts_nothing_and_keeps_its_place(record: Record) -> None:
    running, waiting, urgent = [await record.ask(tenant) for tenant in ("a", "b", "c")]
    await record.set(urgent, "priority", 9)
    start, slots = record.dispatch(1), record.slots(1)
    for operation in (urgent, running, waiting):
        await start(operation)
    assert len(await runs_of(urgent)) == 1
    assert await runs_of(running) == await runs_of(waiting) == []
    assert [await slots.place(operation) for operation in (urgent, running, waiting)] == [0, 1, 2]
    assert (await record.see(waiting)).attempt == 0
