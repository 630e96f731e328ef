"""Switching a plugin off so that people are told, on again, and its pods anew; the revision stays the same."""

from dataclasses import dataclass

from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.closed import closed_objects
from blocks.domain.objects.labels import RELOADED
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase
from blocks.domain.objects.sizes import awake
from blocks.domain.plan import Plan
from blocks.work import Work
from tasks.autoscaling import count_replicas
from tasks.kinds import Undo, step
from tasks.objects import is_of, put_up
from tasks.plan import read_plan
from tasks.rollout import await_ready
from tasks.scaling import deployment_of, put_to_sleep


@dataclass(frozen=True)
class Switched:
    """Whether the plugin is switched on now, and the pods that were ready; none when it is off."""

    enabled: bool
    pods: tuple[str, ...] = ()


@step(Undo.REVERSIBLE)
async def close_route(work: Work, plan: Plan) -> str:
    """The plugin's host answers 503 and says why; returns the host."""
    await put_up(work, await closed(work, plan))
    return plan.host


@close_route.undo
async def _open_again(work: Work, plan: Plan) -> None:
    await open_up(work, plan)


@step(Undo.REVERSIBLE)
async def open_route(work: Work, plan: Plan) -> str:
    """The plugin's host answers by its pods again; returns the host."""
    await open_up(work, plan)
    return plan.host


@open_route.undo
async def _close_again(work: Work, plan: Plan) -> None:
    await put_up(work, await closed(work, plan))


@step(Undo.COMPENSATABLE)
async def rest_revision(work: Work, plan: Plan) -> Switched:
    """The revision has no pods; everything else of it stays."""
    await put_to_sleep(work, await read_plan(work, plan))
    return Switched(enabled=False)


@rest_revision.undo
async def _wake_again(work: Work, plan: Plan) -> None:
    await wake(work, plan)


@step(Undo.REVERSIBLE)
async def wake_revision(work: Work, plan: Plan) -> Switched:
    """The revision's pods are ready; raises `DoesNotFit` or `RolloutFailed` with their last words."""
    return Switched(enabled=True, pods=await wake(work, plan))


@wake_revision.undo
async def _rest_again(work: Work, plan: Plan) -> None:
    await put_to_sleep(work, await read_plan(work, plan))


@step(Undo.NEEDLESS)
async def restart_pods(work: Work, plan: Plan) -> Switched:
    """Every pod of the revision is new since this operation began, and the others went one by one."""
    deployment = deployment_of(await read_plan(work, plan))
    await put_up(work, [reloaded_by(deployment, str(work.operation))])
    return Switched(enabled=True, pods=await await_ready(work, plan))


@step(Undo.REVERSIBLE)
async def record_switch(work: Work, plan: Plan, enabled: bool) -> bool:  # noqa: FBT001 — the intent records arguments by place
    """Record whether the plugin is switched on."""
    await work.tools.operations.switch(work.installation, enabled=enabled)
    return enabled


@record_switch.undo
async def _record_back(work: Work, plan: Plan, enabled: bool) -> None:  # noqa: FBT001 — see above
    await work.tools.operations.switch(work.installation, enabled=not enabled)


async def wake(work: Work, plan: Plan) -> tuple[str, ...]:
    """The revision's pods, once they are ready."""
    had = await count_replicas(work, plan, plan.revision) or plan.replicas
    await put_up(work, [awake(deployment_of(await read_plan(work, plan)), had)])
    return await await_ready(work, plan)


async def open_up(work: Work, plan: Plan) -> None:
    """The route leads to the revision, and what answered in its place is gone; a plugin without a route was never closed."""
    if plan.plain:
        return
    await put_up(work, (await read_plan(work, plan))[Phase.EXPOSURE])
    *beside, _ = await closed(work, plan)
    for one in reversed(beside):
        await work.tools.cluster.remove(Name.of(one), is_of(work))


async def closed(work: Work, plan: Plan) -> tuple[Object, ...]:
    """What answers in the plugin's place, and the route to it."""
    (route,) = (await read_plan(work, plan))[Phase.EXPOSURE]
    return closed_objects(route, work.tools.settings.closed_address)


def reloaded_by(deployment: Object, operation: str) -> Object:
    """The Deployment whose pods say for which operation they were started: another one is a reason to start them anew."""
    spec = deployment["spec"]
    metadata = spec["template"]["metadata"]
    marked = metadata | {"annotations": metadata.get("annotations", {}) | {RELOADED: operation}}
    return deployment | {"spec": spec | {"template": spec["template"] | {"metadata": marked}}}
