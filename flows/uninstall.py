"""From a plugin that answers to nothing of it left but its records, and its data unless asked otherwise."""

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.settings import read_settings
from blocks.work import Work
from tasks.approval import approval
from tasks.carry import carry
from tasks.provision import drop_database, release_namespace
from tasks.record import recall_plan, serve_nothing
from tasks.remove import remove_plugin
from tasks.report import report_operation

STEPS = (recall_plan, approval, remove_plugin, drop_database, release_namespace, serve_nothing)


@flow(name="uninstall-plugin", flow_run_name="uninstall {operation}")
async def uninstall_plugin(operation: UUID) -> State[None]:
    """Carry a recorded uninstall as far as it goes."""
    settings = read_settings()
    ended = await carry(operation, settings, tell, STEPS)
    await report_operation(settings, operation)
    return ended


async def tell(work: Work) -> None:
    """The way out: what people reach goes first, what holds data last and only if asked."""
    plan = await recall_plan(work)
    await approval(work, plan)
    await remove_plugin(work, plan)
    if work.order.wish.drop_data:
        await drop_database(work, plan)
    await release_namespace(work, plan)
    await serve_nothing(work, plan)
