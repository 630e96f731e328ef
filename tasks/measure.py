"""One look at how a revision answers its users: asked of Prometheus as of an instant, so that it can be asked again."""

from typing import Any

from blocks.domain.analysis import Analysis
from blocks.domain.errors import PipelineError
from blocks.domain.objects.phases import Phase
from blocks.domain.plan import Plan
from blocks.domain.questions import Numbers, Questions, ask_about, cluster_of, judge, missed
from blocks.domain.rollout import Sample
from blocks.work import Work
from tasks.plan import read_plan


async def measure(work: Work, plan: Plan, analysis: Analysis, window: tuple[float, float]) -> Sample:
    """What the answers of the planned revision say, from one instant to another (seconds since 1970).

    What cannot be measured is a sample too: it is no failure of the revision's.
    """
    questions = ask_about(await cluster_name(work, plan), analysis, *window)
    try:
        return judge(analysis, questions, await answer(work, questions))
    except PipelineError as problem:
        return missed(questions, problem)


async def answer(work: Work, questions: Questions) -> Numbers:
    """Prometheus's numbers."""
    ask, at = work.tools.metrics.ask, questions.at
    latency = await ask(questions.latency, at) if questions.latency else None
    return Numbers(await ask(questions.requests, at), await ask(questions.succeeded, at), latency)


async def cluster_name(work: Work, plan: Plan) -> str:
    """What the gateway calls the planned revision in what it counts."""
    route: Any = (await read_plan(work, plan))[Phase.EXPOSURE][0]
    (rule,) = route["spec"]["rules"]
    (backend,) = rule["backendRefs"]
    return cluster_of(plan.namespace, backend["name"], backend["port"])
