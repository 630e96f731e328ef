"""The account of an installation: what was resolved, built, scanned, judged and made, as one page of Markdown."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError

from blocks.domain.account import Links, give_account
from blocks.domain.errors import Terminal
from deployments.api.shapes import flow_run_url
from deployments.api.shown import INSTALLATIONS
from deployments.api.visit import OpenVisit

router = APIRouter(prefix="/api/v1", tags=["installations"])


class Unreadable(Terminal):
    """What the journal holds was written by another release of the pipeline."""

    code = "unreadable-result"


@router.get("/installations/{installation}/report", response_class=PlainTextResponse)
async def read_report(installation: UUID, visit: OpenVisit, request: Request) -> PlainTextResponse:
    """The account of the newest operation as Markdown: the same that is kept beside the flow run."""
    view = await visit.find(installation)
    links = Links(
        plugin=view.revision.url if view.revision else "",
        installation=f"{str(request.base_url).rstrip('/')}{INSTALLATIONS}/{view.id}",
        flow_run=flow_run_url(view.operation, visit.ports.prefect_ui) or "",
    )
    try:
        return PlainTextResponse(give_account(view, links), media_type="text/markdown; charset=utf-8")
    except ValidationError as problem:
        raise Unreadable(
            "a step's result was written by another release", "the installation itself shows it as it is"
        ) from problem
