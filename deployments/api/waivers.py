"""Waivers: findings that somebody answers for until a day, set and revoked by those who look after security."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response
from pydantic import Field

from blocks.catalog.requests import Asked as By
from blocks.catalog.waivers import WantedWaivers
from blocks.domain.manifest import Label
from blocks.domain.watch import Environment
from deployments.api.asked import Asked, WaiverAsked, Why
from deployments.api.examples import WAIVER_EXAMPLES
from deployments.api.installations import tenants_of
from deployments.api.problems import Unknown
from deployments.api.visit import OpenVisit
from deployments.api.waived import WAIVERS, WaiverList, WaiverShown

router = APIRouter(prefix=WAIVERS, tags=["waivers"])


class ListAsked(Asked):
    """Which waivers are asked for, and how many at once."""

    tenant: Label | None = None
    environment: Environment | None = None
    limit: int = Field(default=50, ge=1, le=200)
    after: UUID | None = Field(default=None, description="`next` of the page before")


@router.post("", status_code=201)
async def waive(
    asked: Annotated[WaiverAsked, Body(openapi_examples=WAIVER_EXAMPLES)], visit: OpenVisit, response: Response
) -> WaiverShown:
    """Waive one finding of one plugin until a day: its gates let it through from now on, and every verdict names it.

    What nobody looked for is never waived. Needs role security or admin.
    """
    visit.must_waive(asked.tenant)
    made = await visit.ports.waivers.waive(asked.spot, asked.what, By(visit.caller.subject, reason=asked.reason))
    response.headers["Location"] = f"{WAIVERS}/{made.id}"
    return WaiverShown.of(made)


@router.get("")
async def list_waivers(asked: Annotated[ListAsked, Query()], visit: OpenVisit) -> WaiverList:
    """The waivers of the caller's tenants, a page at a time, those that count no longer too."""
    after = str(asked.after) if asked.after else None
    wanted = WantedWaivers(tenants_of(visit, asked.tenant), asked.environment)
    page = await visit.ports.waivers.waivers(wanted, asked.limit, after)
    return WaiverList(items=tuple(WaiverShown.of(one) for one in page.items), next=page.next)


@router.get("/{waiver}")
async def read_waiver(waiver: UUID, visit: OpenVisit) -> WaiverShown:
    """One waiver: what is waived, who answers for it, and until when."""
    return await _find(waiver, visit)


@router.post("/{waiver}/revoke")
async def revoke_waiver(waiver: UUID, asked: Why, visit: OpenVisit) -> WaiverShown:
    """Let the waiver count no longer: what serves goes on, what is planned with it is stale."""
    visit.must_waive((await _find(waiver, visit)).tenant)
    return WaiverShown.of(await visit.ports.waivers.revoke(waiver, By(visit.caller.subject, reason=asked.reason)))


async def _find(waiver: UUID, visit: OpenVisit) -> WaiverShown:
    """The waiver, or `Unknown` if there is none or it is of a tenant that the caller does not see."""
    found = await visit.ports.waivers.waiver(waiver)
    if found is None or not visit.caller.sees(found.spot.tenant):
        raise Unknown(f"there is no waiver {waiver}", "pluginctl waiver list shows what there is")
    return WaiverShown.of(found)
