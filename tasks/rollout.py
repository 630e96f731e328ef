"""Putting the revision up and waiting until it is ready or certainly never will be."""

import asyncio
from dataclasses import dataclass, replace

from blocks.abreast import abreast
from blocks.domain.diagnosis import Diagnosis, Trouble
from blocks.domain.errors import DoesNotFit, PipelineError, RolloutFailed
from blocks.domain.listed import count_listed
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.closed import SERVICE_NAME
from blocks.domain.objects.labels import INSTANCE, MANAGER, PART_OF, REVISION
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase, every
from blocks.domain.objects.workload import sized
from blocks.domain.outlook import News, last_news, news_since, sight_of
from blocks.domain.plan import Plan
from blocks.domain.scaling import has_enough
from blocks.ports.cluster import Notice, Sights, View, Views
from blocks.work import Work
from tasks.announce import announce
from tasks.autoscaling import begin_with, hold, let_go
from tasks.kinds import Undo, step
from tasks.objects import Stood, put_up, set_back
from tasks.plan import read_plan
from tasks.scaling import put_to_sleep

ROLL_OUT = "RollOut"


RUNNING = (Phase.CONFIGURATION, Phase.WORKLOAD)


@dataclass(frozen=True)
class RolledOut:
    """The revision is ready: what stands, and the pods that were ready."""

    objects: Stood
    pods: tuple[str, ...]


@step(Undo.COMPENSATABLE)
async def roll_out(work: Work, plan: Plan) -> RolledOut:
    """The revision's pods are ready, as many as are needed first; nobody is sent to them yet.

    Raises `DoesNotFit` or `RolloutFailed` with the pod's last words as soon as it is certain that it never will be ready.
    """
    await hold(work, plan)
    # Where pods come in waves, the first ones come with the first wave.
    replicas = 0 if plan.limits else plan.size_at(1, await begin_with(work, plan))
    running = await put_up(work, await read_running(work, plan, replicas))
    await announce(work, plan)
    await tell(work, plan, Notice("RollingOut", ROLL_OUT, f"revision {plan.revision} with {replicas} replicas"))
    try:
        pods = await await_ready(work, plan)
    except (DoesNotFit, RolloutFailed) as problem:
        await tell(work, plan, Notice("RolloutFailed", ROLL_OUT, problem.message, warning=True))
        raise
    await tell(work, plan, Notice("RolledOut", ROLL_OUT, f"revision {plan.revision} is ready"))
    return RolledOut(running, pods)


@roll_out.undo
async def take_down(work: Work, plan: Plan) -> None:
    """What the operation put up is gone, what it changed is as before, and a revision that it woke sleeps again."""
    staged = await read_plan(work, plan)
    await set_back(work, plan, every(staged, (*RUNNING, Phase.EXPOSURE)))
    await put_to_sleep(work, staged)
    await let_go(work, plan)


async def stand_with(work: Work, plan: Plan, replicas: int) -> None:
    """The revision is up with at least so many replicas, all of them ready; what somebody took away meanwhile is made again."""
    await grow(work, plan, replicas)
    await await_ready(work, plan)


async def grow(work: Work, plan: Plan, replicas: int) -> None:
    """The revision is to have at least so many replicas; whether they are ready is not waited for."""
    running = await read_running(work, plan, replicas)
    live = await abreast(work.tools.cluster.read, [*map(Name.of, running)])
    await put_up(work, [one for one, seen in zip(running, live, strict=True) if not has_enough(seen, one)])


async def read_running(work: Work, plan: Plan, replicas: int) -> list[Object]:
    """What runs of the plan, with so many replicas."""
    running = every(await read_plan(work, plan), RUNNING)
    return [sized(one, replicas) if one["kind"] == "Deployment" else one for one in running]


async def await_ready(work: Work, plan: Plan) -> tuple[str, ...]:
    """The names of the ready pods, to which the revision's Service leads; or `DoesNotFit` or `RolloutFailed` with what is the matter."""
    clock, deadline = asyncio.get_running_loop().time, work.tools.settings.progress_deadline
    ends, known = clock() + deadline, News()
    while not known.ready:
        trouble, left = known.diagnosis, max(ends - clock(), 0)
        news = await watch(work, plan, trouble, min(left, trouble.patience) if trouble else left)
        known = news or await last_look(work, plan)
        if known.diagnosis and known.diagnosis.patience == 0:
            raise await failure(work, plan, known.diagnosis)
    await await_listed(work, plan, len(known.pods))
    return known.pods


async def await_listed(work: Work, plan: Plan, pods: int) -> None:
    """The revision's Service leads to so many ready pods, or `RolloutFailed`.

    The cluster lists a pod some time after it is ready: a gateway that is told to send people there before has nowhere to send them.
    Where the cluster lists nothing for Services there is nothing to wait for.
    """
    deadline = work.tools.settings.progress_deadline
    views = {"slices": View("EndpointSlice", plan.namespace, labels={SERVICE_NAME: plan.name})}

    def are_listed(seen: Sights) -> bool | None:
        return not seen["slices"] or count_listed(seen["slices"]) >= pods or None

    if not await work.tools.cluster.wait(views, are_listed, deadline):
        said = f"the Service {plan.name} does not lead to its {pods} ready pods after {deadline:g} s"
        raise RolloutFailed(said, "see what the cluster's EndpointSlice controller says")


async def watch(work: Work, plan: Plan, known: Diagnosis | None, seconds: float) -> News | None:
    """What is new about the revision within so many seconds, or None."""
    trouble = known.trouble if known else None
    return await work.tools.cluster.wait(views_of(plan), lambda seen: news_since(sight_of(plan.name, seen), trouble), seconds)


async def last_look(work: Work, plan: Plan) -> News:
    """What there is to say when the time for waiting is over: ready after all, or what is the matter, for certain."""
    seen = {name: await work.tools.cluster.find(view) for name, view in views_of(plan).items()}
    return last_news(sight_of(plan.name, seen), work.tools.settings.progress_deadline)


async def failure(work: Work, plan: Plan, found: Diagnosis) -> PipelineError:
    """The error for a diagnosis, with the pod's last words, fetched if the diagnosis has none."""
    if found.pod and not found.last_words:
        words = await work.tools.cluster.last_words(plan.namespace, found.pod, previous=found.previous)
        found = replace(found, last_words=words)
    kind = DoesNotFit if found.trouble is Trouble.QUOTA else RolloutFailed
    return kind(found.sentence, found.resolution)


def views_of(plan: Plan) -> Views:
    """What has to be watched to know how the revision is."""
    mine = {INSTANCE: plan.slug, PART_OF: MANAGER, REVISION: str(plan.revision)}
    return {
        "deployment": View("Deployment", plan.namespace, fields={"metadata.name": plan.name}),
        "pods": View("Pod", plan.namespace, labels=mine),
        "events": View("Event", plan.namespace, fields={"type": "Warning"}),
    }


async def tell(work: Work, plan: Plan, notice: Notice) -> None:
    """An Event about the revision's Deployment says what happens; where there is no Deployment, nothing is said."""
    if deployment := await work.tools.cluster.read(Name("Deployment", plan.namespace, plan.name)):
        await work.tools.cluster.tell(deployment, notice)
