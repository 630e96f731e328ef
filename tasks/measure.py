"""One look at how a revision does: asked of Prometheus as of an instant, so that it can be asked again, and of the cluster as it stands."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from blocks.domain.analysis import Metric, Pods
from blocks.domain.comparison import judge_beside, window_beside
from blocks.domain.errors import PipelineError
from blocks.domain.http_answer import without_own
from blocks.domain.job_answer import next_run
from blocks.domain.looks import count_of, judge_looks
from blocks.domain.metrics import ask_for, asked_of, judge_metric, missed_metric, names_in
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.phases import Phase
from blocks.domain.plan import Plan
from blocks.domain.pods import judge_pods, missed_pods
from blocks.domain.questions import Numbers, Questions, ask_about, cluster_of, judge, missed
from blocks.domain.rollout import Sample
from blocks.domain.stages import config_of
from blocks.domain.strategy import Stage
from blocks.work import Work
from tasks.http_check import measure_http
from tasks.job_check import measure_job
from tasks.plan import read_before, read_plan
from tasks.rollout import views_of

Window = tuple[float, float]


@dataclass(frozen=True)
class Moment:
    """An instant of a stage of this number: since when and at when (seconds since 1970), and the stage's samples before it."""

    number: int
    stage: Stage
    window: Window
    before: tuple[Sample, ...] = ()


async def measure(work: Work, plan: Plan, moment: Moment) -> tuple[Sample, ...]:
    """What is to be known of the planned revision at the moment: a sample for each thing asked for; of a Job that runs, none yet.

    What cannot be measured is a sample too: it is no failure of the revision's.
    """
    analysis = config_of(work.order.request).analysis
    looks: list[Awaitable[Sample | None]] = [
        # Nobody counts the answers where nothing but a Service leads people.
        *([] if plan.plain else [measure_answers(work, plan, moment)]),
        *(measure_metric(work, plan, one, moment) for one in asked_of(analysis.metrics, first=not plan.previous)),
        *([measure_pods(work, plan, analysis.pods, moment.window)] if analysis.pods else []),
    ]
    return tuple(one for one in await asyncio.gather(*looks) if one)


async def measure_answers(work: Work, plan: Plan, moment: Moment) -> Sample:
    """What the revision's answers say, beside those of the revision that serves if that is asked for and one does."""
    analysis = without_own(config_of(work.order.request).analysis, moment.window)
    now, before = await routes(work, plan)
    questions = ask_about(cluster_name(plan, now), analysis, *moment.window)
    try:
        numbers = await answer(work, questions)
        if (compared := analysis.compared_to_stable) is None or before is None:
            return judge(analysis, questions, numbers)
        beside = ask_about(cluster_name(plan, before), analysis, *window_beside(moment.stage.weight, *moment.window))
        other = await answer(work, beside)
        sample = judge_beside((analysis, compared), questions, numbers, other)
        if not compared.sequential:
            return sample
        # As an A/B test's: the first comparison loads SciPy, and one of very many requests takes seconds.
        asked, both = (analysis, compared.sequential), (count_of(other), count_of(numbers))
        return await asyncio.to_thread(judge_looks, asked, moment.before, sample, both)
    except PipelineError as problem:
        return missed(questions, problem)


async def measure_metric(work: Work, plan: Plan, metric: Metric, moment: Moment) -> Sample | None:
    """What a metric of the request's own says; None where its Job runs still, or has said what there is to know."""
    if metric.http:
        return await measure_http(work, plan, metric, metric.http, moment.window)
    if metric.job:
        run = next_run(metric, metric.job, moment.number, moment.before)
        return await measure_job(work, plan, metric, run, moment.window[1]) if run else None
    question = ask_for(metric, names_in(vars(plan), plan.revision, plan.previous), *moment.window)
    try:
        return judge_metric(metric, question, await work.tools.metrics.ask(question.query, question.at))
    except PipelineError as problem:
        return missed_metric(metric, question, problem)


async def measure_pods(work: Work, plan: Plan, wanted: Pods, window: Window) -> Sample:
    """What the cluster says of the revision's pods now: it keeps no history that could be asked as of the instant."""
    try:
        return judge_pods(wanted, await work.tools.cluster.find(views_of(plan)["pods"]), window)
    except PipelineError as problem:
        return missed_pods(window[1], problem)


async def answer(work: Work, questions: Questions) -> Numbers:
    """Prometheus's numbers."""
    ask, at = work.tools.metrics.ask, questions.at
    latency = await ask(questions.latency, at) if questions.latency else None
    return Numbers(await ask(questions.requests, at), await ask(questions.succeeded, at), latency)


async def routes(work: Work, plan: Plan) -> tuple[Object, Object | None]:
    """The route to the planned revision, and that to the one that served before, if one did."""
    before = (await read_before(work, plan))[Phase.EXPOSURE]
    return (await read_plan(work, plan))[Phase.EXPOSURE][0], before[0] if before else None


def cluster_name(plan: Plan, route: Any) -> str:
    """What the gateway calls the revision of the route in what it counts."""
    (rule,) = route["spec"]["rules"]
    (backend,) = rule["backendRefs"]
    return cluster_of(plan.namespace, backend["name"], backend["port"])
