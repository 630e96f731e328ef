"""Several plugins as one: installed in order, advanced stage by stage together, and taken back together."""

from functools import partial
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State

from blocks.settings import read_settings
from blocks.work import open_sets
from flows import install
from tasks.carry import carry
from tasks.report import report_operation
from tasks.together import carry_together, meet

STEPS = (*install.STEPS, meet)


@flow(name="install-set", flow_run_name="install the set of {operation}")
async def install_set(operation: UUID) -> State[None]:
    """Carry all plugins of the set for which the operation was recorded, as far as they go together."""
    settings = read_settings()
    story = partial(install.tell, meet=meet)

    async def carry_one(one: UUID) -> None:
        await carry(one, settings, story, STEPS)
        await report_operation(settings, one)

    async with open_sets(operation, settings) as sets:
        return await carry_together(sets, operation, carry_one)
