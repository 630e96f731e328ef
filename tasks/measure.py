"""One look at how a revision does: asked of Prometheus as of an instant, so that it can be asked again, and of the cluster as it stands."""

import asyncio
from typing import Any

from blocks.domain.analysis import Metric, Pods
from blocks.domain.comparison import judge_beside, window_beside
from blocks.domain.errors import PipelineError
from blocks.domain.http_answer import without_own
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
from tasks.plan import read_before, read_plan
from tasks.rollout import views_of

Window = tuple[float, float]


async def measure(work: Work, plan: Plan, stage: Stage, window: Window) -> tuple[Sample, ...]:
    """What is to be known of the planned revision, from one instant to another (seconds since 1970): a sample for each thing asked for.

    What cannot be measured is a sample too: it is no failure of the revision's.
    """
    analysis = config_of(work.order.request).analysis
    looks = [
        measure_answers(work, plan, stage, window),
        *(measure_metric(work, plan, one, window) for one in asked_of(analysis.metrics, first=not plan.previous)),
        *([measure_pods(work, plan, analysis.pods, window)] if analysis.pods else []),
    ]
    return tuple(await asyncio.gather(*looks))


async def measure_answers(work: Work, plan: Plan, stage: Stage, window: Window) -> Sample:
    """What the revision's answers say, beside those of the revision that serves if that is asked for and one does."""
    analysis = without_own(config_of(work.order.request).analysis, window)
    now, before = await routes(work, plan)
    questions = ask_about(cluster_name(plan, now), analysis, *window)
    try:
        numbers = await answer(work, questions)
        if (compared := analysis.compared_to_stable) is None or before is None:
            return judge(analysis, questions, numbers)
        beside = ask_about(cluster_name(plan, before), analysis, *window_beside(stage.weight, *window))
        return judge_beside((analysis, compared), questions, numbers, await answer(work, beside))
    except PipelineError as problem:
        return missed(questions, problem)


async def measure_metric(work: Work, plan: Plan, metric: Metric, window: Window) -> Sample:
    """What a metric of the request's own says."""
    if metric.http:
        return await measure_http(work, plan, metric, metric.http, window)
    question = ask_for(metric, names_in(vars(plan), plan.revision, plan.previous), *window)
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
