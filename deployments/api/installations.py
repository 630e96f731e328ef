"""Installations: asked for, seen, read and taken away."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from blocks.catalog.operations import Requested
from blocks.catalog.views import Wanted
from blocks.domain.journal import Phase
from blocks.domain.manifest import InstallRequest, Label
from deployments.api.examples import INSTALL_EXAMPLES
from deployments.api.problems import Unknown
from deployments.api.shapes import INSTALLATIONS, Accepted, InstallationList, InstallationShown, OperationShown
from deployments.api.visit import OpenVisit, Visit

router = APIRouter(prefix="/api/v1", tags=["installations"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[!-~]+$")]


class Asked(BaseModel):
    """What a query may hold; a name that is not known is refused, so that a typing error is never a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ListAsked(Asked):
    """Which installations are asked for, and how many at once."""

    tenant: Label | None = None
    environment: Literal["dev", "staging", "prod"] | None = None
    phase: Phase | None = None
    limit: int = Field(default=50, ge=1, le=200)
    after: UUID | None = Field(default=None, description="`next` of the page before")


class LogsAsked(Asked):
    """How many lines of each pod, from the end."""

    tail: int = Field(default=200, ge=1, le=10_000)


class UninstallAsked(Asked):
    """Whether the plugin's own database goes too."""

    drop_data: bool = False


@router.post("/plugins/install", status_code=202)
async def install_plugin(
    request: Annotated[InstallRequest, Body(openapi_examples=INSTALL_EXAMPLES)],
    visit: OpenVisit,
    response: Response,
    key: Key = None,
) -> Accepted:
    """Install one plugin for one tenant in one environment.

    The answer comes at once; follow `Location` for the steps. The same `Idempotency-Key` with the same body within 24 hours is
    the same operation; an identical request that changes nothing begins nothing.
    """
    visit.must_change(request.tenant)
    asked = await visit.ports.operations.request_install(request, visit.caller.subject, key)
    return await _accept(visit, asked, response)


@router.get("/installations")
async def list_installations(asked: Annotated[ListAsked, Query()], visit: OpenVisit, response: Response) -> InstallationList:
    """The installations of the caller's tenants, a page at a time and without their steps."""
    wanted = Wanted(_tenants(visit, asked.tenant), asked.environment, asked.phase)
    page = await visit.ports.views.installations(wanted, asked.limit, str(asked.after) if asked.after else None)
    if page.next:
        kept = asked.model_dump(mode="json", exclude_none=True, exclude={"after"})
        query = "&".join(f"{name}={value}" for name, value in {**kept, "after": page.next}.items())
        response.headers["Link"] = f'<{INSTALLATIONS}?{query}>; rel="next"'
    items = tuple(InstallationShown.of(view, visit.ports.prefect_ui) for view in page.items)
    return InstallationList(items=items, next=page.next)


@router.get("/installations/{installation}")
async def read_installation(installation: UUID, visit: OpenVisit) -> InstallationShown:
    """One installation: what serves, the newest operation, its steps with times and results, and why it stands there."""
    return InstallationShown.of(await visit.find(installation), visit.ports.prefect_ui)


@router.get("/installations/{installation}/operations/{operation}")
async def read_operation(installation: UUID, operation: UUID, visit: OpenVisit) -> OperationShown:
    """One operation on the installation, even if later ones followed: its steps and what came of it."""
    view = await visit.find(installation)
    found = await visit.ports.views.operation(operation)
    if found is None or found.installation != view.id:
        raise Unknown(f"there is no operation {operation} on installation {installation}", "the installation names its newest")
    return OperationShown.of(found, visit.ports.prefect_ui)


@router.get("/installations/{installation}/logs", response_class=StreamingResponse)
async def read_logs(installation: UUID, asked: Annotated[LogsAsked, Query()], visit: OpenVisit) -> StreamingResponse:
    """The plugin's own last words, as plain text."""
    pieces = visit.ports.logs(await visit.find(installation), asked.tail)
    # The first piece is awaited here: until the answer has begun, what goes wrong can still be said as a problem.
    first = await anext(pieces, "")
    return StreamingResponse(_chain(first, pieces), media_type="text/plain; charset=utf-8")


@router.delete("/installations/{installation}", status_code=202)
async def uninstall_plugin(
    installation: UUID, asked: Annotated[UninstallAsked, Query()], visit: OpenVisit, response: Response
) -> Accepted:
    """Take the plugin away; its database stays unless `dropData` is true."""
    view = await visit.find(installation)
    visit.must_change(view.tenant)
    requested = await visit.ports.operations.request_uninstall(view.id, visit.caller.subject, drop_data=asked.drop_data)
    return await _accept(visit, requested, response)


async def _accept(visit: Visit, asked: Requested, response: Response) -> Accepted:
    if asked.created:
        visit.start(asked.operation)
    view = await visit.find(asked.installation)
    answering = await visit.ports.views.operation(asked.operation)
    response.headers["Location"] = f"{INSTALLATIONS}/{asked.installation}"
    links = InstallationShown.of(view, visit.ports.prefect_ui).links
    status = answering.phase if answering else Phase.REQUESTED
    return Accepted(id=asked.installation, operation=asked.operation, status=status, created=asked.created, links=links)


def _tenants(visit: Visit, asked: str | None) -> frozenset[str] | None:
    if asked is None:
        return visit.caller.tenants
    return frozenset({asked}) if visit.caller.sees(asked) else frozenset()


async def _chain(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for piece in rest:
        yield piece
