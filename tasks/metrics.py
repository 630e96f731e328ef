"""A request's own metrics, asked once when the plan is made: what Prometheus will never answer is told then, and not in the middle."""

from collections.abc import Mapping
from typing import Any

from blocks.domain.errors import Refused, Transient
from blocks.domain.manifest import InstallRequest
from blocks.domain.metrics import ask_for, asked_of, names_in
from blocks.domain.stages import config_of, stages_of
from blocks.work import Work

# Seconds that the query is about when it is tried.
TRIED = 60
HINT = "correct its query; one that comes to several series wants sum(), or a label more"


async def try_metrics(work: Work, hashed: Mapping[str, Any]) -> None:
    """Prometheus takes every query that the plan's stages will ask; `Refused` names the metric otherwise.

    That it cannot be asked now, or has no number yet, says nothing of the query.
    """
    analysis = config_of(InstallRequest.model_validate(hashed["inputs"]["request"])).analysis
    queries = [one for one in analysis.metrics if one.query]
    if not stages_of(hashed) or not analysis.enabled or not queries:
        return
    now, names = await work.tools.journal.now() / 1000, names_in(hashed["names"], hashed["revision"], hashed["previous"])
    for metric in asked_of(queries, first=not hashed["previous"]):
        try:
            question = ask_for(metric, names, now - TRIED, now)
            await work.tools.metrics.ask(question.query, question.at)
        except Transient:
            return
        except Refused as problem:
            raise Refused(f"the metric {metric.name} cannot be asked: {problem.message}", HINT) from problem
