"""The one place that starts a carrying run; starting twice is harmless, because the lease decides who carries."""

from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException

from blocks.catalog.operations import Operations
from blocks.domain.errors import Transient

# The deployment that carries each verb, as flow/deployment.
CARRIERS = {"install": "install-plugin/install-plugin", "uninstall": "uninstall-plugin/uninstall-plugin"}


async def dispatch(operations: Operations, operation: UUID) -> None:
    """Start a flow run that carries the operation, or raise `Transient`: then it waits in the database until the keeper asks again."""
    order = await operations.order(operation)
    attempt = await operations.start_attempt(operation)
    parameters: dict[str, object] = {"operation": str(operation)}
    if order.verb == "install":
        parameters["request"] = order.request.model_dump(mode="json", by_alias=True)
    try:
        flow_run = await _create_run(CARRIERS[order.verb], parameters, f"{operation}:{attempt}")
    except (httpx.HTTPError, PrefectException, OSError) as problem:
        raise Transient("Prefect did not start the run", "the operation waits; see whether the Prefect server runs") from problem
    await operations.note_run(operation, flow_run)


async def _create_run(name: str, parameters: dict[str, object], key: str) -> str:
    async with get_client() as client:
        deployment = await client.read_deployment_by_name(name)
        run = await client.create_flow_run_from_deployment(deployment.id, parameters=parameters, idempotency_key=key)
    return str(run.id)
