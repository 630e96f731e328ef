"""Sending the plugin's requests to a revision: one write, and one write back."""

from blocks.domain.objects.phases import Phase
from blocks.domain.objects.routes import beside
from blocks.domain.plan import Plan
from blocks.work import Work
from tasks.kinds import Undo, step
from tasks.objects import Stood, put_up, set_back
from tasks.plan import read_before, read_plan


@step(Undo.REVERSIBLE)
async def shift_traffic(work: Work, plan: Plan) -> Stood:
    """The gateway has taken the route to the planned revision; what served before is still up, and the gateway still knows it."""
    now = (await read_plan(work, plan))[Phase.EXPOSURE]
    if not plan.previous:
        return await put_up(work, now)
    before = (await read_before(work, plan))[Phase.EXPOSURE]
    return await put_up(work, [beside(*pair) for pair in zip(now, before, strict=True)])


@shift_traffic.undo
async def shift_back(work: Work, plan: Plan) -> None:
    """The gateway has taken the route to the revision that served before, or the route is gone if there was none."""
    now = (await read_plan(work, plan))[Phase.EXPOSURE]
    if plan.previous:
        await announce(work, plan)
    else:
        await set_back(work, plan, now)


async def announce(work: Work, plan: Plan) -> None:
    """The gateway knows the planned revision beside the one that serves, if one does, and sends nobody there."""
    if not plan.previous:
        return
    now, before = (await read_plan(work, plan))[Phase.EXPOSURE], (await read_before(work, plan))[Phase.EXPOSURE]
    await put_up(work, [beside(*pair) for pair in zip(before, now, strict=True)])
