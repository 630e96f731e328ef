"""One question to the new revision itself: through the gateway by the header that leads to it alone, or to its own Service."""

import asyncio

from blocks.domain.analysis import Metric
from blocks.domain.errors import PipelineError, Unreachable
from blocks.domain.http_answer import Answer, judge_answer
from blocks.domain.http_check import HttpCheck
from blocks.domain.metrics import Question, missed_metric
from blocks.domain.objects.routes import PREVIEW
from blocks.domain.plan import Plan
from blocks.domain.rollout import Sample
from blocks.ports.cluster import Reply
from blocks.work import Work


async def measure_http(work: Work, plan: Plan, metric: Metric, check: HttpCheck, window: tuple[float, float]) -> Sample:
    """What the revision answers now: nobody keeps what it would have answered at the instant."""
    question = Question(window[1], window[1], tell_asked(plan, check.path))
    try:
        async with asyncio.timeout(check.timeout):
            reply = await ask_revision(work, plan, check.path)
    except TimeoutError:
        return missed_metric(metric, question, Unreachable(f"{check.path} gave no answer within {check.timeout:g} s"))
    except PipelineError as problem:
        return missed_metric(metric, question, problem)
    return judge_answer(metric, check, question, Answer(reply.status, reply.headers, reply.text, plan.target))


async def ask_revision(work: Work, plan: Plan, path: str) -> Reply:
    """What the planned revision itself answers, or `Transient` if nothing does."""
    if plan.plain:
        return await work.tools.web.ask(plan.own_host, path)
    return await work.tools.web.ask(plan.host, path, {PREVIEW: plan.name})


def tell_asked(plan: Plan, path: str) -> str:
    """The question as people would ask it."""
    return f"GET http://{plan.own_host}{path}" if plan.plain else f"GET {plan.url}{path} with {PREVIEW}: {plan.name}"
