"""Watches: whose releases are looked for on a schedule, and what a new one leads to."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response
from pydantic import Field

from blocks.catalog.requests import Asked as By
from blocks.catalog.watches import WantedWatches
from blocks.domain.manifest import Label
from blocks.domain.watch import Environment, Watch
from deployments.api.asked import Asked, WatchAsked, WatchChanged
from deployments.api.examples import CHANGE_EXAMPLES, WATCH_EXAMPLES
from deployments.api.installations import tenants_of
from deployments.api.problems import Unknown
from deployments.api.visit import OpenVisit, Visit
from deployments.api.watched import WATCHES, WatchList, WatchShown

router = APIRouter(prefix="/api/v1/watches", tags=["watches"])


class ListAsked(Asked):
    """Which watches are asked for, and how many at once."""

    tenant: Label | None = None
    environment: Environment | None = None
    limit: int = Field(default=50, ge=1, le=200)
    after: UUID | None = Field(default=None, description="`next` of the page before")


@router.post("", status_code=201)
async def set_watch(
    asked: Annotated[WatchAsked, Body(openapi_examples=WATCH_EXAMPLES)], visit: OpenVisit, response: Response
) -> WatchShown:
    """Watch a plugin: each new release is recorded, planned, or the update to it is requested as if its watcher had.

    Saying the same again is the same watch (200); 409 where the plugin has another one, or nothing serves that could be updated.
    """
    visit.must_change(asked.tenant)
    watch, created = await visit.ports.watches.set_watch(asked.spot, asked.terms, By(visit.caller.subject, reason=asked.reason))
    response.headers["Location"] = f"{WATCHES}/{watch.id}"
    response.status_code = 201 if created else 200
    return WatchShown.of(watch)


@router.get("")
async def list_watches(asked: Annotated[ListAsked, Query()], visit: OpenVisit) -> WatchList:
    """The watches of the caller's tenants, a page at a time and without the releases that they found."""
    wanted = WantedWatches(tenants_of(visit, asked.tenant), asked.environment)
    page = await visit.ports.watches.watches(wanted, asked.limit, str(asked.after) if asked.after else None)
    return WatchList(items=tuple(WatchShown.of(one) for one in page.items), next=page.next)


@router.get("/{watch}")
async def read_watch(watch: UUID, visit: OpenVisit) -> WatchShown:
    """One watch: who set it and why, when somebody last looked, the releases that were found, and what was done about each."""
    return WatchShown.of(await _find(visit, watch))


@router.patch("/{watch}")
async def change_watch(
    watch: UUID, asked: Annotated[WatchChanged, Body(openapi_examples=CHANGE_EXAMPLES)], visit: OpenVisit
) -> WatchShown:
    """Change what is named and leave the rest as it is; `enabled` false looks no more and forgets nothing."""
    visit.must_change((await _find(visit, watch)).spot.tenant)
    by = By(visit.caller.subject, reason=asked.reason)
    return WatchShown.of(await visit.ports.watches.change_watch(watch, asked, by))


@router.delete("/{watch}", status_code=204)
async def remove_watch(watch: UUID, visit: OpenVisit) -> None:
    """Look no more, and forget what was found; what was requested because of it goes on."""
    visit.must_change((await _find(visit, watch)).spot.tenant)
    await visit.ports.watches.remove_watch(watch)


async def _find(visit: Visit, watch: UUID) -> Watch:
    """The watch, or `Unknown` if there is none or it is of a tenant that the caller does not see."""
    found = await visit.ports.watches.watch(watch)
    if found is None or not visit.caller.sees(found.spot.tenant):
        raise Unknown(f"there is no watch {watch}", "pluginctl watch list shows what there is")
    return found
