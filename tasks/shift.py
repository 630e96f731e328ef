"""Sending the plugin's requests to a revision: one write, and one write back."""

from blocks.domain.objects.phases import Phase
from blocks.domain.objects.routes import beside
from blocks.domain.plan import Plan
from blocks.work import Work
from tasks.announce import announce
from tasks.autoscaling import begin_with
from tasks.kinds import Undo, step
from tasks.objects import Stood, put_up, set_back
from tasks.plan import read_before, read_plan
from tasks.ratio import send_back
from tasks.rollout import stand_with
from tasks.waves import move_back, move_forth


@step(Undo.REVERSIBLE)
async def shift_traffic(work: Work, plan: Plan) -> Stood:
    """The gateway has taken the route to the planned revision; what served before is still up, and the gateway still knows it.

    Of a rolling update with limits the pods have moved with the requests, and what served before has none. What somebody took away of
    another since it was ready was made again before.
    """
    now = (await read_plan(work, plan))[Phase.EXPOSURE]
    if plan.limits:
        await move_forth(work, plan, plan.limits)
    else:
        # Days may have passed since it was rolled out: in a test, while a person was asked, while others of its set became ready.
        await stand_with(work, plan, await begin_with(work, plan))
    if not plan.previous:
        return await put_up(work, now)
    before = (await read_before(work, plan))[Phase.EXPOSURE]
    return await put_up(work, [beside(*pair) for pair in zip(now, before, strict=True)])


@shift_traffic.undo
async def shift_back(work: Work, plan: Plan) -> None:
    """The gateway has taken the route to the revision that served before, or the route is gone if there was none."""
    now = (await read_plan(work, plan))[Phase.EXPOSURE]
    if not plan.previous:
        await set_back(work, plan, now)
        return
    if plan.limits:
        await move_back(work, plan, plan.limits)
    await (send_back if plan.sizes else announce)(work, plan)
