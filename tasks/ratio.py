"""Sharing requests by how many pods each revision has, where nothing but the plugin's Service leads people to them.

Whatever the sizes are, pods come before others go, so both sides together are never smaller than one that serves alone.
"""

from blocks.domain.objects.phases import Phase
from blocks.domain.objects.routes import split
from blocks.domain.objects.workload import sized
from blocks.domain.plan import Plan
from blocks.domain.ratio import ALL
from blocks.work import Work
from tasks.announce import announce
from tasks.objects import Stood, put_up, put_up_one
from tasks.plan import read_before, read_plan
from tasks.rollout import await_ready
from tasks.waves import Side, count_ready, read_sides, read_size


async def share_out(work: Work, plan: Plan, number: int) -> Stood:
    """The Service leads to both revisions, with as many pods of each as the stage's share needs; at the last to the planned one alone.

    The planned revision has its pods for the stage already.
    """
    weight, sizes = plan.stages[number - 1].weight, plan.sizes[number - 1]
    _, old = await read_sides(work, plan)
    await grow(work, old, sizes.going)
    now, before = (await read_plan(work, plan))[Phase.EXPOSURE], (await read_before(work, plan))[Phase.EXPOSURE]
    stood = await put_up(work, [split(*pair, weight) for pair in zip(now, before, strict=True)])
    if weight < ALL and await read_size(work, old) > sizes.going:
        await put_up_one(work, sized(old.deployment, sizes.going))
    return stood


async def send_back(work: Work, plan: Plan) -> None:
    """The Service leads to the revision before alone, in one write, and then that has all its pods again, ready.

    Nobody waits for those that are missing, as long as there are some; only where nobody took the requests they come first.
    """
    _, old = await read_sides(work, plan)
    if not await count_ready(work, old):
        await grow(work, old, old.whole)
    await announce(work, plan)
    await grow(work, old, old.whole)


async def grow(work: Work, side: Side, size: int) -> None:
    """The side has at least so many pods, all of them ready."""
    if await read_size(work, side) < size:
        await put_up_one(work, sized(side.deployment, size))
        await await_ready(work, side.plan)
