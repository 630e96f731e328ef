"""Back to a revision that served before: its image, configuration and lock together."""

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.settings import read_settings
from blocks.work import Work
from tasks.admit import quarantine_release
from tasks.approval import approval
from tasks.autoscaling import scale_revision
from tasks.carry import carry
from tasks.plan import confirm_plan, plan_return
from tasks.provision import provision_database, provision_namespace
from tasks.record import serve_revision
from tasks.report import report_operation
from tasks.retire import retire_revision
from tasks.rollout import roll_out
from tasks.shift import shift_traffic
from tasks.verify import verify

STEPS = (
    plan_return,
    approval,
    confirm_plan,
    provision_namespace,
    provision_database,
    roll_out,
    shift_traffic,
    verify,
    serve_revision,
    scale_revision,
    retire_revision,
    quarantine_release,
)


@flow(name="rollback-plugin", flow_run_name="rollback {operation}")
async def rollback_plugin(operation: UUID) -> State[None]:
    """Carry a recorded rollback as far as it goes."""
    settings = read_settings()
    ended = await carry(operation, settings, tell, STEPS)
    await report_operation(settings, operation)
    return ended


async def tell(work: Work) -> None:
    """The way back is the way forth to something that is known: nothing is built, and what is bad is kept away."""
    plan = await plan_return(work, work.revision)
    await approval(work, plan)
    await confirm_plan(work, plan)
    await provision_namespace(work, plan)
    await provision_database(work, plan)
    await roll_out(work, plan)
    await shift_traffic(work, plan)
    await verify(work, plan)
    await serve_revision(work, plan)
    if plan.autoscaled:
        await scale_revision(work, plan)
    await retire_revision(work, plan)
    await quarantine_release(work, plan)
