"""The one place that starts a carrying run; starting twice is harmless, because the lease decides who carries."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound, PrefectException

from blocks.catalog.slots import Slots
from blocks.catalog.starts import Start, Starts
from blocks.domain.errors import Transient
from blocks.domain.pools import Place, Pools

# The flow that carries each verb; its deployment has the same name.
CARRIERS: Mapping[str, str] = MappingProxyType(
    {
        "install": "install-plugin",
        "update": "install-plugin",
        "plan": "plan-plugin",
        "uninstall": "uninstall-plugin",
        "rollback": "rollback-plugin",
        "enable": "switch-plugin",
        "disable": "switch-plugin",
        "reload": "switch-plugin",
    }
)
# Whichever operation of a set is to be carried: one run carries them all.
SET_CARRIER = "install-set"
# These can also be begun by people on Prefect's page, who type the request.
WITH_REQUEST = frozenset({"install", "update", "plan"})
# A run that was started needs this long at most to take its lease (a worker's poll and a Python start on a busy machine).
START_TIME = 60.0
HINT = "the operation waits; see whether the Prefect server runs and `make up` has registered this version's flows"


class Unregistered(Transient):
    """Prefect does not know our deployments: it is new, or its database was emptied."""

    code = "unregistered"


class Dispatch:
    """Starts what carries operations, each in the work pool that is configured for it."""

    def __init__(self, starts: Starts, slots: Slots, pools: Pools) -> None:
        self._starts, self._slots, self._pools = starts, slots, pools

    async def __call__(self, operation: UUID) -> None:
        """Start a flow run that carries the operation, once it has a slot and if none is expected; until then it waits in the queue.

        Raises `Transient` when Prefect does not start it: then it waits in the database until the keeper asks again. A run counts as
        started only after Prefect took it, so that nobody waits for one that never was; until it counts, asking again leads to the same
        run.
        """
        if await self._slots.take(operation):
            return
        start = await self._starts.upcoming(operation, START_TIME)
        if not start.due:
            return
        try:
            flow_run = await self._create_run(start)
        except ObjectNotFound as problem:
            raise Unregistered("Prefect does not know our deployments", "the keeper registers them again") from problem
        except (httpx.HTTPError, PrefectException, OSError) as problem:
            said, *_ = f"{problem or type(problem).__name__}".splitlines()
            raise Transient(f"Prefect did not start the run: {said}", HINT) from problem
        await self._starts.note(start, flow_run)

    async def _create_run(self, start: Start) -> str:
        carrier = SET_CARRIER if start.together else CARRIERS[start.verb]
        parameters: dict[str, object] = {"operation": str(start.operation)}
        if start.verb in WITH_REQUEST and not start.together:
            parameters["request"] = start.request.model_dump(mode="json", by_alias=True)
        name = self._pools.deployment(carrier, Place(start.request.environment, start.request.tenant))
        key = f"{start.operation}:{start.number}"
        async with get_client() as client:
            deployment = await client.read_deployment_by_name(f"{carrier}/{name}")
            run = await client.create_flow_run_from_deployment(
                deployment.id, parameters=parameters, idempotency_key=key, job_variables={"labels": _labels(start)}
            )
        return str(run.id)


def _labels(start: Start) -> dict[str, str]:
    return {"plugin-pipeline.io/operation": str(start.operation), "plugin-pipeline.io/installation": str(start.installation)}
