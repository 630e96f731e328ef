"""What served before: put to sleep with everything that only it needed, and kept for the way back."""

from dataclasses import dataclass, replace

from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase, every
from blocks.domain.objects.routes import beside
from blocks.domain.objects.sizes import awake
from blocks.domain.plan import Plan
from blocks.domain.replaced import REVISIONED, left_over
from blocks.work import Work
from tasks.autoscaling import count_replicas
from tasks.kinds import Undo, step
from tasks.objects import is_of, put_up
from tasks.plan import read_before, read_plan
from tasks.rollout import await_ready
from tasks.scaling import deployment_of, put_to_sleep


@dataclass(frozen=True)
class Retired:
    """The revision that sleeps now (0: none served before), what is gone with it, and revisions too old to be gone back to."""

    revision: int
    removed: tuple[str, ...]
    forgotten: tuple[int, ...]


@step(Undo.COMPENSATABLE)
async def retire_revision(work: Work, plan: Plan) -> Retired:
    """The revision that served before sleeps, and what it had beside its own objects and the new one has not is gone."""
    if not plan.previous:
        return Retired(0, (), ())
    before, now = await read_before(work, plan), await read_plan(work, plan)
    await put_up(work, now[Phase.EXPOSURE])
    await put_to_sleep(work, before)
    leftover = left_over(every(before), every(now), plan.slug)
    for one in reversed(leftover):
        await work.tools.cluster.remove(Name.of(one), is_of(work))
    return Retired(plan.previous, tuple(Name.of(one).short for one in leftover), await forget(work, plan))


@retire_revision.undo
async def wake_previous(work: Work, plan: Plan) -> None:
    """The revision that served before is ready again, with everything it had."""
    if not plan.previous:
        return
    before, now = await read_before(work, plan), await read_plan(work, plan)
    known = [beside(*pair) for pair in zip(now[Phase.EXPOSURE], before[Phase.EXPOSURE], strict=True)]
    await put_up(work, [*known, *left_over(every(before), every(now), plan.slug)])
    if plan.limits:
        return  # its pods come back as they went: in waves, when the requests do
    had = [await count_replicas(work, plan, number) for number in (plan.previous, plan.revision)]
    await put_up(work, [awake(deployment_of(before), max(had))])
    await await_ready(work, replace(plan, revision=plan.previous))


async def forget(work: Work, plan: Plan) -> tuple[int, ...]:
    """Revisions beyond the history have no objects any more; what they were stays in the record, so nothing needs to be taken back."""
    bygone = await work.tools.operations.bygone(work.installation)
    for old in bygone:
        for kind in REVISIONED:
            await work.tools.cluster.remove(Name(kind, plan.namespace, f"{plan.slug}-r{old.number}"), is_of(work))
    return tuple(old.number for old in bygone)
