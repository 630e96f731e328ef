"""From request to a plan that people can read; nothing outside is touched."""

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.domain.manifest import InstallRequest
from blocks.settings import read_settings
from tasks.admit import admit_release
from tasks.build import build
from tasks.carry import carry
from tasks.fetch import fetch
from tasks.gates import judge
from tasks.plan import make_plan
from tasks.prepare import prepare
from tasks.record import record_plan
from tasks.report import report_operation
from tasks.resolve import resolve
from tasks.scan import scan

STEPS = (resolve, admit_release, fetch, build, scan, judge, make_plan)


@flow(name="plan-plugin", flow_run_name="plan {request.plugin.name} for {request.tenant}/{request.environment}")
async def plan_plugin(request: InstallRequest, operation: UUID | None = None) -> State[None]:
    """Record the request as a plan, unless it is recorded already, and make it."""
    settings = read_settings()
    recorded = operation or await record_plan(settings, request)
    ended = await carry(recorded, settings, prepare, STEPS)
    await report_operation(settings, recorded)
    return ended
