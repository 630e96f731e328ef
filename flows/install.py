"""From request to a plugin that answers: the first revision, or the next in place of the one that serves."""

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.domain.manifest import InstallRequest
from blocks.domain.plan import Plan
from blocks.domain.together import APPROVED, END, PLANNED, READY, SERVED, STAGE, TURN, VERIFIED
from blocks.settings import read_settings
from blocks.work import Work
from tasks.admit import admit_release
from tasks.approval import approval
from tasks.autoscaling import scale_revision
from tasks.build import build
from tasks.carry import carry
from tasks.experiment import open_variants, watch_experiment
from tasks.fetch import fetch
from tasks.gates import judge
from tasks.plan import confirm_plan, make_plan
from tasks.prepare import prepare
from tasks.provision import hand_over_data, provision_database, provision_namespace
from tasks.record import record_install, serve_revision
from tasks.report import report_operation
from tasks.resolve import resolve
from tasks.retire import retire_revision
from tasks.rollout import roll_out
from tasks.scan import scan
from tasks.shift import shift_traffic
from tasks.smoke import open_preview, smoke_test
from tasks.stages import advance, route_stage, watch_stage
from tasks.together import Meet, alone
from tasks.verify import verify

STEPS = (
    resolve,
    admit_release,
    fetch,
    build,
    scan,
    judge,
    make_plan,
    approval,
    confirm_plan,
    provision_namespace,
    provision_database,
    hand_over_data,
    roll_out,
    open_variants,
    watch_experiment,
    shift_traffic,
    open_preview,
    smoke_test,
    route_stage,
    watch_stage,
    verify,
    serve_revision,
    scale_revision,
    retire_revision,
)


@flow(name="install-plugin", flow_run_name="install {request.plugin.name} for {request.tenant}/{request.environment}")
async def install_plugin(request: InstallRequest, operation: UUID | None = None) -> State[None]:
    """Record the request as an operation, unless it is recorded already, then carry it as far as it goes."""
    settings = read_settings()
    recorded = operation or await record_install(settings, request)
    ended = await carry(recorded, settings, tell, STEPS)
    await report_operation(settings, recorded)
    return ended


async def tell(work: Work, meet: Meet = alone) -> None:
    """The journey of one installation, and of each of its updates; in a set it meets the others at each point that it comes to."""
    plan = await prepare(work)
    if not plan.changes:
        return  # it serves already, exactly so
    await meet(work, PLANNED)
    await approval(work, plan)
    await meet(work, APPROVED)
    await confirm_plan(work, plan)
    await meet(work, TURN)
    await provision_namespace(work, plan)
    await provision_database(work, plan)
    if plan.data:
        await hand_over_data(work, plan)
    await roll_out(work, plan)
    await meet(work, READY)
    await send_requests(work, plan, meet)
    await verify(work, plan)
    await meet(work, VERIFIED)
    await serve_revision(work, plan)
    await meet(work, SERVED)
    if plan.autoscaled:
        await scale_revision(work, plan)
    await retire_revision(work, plan)
    await meet(work, END)


async def send_requests(work: Work, plan: Plan, meet: Meet) -> None:
    """The revision that is ready gets all requests, by way of what its strategy puts before that."""
    if plan.preview:
        await open_preview(work, plan)
        await smoke_test(work, plan)
    if plan.experiment:
        await open_variants(work, plan)
        await watch_experiment(work, plan)
    if plan.stages:
        await advance(work, plan, meet)
    else:
        await meet(work, f"{STAGE}:1")
        await shift_traffic(work, plan)
