"""Everything that ever happened on an installation: who, what, why, and what came of it."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from deployments.api.asked import Asked
from deployments.api.past import MomentShown, TimelineShown
from deployments.api.streaming import JSON_LINES, stream_lines
from deployments.api.visit import OpenVisit, Visit

router = APIRouter(prefix="/api/v1/installations/{installation}", tags=["installations"])
AT_ONCE = 500


class TimelineAsked(Asked):
    """How many moments at once, after so many."""

    limit: int = Field(default=100, ge=1, le=AT_ONCE)
    after: int = Field(default=0, ge=0, le=2**31 - 1, description="`next` of the page before")


@router.get("/timeline", response_model=TimelineShown, responses={200: {"content": {JSON_LINES: {}}}})
async def read_timeline(
    installation: UUID, asked: Annotated[TimelineAsked, Query()], visit: OpenVisit, request: Request
) -> TimelineShown | StreamingResponse:
    """What happened, in its order, a page at a time; with `Accept: application/x-ndjson` the rest of it as JSON Lines."""
    view = await visit.find(installation)
    if JSON_LINES in request.headers.get("accept", ""):
        return await stream_lines(_lines(visit, view.id, asked.after))
    page = await visit.ports.timelines.page(view.id, asked.after, asked.limit)
    return TimelineShown(items=tuple(MomentShown.of(told) for told in page.items), next=page.next)


async def _lines(visit: Visit, installation: UUID, begin: int) -> AsyncIterator[str]:
    after: int | None = begin
    while after is not None:
        page = await visit.ports.timelines.page(installation, after, AT_ONCE)
        for told in page.items:
            yield f"{MomentShown.of(told).model_dump_json(by_alias=True)}\n"
        after = page.next
