"""From request to a plugin that answers."""

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.domain.manifest import InstallRequest
from blocks.settings import read_settings
from blocks.work import Work
from tasks.build import build
from tasks.carry import carry
from tasks.fetch import fetch
from tasks.gates import judge
from tasks.plan import make_plan
from tasks.provision import provision_database, provision_namespace
from tasks.record import record_install, serve_revision
from tasks.report import report_operation
from tasks.resolve import resolve
from tasks.rollout import roll_out
from tasks.scan import scan, scan_all
from tasks.verify import verify

STEPS = (
    resolve,
    fetch,
    build,
    scan,
    judge,
    make_plan,
    provision_namespace,
    provision_database,
    roll_out,
    verify,
    serve_revision,
)


@flow(name="install-plugin", flow_run_name="install {request.plugin.name} for {request.tenant}/{request.environment}")
async def install_plugin(request: InstallRequest, operation: UUID | None = None) -> State[None]:
    """Record the request as an operation, unless it is recorded already, then carry it as far as it goes."""
    settings = read_settings()
    recorded = operation or await record_install(settings, request)
    ended = await carry(recorded, settings, tell, STEPS)
    await report_operation(settings, recorded)
    return ended


async def tell(work: Work) -> None:
    """The journey of one installation."""
    request = await work.request()
    resolution = await resolve(work)
    materials = await fetch(work, resolution)
    image = await build(work, resolution, materials)
    report = await scan_all(work, image, materials)
    verdict = await judge(work, report, request.environment)
    plan = await make_plan(work, resolution, image, verdict)
    await provision_namespace(work, plan)
    await provision_database(work, plan)
    await roll_out(work, plan)
    await verify(work, plan, resolution)
    await serve_revision(work, plan, resolution)
