"""The pods of one revision taking the place of another's a few at a time, forth or back, and the requests with them.

What is next is decided by `next_sizes` alone, from how many pods each side has in the cluster: a run that takes over goes on from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from blocks.domain.diagnosis import is_pod_ready
from blocks.domain.errors import RolloutFailed
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase
from blocks.domain.objects.routes import split
from blocks.domain.objects.workload import sized
from blocks.domain.plan import Plan
from blocks.domain.waves import Bounds, Limits, Sizes, bound, has_left, next_sizes, weigh_ready
from blocks.ports.cluster import Sights
from blocks.work import Work
from tasks.objects import put_up, put_up_one
from tasks.plan import read_before, read_plan
from tasks.rollout import await_ready, stand_with, views_of
from tasks.scaling import deployment_of


@dataclass(frozen=True)
class Side:
    """One revision while pods move: the plan under its number, and its Deployment as it is when it serves alone."""

    plan: Plan
    deployment: Object

    @property
    def whole(self) -> int:
        """How many pods it has then."""
        return int(self.deployment["spec"]["replicas"])


Sides: TypeAlias = tuple[Side, Side]


async def move_forth(work: Work, plan: Plan, limits: Limits) -> None:
    """The planned revision has all its pods, ready, and the requests; the one before has none of either."""
    # Hours may have passed since it was put up: what somebody took away meanwhile is made again.
    await stand_with(work, plan, 0)
    new, old = await read_sides(work, plan)
    await move(work, (new, old), bound(limits, old.whole, new.whole), plan)


async def move_back(work: Work, plan: Plan, limits: Limits) -> None:
    """The revision before has all its pods, ready, and the requests; the planned one has none of either."""
    new, old = await read_sides(work, plan)
    # Before any pod moves nobody is sent any more to one that is not ready.
    await route_ready(work, plan, {side.plan.revision: await count_ready(work, side) for side in (new, old)})
    await move(work, (old, new), bound(limits, new.whole, old.whole), plan)


async def move(work: Work, sides: Sides, bounds: Bounds, plan: Plan) -> None:
    """The first side has all its pods, ready, and the second none; the requests went with them, never to what is not there."""
    coming, going = sides
    while True:
        sizes = Sizes(await read_size(work, coming), await read_size(work, going))
        if sizes.coming:
            await await_ready(work, coming.plan)
        following = next_sizes(sizes, bounds)
        if following is None:
            return
        if following.going < sizes.going:
            left = min(await count_ready(work, going), following.going)
            await route_ready(work, plan, {coming.plan.revision: await count_ready(work, coming), going.plan.revision: left})
            await put_up_one(work, sized(going.deployment, following.going))
        else:
            await await_left(work, going, sizes.going)
            await put_up_one(work, sized(coming.deployment, following.coming))


async def route_ready(work: Work, plan: Plan, ready: Mapping[int, int]) -> None:
    """The requests follow the ready pods that each revision, by number, has or is about to have."""
    now, before = (await read_plan(work, plan))[Phase.EXPOSURE], (await read_before(work, plan))[Phase.EXPOSURE]
    weight = weigh_ready(ready[plan.revision], ready[plan.previous])
    await put_up(work, [split(*pair, weight) for pair in zip(now, before, strict=True)])


async def read_sides(work: Work, plan: Plan) -> Sides:
    """The planned revision and the one before it."""
    new, old = deployment_of(await read_plan(work, plan)), deployment_of(await read_before(work, plan))
    return Side(plan, new), Side(replace(plan, revision=plan.previous), old)


async def read_size(work: Work, side: Side) -> int:
    """How many pods the side is to have now, none where its Deployment is not there."""
    live = await work.tools.cluster.read(Name.of(side.deployment))
    return int(live["spec"].get("replicas", 1)) if live else 0


async def await_left(work: Work, side: Side, size: int) -> None:
    """No more pods of the side than so many take room any more, or `RolloutFailed`: what comes next would have none."""
    deadline = work.tools.settings.progress_deadline

    def have_left(seen: Sights) -> bool | None:
        return has_left(seen["pods"], size) or None

    if not await work.tools.cluster.wait({"pods": views_of(side.plan)["pods"]}, have_left, deadline):
        raise RolloutFailed(f"pods of {side.plan.name} do not go within {deadline:g} s", "look at what holds them")


async def count_ready(work: Work, side: Side) -> int:
    """How many pods of the side are ready."""
    return sum(map(is_pod_ready, await work.tools.cluster.find(views_of(side.plan)["pods"])))
