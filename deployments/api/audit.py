"""The journal of everything: whether it is as it was written, and a copy of it for whoever keeps one."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from deployments.api.past import AuditShown, BrokenShown
from deployments.api.streaming import JSON_LINES, stream_lines
from deployments.api.visit import OpenVisit

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


@router.get("/verify")
async def verify_journal(visit: OpenVisit) -> AuditShown:
    """Whether every entry is there as it was written, in its order, up to the seals that are kept outside the database."""
    visit.must_audit()
    broken = tuple(BrokenShown.of(one) for one in await visit.ports.audit.verify())
    return AuditShown(whole=not broken, broken=broken, remarks=tuple(await visit.ports.audit.remarks()))


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {JSON_LINES: {}}, "description": "One entry a line"}},
)
async def export_journal(visit: OpenVisit) -> StreamingResponse:
    """Every entry of every operation as JSON Lines, exactly as it is chained."""
    visit.must_audit()
    return await stream_lines(visit.ports.audit.export())
