"""Tell the Prefect server what there is: pools, flows, schedules, limits, automations; a second call finds nothing to change.

Run it with `python -m deployments.register`. What is declared stands in `deployments/prefect.yaml`, in one place to read; what differs on
the server is set to what is declared, and what somebody added there is left alone. `--server` prints what only the server's own
environment can say.
"""

import asyncio
import sys
from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from blocks.domain.errors import Refused
from blocks.domain.pools import Pools
from blocks.settings import read_settings
from deployments.declared import TAG, DeclaredDeployment, DeclaredPool, read_declared


async def register(pools: Pools, image: str = "") -> list[str]:
    """What had to be created or changed, a line each, so that the server knows everything that is declared.

    Pools whose runs are containers run this image.
    """
    declared, changed = read_declared(), list[str]()
    async with get_client() as client:
        for name, pool in declared.pools.items():
            changed += await _ensure_pool(client, name, pool, image)
        for deployment in declared.deployments:
            for name in pools.running(deployment.flow):
                if name not in declared.pools:
                    raise Refused(f"there is no work pool {name}", f"one of {', '.join(declared.pools)}")
                wanted = _wanted(deployment, name, declared.pools[name])
                if name == pools.of(deployment.flow):
                    # What runs by itself does so once, in its main pool.
                    wanted["schedules"] = _times(deployment)
                named = f"{deployment.flow}/{pools.named(deployment.flow, name)}"
                changed += await _ensure_deployment(client, named, wanted)
        for automation in declared.automations:
            changed += await _ensure_automation(client, automation)
    return changed


async def _ensure_pool(client: PrefectClient, name: str, pool: DeclaredPool, image: str) -> list[str]:
    wanted = {
        "description": pool.description,
        "concurrency_limit": pool.concurrency_limit,
        "base_job_template": pool.template_for(image),
    }
    try:
        await client.create_work_pool(WorkPoolCreate(name=name, type=pool.type, **wanted))
    except ObjectAlreadyExists:
        found = await client.read_work_pool(name)
        if found.type != pool.type:
            raise Refused(f"work pool {name} is of type {found.type}", f"delete it; it is made again as {pool.type}") from None
        if _same(found, wanted):
            return []
        await client.update_work_pool(name, WorkPoolUpdate(**wanted))
        return [f"changed work pool {name}"]
    return [f"created work pool {name}"]


def _wanted(declared: DeclaredDeployment, pool: str, its: DeclaredPool) -> dict[str, Any]:
    # A flow that cannot be imported must fail here, not hide behind a placeholder.
    flow: Any = load_flow_from_entrypoint(declared.entrypoint, use_placeholder_flow=False)
    return {
        "description": declared.description,
        "tags": [TAG],
        "entrypoint": declared.entrypoint,
        "work_pool_name": pool,
        "job_variables": its.variables_for(declared.kind),
        "parameter_openapi_schema": parameter_schema(flow).model_dump_for_openapi(),
        "enforce_parameter_schema": True,
        "concurrency_limit": declared.concurrency_limit,
        # Where the product is installed is the pool's concern: its runs begin in the right folder.
        "pull_steps": [],
        "schedules": [],
    }


def _times(declared: DeclaredDeployment) -> list[DeploymentScheduleCreate]:
    return [
        DeploymentScheduleCreate(slug=one.slug, schedule=CronSchedule(cron=one.cron, timezone="UTC"))
        for one in declared.schedules
    ]


async def _ensure_deployment(client: PrefectClient, full_name: str, wanted: dict[str, Any]) -> list[str]:
    flow_name, _, name = full_name.partition("/")
    try:
        found: DeploymentResponse | None = await client.read_deployment_by_name(full_name)
    except ObjectNotFound:
        found = None
    plain = {name: value for name, value in wanted.items() if name not in ("schedules", "concurrency_limit", "pull_steps")}
    if found and _same(found, plain) and not found.pull_steps and _same_times(found, wanted):
        return []
    await client.create_deployment(await client.create_flow_from_name(flow_name), name, **wanted)
    return [f"{'changed' if found else 'created'} deployment {full_name}"]


def _same(found: Any, wanted: dict[str, Any]) -> bool:
    return all(getattr(found, name) == value for name, value in wanted.items())


def _same_times(found: DeploymentResponse, wanted: dict[str, Any]) -> bool:
    limit = found.global_concurrency_limit.limit if found.global_concurrency_limit else None
    said = {one.slug: one.schedule for one in wanted["schedules"]}
    return limit == wanted["concurrency_limit"] and said == {one.slug: one.schedule for one in found.schedules}


async def _ensure_automation(client: PrefectClient, wanted: AutomationCore) -> list[str]:
    for found in await client.read_automations_by_name(wanted.name):
        if _told(found) == _told(wanted):
            return []
        await client.update_automation(found.id, wanted.model_copy(update={"enabled": found.enabled}))
        return [f"changed automation {wanted.name}"]
    await client.create_automation(wanted)
    return [f"created automation {wanted.name}"]


def _told(automation: AutomationCore) -> dict[str, Any]:
    # Whether it is switched on is for people to say on Prefect's page.
    return AutomationCore.model_validate(automation.model_dump()).model_dump(exclude={"enabled"})


def main() -> None:
    """Register and say what changed; `--server` only prints the server's own settings."""
    if sys.argv[1:] == ["--server"]:
        sys.stdout.writelines(f"{name}={value}\n" for name, value in read_declared().server.items())
        return
    settings = read_settings()
    changed = asyncio.run(register(Pools.read(settings.work_pools), settings.pipeline_image))
    sys.stdout.writelines(f"{line}\n" for line in changed or ["nothing to change"])


if __name__ == "__main__":
    main()
