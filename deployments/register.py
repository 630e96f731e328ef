"""Tell the Prefect server what there is to run; a second call finds nothing to change.

Run it with `python -m deployments.register`. What is deployed stands in `deployments/prefect.yaml`, in one place to read.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

ROOT = Path(__file__).resolve().parent.parent
# Half of the default command's start time; named in full, because the worker runs it with a PATH of its own.
ENGINE = f"{sys.executable} -m prefect.engine"
DECLARED = Path(__file__).with_name("prefect.yaml")


async def register() -> list[str]:
    """Create or update the work pool and every deployment; returns the deployments' names."""
    declared = yaml.safe_load(DECLARED.read_text())
    async with get_client() as client:
        for pool in sorted({deployment["work_pool"]["name"] for deployment in declared["deployments"]}):
            await _ensure_pool(client, pool)
        return [await _deploy(client, deployment) for deployment in declared["deployments"]]


async def _ensure_pool(client: PrefectClient, name: str) -> None:
    template = ProcessWorker.get_default_base_job_template()
    try:
        await client.create_work_pool(WorkPoolCreate(name=name, type="process", base_job_template=template))
    except ObjectAlreadyExists:
        return


async def _deploy(client: PrefectClient, declared: dict[str, Any]) -> str:
    # A flow that cannot be imported must fail here, not hide behind a placeholder.
    flow: Any = load_flow_from_entrypoint(declared["entrypoint"], use_placeholder_flow=False)
    flow_id = await client.create_flow_from_name(flow.name)
    await client.create_deployment(
        flow_id,
        declared["name"],
        description=declared["description"],
        tags=declared["tags"],
        entrypoint=declared["entrypoint"],
        path=str(ROOT),
        pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}],
        work_pool_name=declared["work_pool"]["name"],
        job_variables={"command": ENGINE},
        parameter_openapi_schema=parameter_schema(flow).model_dump_for_openapi(),
        enforce_parameter_schema=True,
    )
    return f"{flow.name}/{declared['name']}"


def main() -> None:
    """Register and say what there is."""
    sys.path.insert(0, str(ROOT))
    for name in asyncio.run(register()):
        sys.stdout.write(f"registered {name}\n")


if __name__ == "__main__":
    main()
