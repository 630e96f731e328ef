"""Whom the autoscaler follows: the revision that serves, and while it is replaced it makes it no smaller."""

from blocks.domain.objects.autoscaler import held
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import SCALED, every
from blocks.domain.plan import Plan
from blocks.work import Work
from tasks.kinds import Undo, step
from tasks.objects import Stood, put_up, set_back
from tasks.plan import read_before, read_plan


@step(Undo.REVERSIBLE)
async def scale_revision(work: Work, plan: Plan) -> Stood:
    """The autoscaler follows the planned revision, in one write; it was as large as the one before until now."""
    return await put_up(work, every(await read_plan(work, plan), SCALED))


@scale_revision.undo
async def _follow_before(work: Work, plan: Plan) -> None:
    """The autoscaler follows the revision that served before and makes it no smaller; one that it did not have is gone."""
    if not (await hold(work, plan)):
        await let_go(work, plan)


async def hold(work: Work, plan: Plan) -> bool:
    """The autoscaler of the revision that served before makes it no smaller; whether it has one."""
    before = every(await read_before(work, plan), SCALED)
    await put_up(work, map(held, before))
    return bool(before)


async def let_go(work: Work, plan: Plan) -> None:
    """The autoscaler is as the revision that served before had it, gone if it had none."""
    known = [*every(await read_plan(work, plan), SCALED), *every(await read_before(work, plan), SCALED)]
    await set_back(work, plan, [*{Name.of(one): one for one in known}.values()])


async def begin_with(work: Work, plan: Plan) -> int:
    """How many replicas the revision has for all requests: those asked for, or, where it is autoscaled, as many as the one before has."""
    if plan.autoscaled is None:
        return plan.replicas
    return plan.autoscaled.within(await count_replicas(work, plan, plan.previous) or plan.replicas)


async def count_replicas(work: Work, plan: Plan, revision: int) -> int:
    """How many replicas the revision of this number is to have now, 0 where there is none."""
    live = await work.tools.cluster.read(Name("Deployment", plan.namespace, f"{plan.slug}-r{revision}"))
    return int(live["spec"].get("replicas", 1)) if live else 0
