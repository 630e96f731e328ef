"""Installations: seen and read. What changes them is in `wishes.py` and `words.py`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from blocks.catalog.views import Wanted
from blocks.domain.errors import PipelineError
from blocks.domain.journal import Phase
from blocks.domain.manifest import Label
from blocks.domain.status import InstallationView
from blocks.domain.traffic import Side
from deployments.api.asked import Asked
from deployments.api.condition import HealthShown
from deployments.api.past import PastList, PastShown
from deployments.api.shapes import InstallationList, InstallationShown
from deployments.api.shown import INSTALLATIONS
from deployments.api.streaming import stream
from deployments.api.visit import OpenVisit, Visit

router = APIRouter(prefix="/api/v1", tags=["installations"])


class ListAsked(Asked):
    """Which installations are asked for, and how many at once."""

    tenant: Label | None = None
    environment: Literal["dev", "staging", "prod"] | None = None
    phase: Phase | None = None
    limit: int = Field(default=50, ge=1, le=200)
    after: UUID | None = Field(default=None, description="`next` of the page before")


class LookAsked(Asked):
    """How closely it is looked at."""

    traffic: bool = Field(default=False, description="ask the cluster, too: which revision answers how many, with which pods")


class LogsAsked(Asked):
    """How many lines of each pod, from the end."""

    tail: int = Field(default=200, ge=1, le=10_000)


@router.get("/installations")
async def list_installations(asked: Annotated[ListAsked, Query()], visit: OpenVisit, response: Response) -> InstallationList:
    """The installations of the caller's tenants, a page at a time and without their steps."""
    wanted = Wanted(tenants_of(visit, asked.tenant), asked.environment, asked.phase)
    page = await visit.ports.views.installations(wanted, asked.limit, str(asked.after) if asked.after else None)
    if page.next:
        kept = asked.model_dump(mode="json", exclude_none=True, exclude={"after"})
        query = "&".join(f"{name}={value}" for name, value in {**kept, "after": page.next}.items())
        response.headers["Link"] = f'<{INSTALLATIONS}?{query}>; rel="next"'
    items = tuple(InstallationShown.of(view, visit.ports.prefect_ui) for view in page.items)
    return InstallationList(items=items, next=page.next)


@router.get("/installations/{installation}")
async def read_installation(installation: UUID, asked: Annotated[LookAsked, Query()], visit: OpenVisit) -> InstallationShown:
    """One installation: what serves, the newest operation, its steps with times and results, and why it stands there."""
    view = await visit.find(installation)
    return InstallationShown.of(view, visit.ports.prefect_ui, await _see_traffic(visit, view) if asked.traffic else None)


@router.get("/installations/{installation}/health")
async def read_health(installation: UUID, visit: OpenVisit) -> HealthShown:
    """How it is with what serves, as the keeper found when it last asked; what nobody has asked for too long is `unknown`."""
    return HealthShown.of((await visit.find(installation)).health)


@router.get("/installations/{installation}/revisions")
async def list_revisions(installation: UUID, visit: OpenVisit) -> PastList:
    """What served and serves, the last first; up to ten before the one that serves can be gone back to."""
    view = await visit.find(installation)
    return PastList(items=tuple(PastShown.of(past) for past in await visit.ports.views.revisions(view.id)))


@router.get("/installations/{installation}/logs", response_class=StreamingResponse)
async def read_logs(installation: UUID, asked: Annotated[LogsAsked, Query()], visit: OpenVisit) -> StreamingResponse:
    """The plugin's own last words, as plain text."""
    return await stream(visit.ports.logs(await visit.find(installation), asked.tail), "text/plain; charset=utf-8")


async def _see_traffic(visit: Visit, view: InstallationView) -> tuple[Side, ...] | None:
    """Who answers people; not known while the cluster does not answer, and the rest is shown all the same."""
    try:
        return await visit.ports.sides(view)
    except PipelineError:
        return None


def tenants_of(visit: Visit, asked: str | None) -> frozenset[str] | None:
    """The tenants that the caller sees and asked for; None means all of them."""
    if asked is None:
        return visit.caller.tenants
    return frozenset({asked}) if visit.caller.sees(asked) else frozenset()
