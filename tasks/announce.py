"""Making a revision known to the gateway before anybody is sent there: what it knows already it can follow at once."""

from blocks.domain.objects.phases import Phase
from blocks.domain.objects.routes import beside
from blocks.domain.plan import Plan
from blocks.work import Work
from tasks.objects import put_up
from tasks.plan import read_before, read_plan


async def announce(work: Work, plan: Plan) -> None:
    """The gateway knows the planned revision beside the one that serves, if one does, and sends nobody there."""
    if not plan.previous:
        return
    now, before = (await read_plan(work, plan))[Phase.EXPOSURE], (await read_before(work, plan))[Phase.EXPOSURE]
    await put_up(work, [beside(*pair) for pair in zip(before, now, strict=True)])
