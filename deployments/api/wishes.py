"""What changes an installation, each wish recorded as an operation: install, update, plan, uninstall, roll back, switch.

All of them take an `Idempotency-Key`: the same key with the same wish within 24 hours is the same operation.
"""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response

from blocks.catalog.requests import Asked as By
from blocks.domain.manifest import InstallRequest
from deployments.api.accepting import accept
from deployments.api.asked import Asked, Key, MaybeWhy, PlanHash, RollbackAsked, Why
from deployments.api.examples import INSTALL_EXAMPLES, ROLLBACK_EXAMPLES, WHY_EXAMPLES
from deployments.api.shapes import Accepted
from deployments.api.visit import OpenVisit, Visit

router = APIRouter(prefix="/api/v1", tags=["operations"])
Wanted = Annotated[InstallRequest, Body(openapi_examples=INSTALL_EXAMPLES)]


class InstallAsked(Asked):
    """Which plan was read; nothing but that plan is applied."""

    plan_hash: PlanHash | None = None


class UninstallAsked(Asked):
    """Whether the plugin's own database goes too."""

    drop_data: bool = False


@router.post("/plugins/install", status_code=202)
async def install_plugin(
    request: Wanted, asked: Annotated[InstallAsked, Query()], visit: OpenVisit, response: Response, key: Key = None
) -> Accepted:
    """Install one plugin for one tenant in one environment; where something else of it serves, this is the update.

    The answer comes at once; follow `Location` for the steps. The same `Idempotency-Key` with the same body within 24 hours is
    the same operation; an identical request that changes nothing begins nothing.

    With `planHash` exactly that plan is applied: if the world has changed since, the operation fails with `plan-stale` and says what.
    """
    visit.must_change(request.tenant)
    requested = await visit.ports.requests.request_install(request, By(visit.caller.subject, key), asked.plan_hash)
    return await accept(visit, requested, response)


@router.post("/plugins/plan", status_code=202)
async def plan_plugin(request: Wanted, visit: OpenVisit, response: Response, key: Key = None) -> Accepted:
    """Find out what installing or updating would do, and do nothing: resolve, build, scan, judge, and try each object dry.

    Follow the link `operation`; once it has succeeded the link `plan` has the document and the hash to install with.
    """
    visit.must_change(request.tenant)
    requested = await visit.ports.requests.request_plan(request, By(visit.caller.subject, key))
    return await accept(visit, requested, response)


@router.delete("/installations/{installation}", status_code=202)
async def uninstall_plugin(
    installation: UUID, asked: Annotated[UninstallAsked, Query()], visit: OpenVisit, response: Response, key: Key = None
) -> Accepted:
    """Take the plugin away; its database stays unless `dropData` is true. What others need is refused, and says who needs it."""
    await visit.find_to_change(installation)
    by = By(visit.caller.subject, key)
    requested = await visit.ports.requests.request_uninstall(installation, by, drop_data=asked.drop_data)
    return await accept(visit, requested, response)


@router.post("/installations/{installation}/rollback", status_code=202)
async def roll_back_plugin(
    installation: UUID,
    asked: Annotated[RollbackAsked, Body(openapi_examples=ROLLBACK_EXAMPLES)],
    visit: OpenVisit,
    response: Response,
    key: Key = None,
) -> Accepted:
    """Go back to a revision, or to the last good one: image, configuration and lock together.

    The release that served until then is put in quarantine: nothing tries it again here until somebody lifts that with a reason.
    """
    await visit.find_to_change(installation)
    by = By(visit.caller.subject, key, asked.reason)
    return await accept(visit, await visit.ports.requests.request_rollback(installation, by, asked.revision), response)


@router.post("/installations/{installation}/enable", status_code=202)
async def enable_plugin(installation: UUID, asked: MaybeWhy, visit: OpenVisit, response: Response, key: Key = None) -> Accepted:
    """Let what was disabled serve again."""
    return await _switch(visit, installation, "enable", By(visit.caller.subject, key, asked.reason), response)


@router.post("/installations/{installation}/disable", status_code=202)
async def disable_plugin(
    installation: UUID,
    asked: Annotated[Why, Body(openapi_examples=WHY_EXAMPLES)],
    visit: OpenVisit,
    response: Response,
    key: Key = None,
) -> Accepted:
    """Let the route answer 503 and scale the plugin to nothing; its data and revisions stay."""
    return await _switch(visit, installation, "disable", By(visit.caller.subject, key, asked.reason), response)


@router.post("/installations/{installation}/reload", status_code=202)
async def reload_plugin(installation: UUID, asked: MaybeWhy, visit: OpenVisit, response: Response, key: Key = None) -> Accepted:
    """Start the same revision anew, pod by pod, while it serves."""
    return await _switch(visit, installation, "reload", By(visit.caller.subject, key, asked.reason), response)


Switch = Literal["enable", "disable", "reload"]


async def _switch(visit: Visit, installation: UUID, verb: Switch, by: By, response: Response) -> Accepted:
    await visit.find_to_change(installation)
    return await accept(visit, await visit.ports.requests.request_switch(installation, by, verb), response)
