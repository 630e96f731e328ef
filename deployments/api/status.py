"""How the whole stands: which components answer, how much there is, which versions run."""

import platform
from collections import Counter
from importlib.metadata import version

from fastapi import APIRouter
from pydantic import Field

from blocks.catalog.views import Counts
from blocks.domain.errors import PipelineError
from deployments.api.identity import Caller
from deployments.api.ports import Views
from deployments.api.probes import ask_all
from deployments.api.release import own_version
from deployments.api.shown import Shown
from deployments.api.visit import OpenVisit

router = APIRouter(prefix="/api/v1", tags=["status"])


class Component(Shown):
    """One part of the world, and whether it answers."""

    name: str = Field(examples=["database"])
    reachable: bool
    message: str = Field(examples=["answers"])


class Amounts(Shown):
    """How much there is: installations of the caller's tenants by phase; operations only for a caller who sees every tenant."""

    installations: dict[str, int] = Field(examples=[{"succeeded": 3}])
    operations: dict[str, dict[str, int]] | None = Field(examples=[{"install": {"succeeded": 3}}])


class StatusShown(Shown):
    """The whole; `counts` is null when the record does not answer."""

    status: str = Field(description="ok, or degraded when a component does not answer", examples=["ok"])
    components: tuple[Component, ...]
    counts: Amounts | None
    versions: dict[str, str]


@router.get("/status")
async def read_status(visit: OpenVisit) -> StatusShown:
    """Whether each component answers now, how much there is and which versions run; it answers even when a component is away."""
    answers = await ask_all(visit.ports.probes)
    return StatusShown(
        status="ok" if all(answer.reachable for answer in answers) else "degraded",
        components=tuple(Component(**vars(answer)) for answer in answers),
        counts=await _count(visit.ports.views, visit.caller),
        versions={"pluginPipeline": own_version(), "prefect": version("prefect"), "python": platform.python_version()},
    )


def sum_up(counts: Counts, caller: Caller) -> Amounts:
    """What this caller may know of the counts."""
    installations: Counter[str] = Counter()
    for (tenant, phase), number in counts.installations.items():
        if caller.sees(tenant):
            installations[phase] += number
    operations: dict[str, dict[str, int]] = {}
    for (verb, phase), number in counts.operations.items():
        operations.setdefault(verb, {})[phase] = number
    return Amounts(installations=dict(installations), operations=operations if caller.tenants is None else None)


async def _count(views: Views, caller: Caller) -> Amounts | None:
    try:
        return sum_up(await views.counts(), caller)
    except PipelineError:
        # The probe of the database has said so in the same answer.
        return None
