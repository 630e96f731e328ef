"""Everything that is declared, told to a real and new Prefect server, and told again."""

import json
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate, WorkPoolUpdate
from prefect.events.schemas.automations import AutomationCore

from blocks.domain.errors import Refused
from blocks.domain.pools import Pools
from deployments.declared import FOLDER, read_declared
from deployments.dispatch import CARRIERS
from deployments.pools.embedded import POOL, EmbeddedWorker
from deployments.register import register
from tests.deployments.runs import POOLS, forget_deployments

pytestmark = pytest.mark.usefixtures("prefect_server")
INSTALL = "install-plugin/install-plugin"


async def forget(client: PrefectClient) -> None:
    """Prefect as after its database was emptied."""
    await forget_deployments()
    for automation in await client.read_automations():
        await client.delete_automation(automation.id)
    for pool in await client.read_work_pools():
        await client.delete_work_pool(pool.name)


async def everything(client: PrefectClient) -> list[dict[str, Any]]:
    """All that stands on the server, with every id and every time of change."""
    stands = [*await client.read_work_pools(), *await client.read_deployments(), *await client.read_automations()]
    # A pool says by itself whether its worker was heard of lately.
    return [one.model_dump(exclude={"status"}) for one in stands]


async def test_a_new_server_is_told_everything_and_the_second_time_nothing_differs() -> None:
    declared = read_declared()
    async with get_client() as client:
        await forget(client)
        told = await register(POOLS)
        assert len(told) == len(declared.pools) + len(declared.deployments) + len(declared.automations)
        assert all(line.startswith("created ") for line in told)
        before = await everything(client)
        assert await register(POOLS) == []
        assert await everything(client) == before


async def test_every_verb_has_a_deployment() -> None:
    assert {*CARRIERS.values()} <= {one.flow for one in read_declared().deployments}


async def test_in_a_second_pool_everything_can_run_and_nothing_runs_by_itself() -> None:
    await register(Pools.read("embedded,prod=kubernetes"))
    async with get_client() as client:
        first = await client.read_deployment_by_name("discover-plugins/discover-plugins")
        second = await client.read_deployment_by_name("discover-plugins/discover-plugins-kubernetes")
    assert [len(one.schedules) for one in (first, second)] == [1, 0]
    assert second.work_pool_name == "kubernetes"


async def test_what_somebody_changed_is_set_back_and_told() -> None:
    await register(POOLS)
    async with get_client() as client:
        deployment = await client.read_deployment_by_name(INSTALL)
        await client.update_deployment(deployment.id, DeploymentUpdate(description="mine"))
        await client.update_work_pool(POOL, WorkPoolUpdate(concurrency_limit=1))
        (automation,) = await client.read_automations()
        await client.update_automation(
            automation.id, AutomationCore(**automation.model_dump(exclude={"id", "owner_resource"}) | {"description": "mine"})
        )
        told = await register(POOLS)
        assert told == [f"changed work pool {POOL}", f"changed deployment {INSTALL}", f"changed automation {automation.name}"]
        assert (await client.read_deployment_by_name(INSTALL)).description == deployment.description
        assert (await client.read_work_pool(POOL)).concurrency_limit == read_declared().pools[POOL].concurrency_limit
        assert await register(POOLS) == []


async def test_what_somebody_switched_off_stays_off() -> None:
    await register(POOLS)
    async with get_client() as client:
        (automation,) = await client.read_automations()
        await client.pause_automation(automation.id)
        assert await register(POOLS) == []
        assert [one.enabled for one in await client.read_automations()] == [False]
        await client.resume_automation(automation.id)


async def test_a_pool_of_another_type_is_refused_with_what_to_do() -> None:
    async with get_client() as client:
        await forget(client)
        await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        with pytest.raises(Refused, match="of type process"):
            await register(POOLS)
        await forget(client)
    assert await register(POOLS)


async def test_a_pool_that_is_not_declared_is_refused_with_those_that_are() -> None:
    with pytest.raises(Refused, match="no work pool cloud") as refused:
        await register(Pools.read("embedded,prod=cloud"))
    assert POOL in refused.value.hint


def test_the_template_is_what_the_worker_understands() -> None:
    assert json.loads((FOLDER / "pools" / "embedded.json").read_text()) == EmbeddedWorker.get_default_base_job_template()
