"""Jobs of the tenant's own as metrics: begun with the stage, looked at at its instants, taken away when they have said what they know.

Nothing is remembered of one but its sample. Its name follows from revision, stage, metric and the samples before: whoever takes over
finds the one that runs, and one whose sample stands in the journal is not looked at again.
"""

import asyncio
from collections.abc import Iterator, Sequence

from blocks.domain.analysis import Metric
from blocks.domain.diagnosis import Sight
from blocks.domain.errors import Terminal, Transient
from blocks.domain.job_answer import judge_job, next_run
from blocks.domain.job_check import JobCheck
from blocks.domain.metrics import Question, missed_metric
from blocks.domain.objects.analysis_job import Run, describe_run, name_job
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import INSTANCE
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import Phase
from blocks.domain.plan import Plan
from blocks.domain.rollout import Sample
from blocks.domain.stages import config_of
from blocks.ports.cluster import View
from blocks.work import Work
from tasks.objects import is_made_by
from tasks.plan import read_plan


async def begin_jobs(work: Work, plan: Plan, number: int, before: Sequence[Sample]) -> None:
    """Each Job that the stage waits for runs, where it can be begun; what keeps one from that is told by its sample."""
    try:
        await asyncio.gather(*(look_at(work, plan, run) for run in _awaited(work, number, before)))
    except (Transient, Terminal):
        return


async def measure_job(work: Work, plan: Plan, metric: Metric, run: Run, instant: float) -> Sample | None:
    """What the run's Job says now, or None while it says nothing; one that is not there is begun."""
    question = Question(instant, instant, f"Job {plan.namespace}/{name_job(plan.slug, plan.revision, run)} of {run.check.image}")
    try:
        seen = await look_at(work, plan, run)
    except (Transient, Terminal) as problem:
        return missed_metric(metric, question, problem)
    return judge_job((metric, run.check), question, *seen) if seen else None


async def look_at(work: Work, plan: Plan, run: Run) -> tuple[Object, Sight] | None:
    """The run's Job as it stands, with what is seen of its pod; None if it was only begun now."""
    cluster, name = work.tools.cluster, _name(plan, run)
    job = await cluster.read(name)
    if job is None:
        await cluster.apply(await describe_job(work, plan, run))
        return None
    pods = await cluster.find(View("Pod", plan.namespace, labels={INSTANCE: name.name}))
    about = {"regarding.kind": "Job", "regarding.name": name.name}
    return job, Sight(None, pods, [] if pods else await cluster.find(View("Event", plan.namespace, fields=about)))


async def clear_jobs(work: Work, plan: Plan, number: int, before: Sequence[Sample], *, over: bool = False) -> None:
    """The Jobs whose sample was just taken are gone; where the stage is over, or a person thinks, every one of the stage."""
    for metric, check in _checks(work):
        taken = [one for one in before if one.name == metric.name]
        newest = [len(taken) - 1] if taken and taken[-1].at == before[-1].at else []
        for count in range(len(taken) + 1) if over else newest:
            await work.tools.cluster.remove(_name(plan, Run(metric.name, check, number, count)), is_made_by(work))


async def describe_job(work: Work, plan: Plan, run: Run) -> Object:
    """The run's Job as this operation makes it."""
    return describe_run((await read_plan(work, plan))[Phase.WORKLOAD], plan.name, plan.host, run)


def _awaited(work: Work, number: int, before: Sequence[Sample]) -> Iterator[Run]:
    for metric, check in _checks(work):
        if run := next_run(metric, check, number, before):
            yield run


def _checks(work: Work) -> Iterator[tuple[Metric, JobCheck]]:
    """Every metric that is a Job."""
    analysis = config_of(work.order.request).analysis
    yield from ((one, one.job) for one in analysis.metrics if one.job and analysis.enabled)


def _name(plan: Plan, run: Run) -> Name:
    return Name("Job", plan.namespace, name_job(plan.slug, plan.revision, run))
