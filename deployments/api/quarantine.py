"""Releases that were rolled back on an installation: seen, and let out with a reason."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body

from blocks.catalog.requests import Asked as By
from deployments.api.asked import Key, LiftAsked
from deployments.api.examples import LIFT_EXAMPLES
from deployments.api.past import QuarantineList, QuarantineShown
from deployments.api.visit import OpenVisit, Visit

router = APIRouter(prefix="/api/v1/installations/{installation}/quarantine", tags=["installations"])


@router.get("")
async def list_quarantine(installation: UUID, visit: OpenVisit) -> QuarantineList:
    """The releases that are not tried again here, and those that were let out: who said so, and why."""
    return await _list(visit, (await visit.find(installation)).id)


@router.post("/lift")
async def lift_quarantine(
    installation: UUID, asked: Annotated[LiftAsked, Body(openapi_examples=LIFT_EXAMPLES)], visit: OpenVisit, key: Key = None
) -> QuarantineList:
    """Let the release be tried again; 409 if it is in no quarantine."""
    view = await visit.find_to_change(installation)
    await visit.ports.requests.lift_quarantine(view.id, asked.release, By(visit.caller.subject, key, asked.reason))
    return await _list(visit, view.id)


async def _list(visit: Visit, installation: UUID) -> QuarantineList:
    return QuarantineList(items=tuple(QuarantineShown.of(one) for one in await visit.ports.views.quarantines(installation)))
