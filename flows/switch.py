"""Off, on, and anew: what serves stays the same revision."""

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.settings import read_settings
from blocks.work import Work
from tasks.carry import carry
from tasks.record import recall_plan
from tasks.report import report_operation
from tasks.switch import close_route, open_route, record_switch, rest_revision, restart_pods, wake_revision

STEPS = (recall_plan, close_route, rest_revision, wake_revision, open_route, restart_pods, record_switch)


@flow(name="switch-plugin", flow_run_name="switch {operation}")
async def switch_plugin(operation: UUID) -> State[None]:
    """Carry a recorded enable, disable or reload as far as it goes."""
    settings = read_settings()
    ended = await carry(operation, settings, tell, STEPS)
    await report_operation(settings, operation)
    return ended


async def tell(work: Work) -> None:
    """People are told before the pods go, and sent back only when they are ready."""
    plan = await recall_plan(work)
    match work.order.verb:
        case "disable":
            await close_route(work, plan)
            await rest_revision(work, plan)
            await record_switch(work, plan, False)
        case "enable":
            await wake_revision(work, plan)
            await open_route(work, plan)
            await record_switch(work, plan, True)
        case _:
            await restart_pods(work, plan)
