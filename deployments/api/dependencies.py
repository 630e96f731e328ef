"""Whether the tenant's other plugins are there that a release needs: answered from the record, without an operation."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import Field

from blocks.domain.deployment import ENVIRONMENTS, InEnvironment
from blocks.domain.manifest import Label, PackageName
from blocks.domain.neighbours import see_dependencies
from blocks.domain.watch import Spot
from deployments.api.asked import Asked
from deployments.api.deployed import DEPLOYMENTS, DependenciesShown
from deployments.api.deployment_examples import DEPENDENCIES_EXAMPLES
from deployments.api.visit import OpenVisit, Visit

router = APIRouter(prefix=DEPLOYMENTS, tags=["plugin deployments"])


class DependenciesAsked(Asked):
    """Which release is meant, for whom, and where it would be deployed."""

    plugin_id: PackageName = Field(examples=["payment-stripe"])
    plugin_version: str = Field(min_length=1, max_length=64, examples=["2.0.0"])
    tenant_id: Label = Field(examples=["tenant-acme-corp"])
    environment: InEnvironment = "prod"

    @property
    def spot(self) -> Spot:
        """What would be deployed, and where."""
        return Spot(self.tenant_id, self.environment, self.plugin_id)


@router.post("/validate-dependencies")
async def validate_dependencies(
    asked: Annotated[DependenciesAsked, Body(openapi_examples=DEPENDENCIES_EXAMPLES)], visit: OpenVisit
) -> DependenciesShown:
    """Which plugins the release needs, which of them are there, who needs it, and what stands in its way; nothing is begun.

    What it needs is read from what serves there, or else in another environment of the tenant. The packages inside the release are no
    part of the answer: a plan looks them up.
    """
    visit.must_see(asked.tenant_id)
    neighbours = await visit.ports.neighbours.neighbours(asked.tenant_id)
    here = next((one for one in neighbours if (one.environment, one.plugin) == (asked.environment, asked.plugin_id)), None)
    refused = await _why_refused(visit, asked, here.installation) if here else ""
    told = {name: getattr(asked, name) for name in ("plugin_id", "plugin_version", "tenant_id")}
    told["environment"] = ENVIRONMENTS[asked.environment]
    return DependenciesShown.of(told, see_dependencies(asked.spot, neighbours, refused))


async def _why_refused(visit: Visit, asked: DependenciesAsked, installation: UUID) -> str:
    """Why the release is not tried there, or nothing."""
    release = f"{asked.plugin_id}@{asked.plugin_version}"
    kept = [one for one in await visit.ports.views.quarantines(installation) if one.release == release and not one.lifted_at]
    return f"{release} was rolled back there: {kept[0].reason}" if kept else ""
