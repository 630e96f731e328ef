"""A request's own metrics are tried when the plan is made: by the world's Prometheus, and by the one in memory."""

import re
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from blocks.domain.errors import Refused, Unreachable
from blocks.ports.metrics import Metrics
from blocks.prometheus import open_prometheus
from blocks.work import Work
from tasks.metrics import try_metrics
from tests.blocks.domain.plans import make_hashed
from tests.fakes.metrics import MemoryMetrics

GOOD = 'sum(rate(requests_total{namespace="{{namespace}}",revision="{{revision}}"}[{{window}}]))'
MALFORMED, SEVERAL = "sum(", 'vector(1) or label_replace(vector(1), "a", "{{which}}", "", "")'
FILLED = 'vector(1) or label_replace(vector(1), "a", "b", "", "")'


@pytest.fixture(params=["memory", pytest.param("world", marks=pytest.mark.world)])
async def metrics(request: pytest.FixtureRequest) -> AsyncIterator[Metrics]:
    """One in memory that was told which queries are none, and the real one, which knows."""
    if request.param == "world":
        async with open_prometheus(request.getfixturevalue("world").prometheus_url) as opened:
            yield opened
        return
    yield MemoryMetrics(
        says={MALFORMED: Refused("unclosed left parenthesis"), FILLED: Refused("it comes to 2 series, not to one")}
    )


def working(metrics: Metrics) -> Work:
    """What the step needs of an operation."""

    async def now() -> int:
        return int(time.time() * 1000)

    return cast("Work", SimpleNamespace(tools=SimpleNamespace(metrics=metrics, journal=SimpleNamespace(now=now))))


def planned(query: str, strategy: str = "canary", **analysis: Any) -> dict[str, Any]:
    """The hashed part of a plan whose stages are judged by the answer to the query."""
    asked = {"name": "errors", "query": query, "max": 1, "args": {"which": "b"}}
    config = {"analysis": {"metrics": [asked]} | analysis} if strategy == "canary" else None
    return make_hashed(strategy=strategy, strategyConfig=config)


async def refusal(metrics: Metrics, query: str) -> str:
    """Why the plan is refused, or nothing."""
    try:
        await try_metrics(working(metrics), planned(query))
    except Refused as problem:
        return problem.message
    return ""


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param(GOOD, "", id="that can be asked is let through"),
        pytest.param(MALFORMED, "the metric errors cannot be asked: .*unclosed left parenthesis", id="that is none is refused"),
        pytest.param(SEVERAL, "the metric errors cannot be asked: .*2 series.*", id="that comes to several series too"),
    ],
)
async def test_a_query(metrics: Metrics, query: str, said: str) -> None:
    told = await refusal(metrics, query)
    assert re.match(said, told) if said else told == ""


async def test_a_plan_that_judges_nothing_asks_nothing() -> None:
    metrics = MemoryMetrics(fails=Refused("nobody asked"))
    await try_metrics(working(metrics), planned(MALFORMED, enabled=False))
    await try_metrics(working(metrics), planned(MALFORMED, "rolling-update"))
    assert metrics.asked == []


async def test_not_to_be_seen_refuses_nothing() -> None:
    metrics = MemoryMetrics(fails=Unreachable("Prometheus does not answer"))
    await try_metrics(working(metrics), planned(GOOD))
    assert len(metrics.asked) == 1
