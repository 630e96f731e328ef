"""What a canary is judged by beside thresholds; the world is in memory."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from blocks.domain.errors import Refused, Unreachable
from blocks.domain.journal import Kind, Phase
from blocks.domain.manifest import Runtime
from blocks.domain.objects.blueprint import RUNTIMES
from blocks.domain.questions import cluster_of
from blocks.domain.status import InstallationView
from tests.flows.conftest import ON_SQLITE, Outside
from tests.flows.standing import weights
from tests.flows.test_canary import ANALYSIS, BAD, GOOD, SILENT, asked_of_people, steps, update
from tests.flows.test_update import FRONTEND, installed

pytestmark = ON_SQLITE

LAST = {"stages": "50,100", "stageInterval": 1}
QUERY = 'errors{ns="{{namespace}}",rev="{{revision}}",code="{{code}}"}'
ERRORS = {"name": "errors", "query": QUERY, "max": 0.1, "args": {"code": "500"}}
COMPARED = {"comparedToStable": {"successRate": 0.02}}


async def judged(outside: Outside, first: InstallationView, answers: Mapping[str, int], **analysis: Any) -> InstallationView:
    """The installation after a canary of two stages that is judged so."""
    return await update(outside, first, answers, strategyConfig={**LAST, "analysis": ANALYSIS | analysis})


async def samples(outside: Outside, seen: InstallationView) -> list[dict[str, Any]]:
    """Every sample in the journal of the newest operation."""
    async with outside.open(outside.settings, seen.operation.id) as tools:
        entries = await tools.journal.read(seen.operation.id)
    return [sample for one in entries if one.kind is Kind.MEASURED for sample in json.loads(one.payload)]


def asked(first: InstallationView, revision: int = 2) -> str:
    """The query of the metric as it is asked."""
    return f'errors{{ns="{first.namespace}",rev="{first.slug}-r{revision}",code="500"}}'


def serve(outside: Outside, first: InstallationView, answers: Mapping[str, int]) -> None:
    """Let the revision that serves have answered so a second, by their class."""
    cluster, now = cluster_of(first.namespace, f"{first.slug}-r1", RUNTIMES[Runtime.FRONTEND].port), time.time()
    for second in range(-60, 600):
        outside.metrics.scrape(cluster, now + second, {kind: count * (second + 60) for kind, count in answers.items()}, 30)


async def test_what_is_good_in_all_that_it_is_judged_by_passes(outside: Outside) -> None:
    first = await installed(outside)
    outside.metrics.says[asked(first)] = lambda _: 0.05
    seen = await judged(outside, first, GOOD, metrics=[ERRORS], pods={})
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert {one["name"] for one in await samples(outside, seen)} == {"answers", "errors", "pods"}


async def test_a_metric_of_its_own_brings_it_back_and_every_sample_is_in_the_journal(outside: Outside) -> None:
    first = await installed(outside)
    outside.metrics.says[asked(first)] = lambda _: 0.3
    seen = await judged(outside, first, GOOD, metrics=[ERRORS | {"failureLimit": 1}])
    assert seen.operation.phase is Phase.WITHDRAWN
    assert "2 bad samples, 1 allowed; the last: errors 0.3, at most 0.1 wanted" in asked_of_people(seen)
    found = [one for one in await samples(outside, seen) if one["name"] == "errors"]
    assert [(one["verdict"], one["number"], one["threshold"], one["query"]) for one in found] == [
        ("bad", 0.3, 0.1, asked(first))
    ] * 2
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 100}


async def test_a_dry_run_only_reports(outside: Outside) -> None:
    first = await installed(outside)
    outside.metrics.says[asked(first)] = lambda _: 0.3
    seen = await judged(outside, first, GOOD, metrics=[ERRORS | {"dryRun": True}])
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    reported = [one["sentence"] for one in await samples(outside, seen) if not one["counts"]]
    assert set(reported) == {"errors 0.3, at most 0.1 wanted (only reported)"}


async def test_a_query_that_prometheus_refuses_is_told_when_the_plan_is_made(outside: Outside) -> None:
    first = await installed(outside)
    outside.metrics.says[asked(first)] = Refused("Prometheus refused the query: unclosed left parenthesis")
    seen = await judged(outside, first, GOOD, metrics=[ERRORS])
    assert (seen.operation.phase, steps(seen)) == (Phase.WITHDRAWN, [])
    assert asked_of_people(seen).startswith("the metric errors cannot be asked: Prometheus refused the query: unclosed")
    assert "make_plan" in {one.name for one in seen.operation.steps}


async def test_a_prometheus_that_is_away_refuses_no_plan(outside: Outside) -> None:
    first = await installed(outside)
    outside.metrics.says[asked(first)] = Unreachable("Prometheus does not answer")
    seen = await judged(outside, first, GOOD, metrics=[ERRORS])
    assert (seen.operation.phase, steps(seen)[-1]) == (Phase.PARKED, "watch_stage:1")
    assert "errors: Prometheus does not answer" in asked_of_people(seen)


@pytest.mark.parametrize(
    ("serves", "phase"),
    [
        pytest.param(BAD, Phase.SUCCEEDED, id="a bad one that serves is replaced by one that is no worse"),
        pytest.param(GOOD, Phase.WITHDRAWN, id="a good one by none that is worse"),
        pytest.param(SILENT, Phase.PARKED, id="of one that nobody meets nothing is known"),
    ],
)
async def test_beside_the_one_that_serves(outside: Outside, serves: Mapping[str, int], phase: Phase) -> None:
    first = await installed(outside)
    serve(outside, first, serves)
    seen = await judged(outside, first, BAD, **COMPARED)
    assert seen.operation.phase is phase, seen.operation.reason


async def test_beside_it_as_soon_as_it_is_certain(outside: Outside) -> None:
    first = await installed(outside)
    serve(outside, first, GOOD)
    seen = await judged(outside, first, BAD, comparedToStable={"sequential": {"alpha": 0.01}})
    assert seen.operation.phase is Phase.WITHDRAWN
    assert "it is certain that more fail than of the revision before: success rate 0.6" in asked_of_people(seen)
    (decided,) = await samples(outside, seen)
    a, b = decided["both"]
    assert (a["requests"], b["requests"]) == (a["succeeded"], decided["requests"])
    assert decided["number"] <= decided["threshold"] == 0.01


async def test_pods_that_restart_in_the_stage_bring_it_back(outside: Outside) -> None:
    first = await installed(outside)
    outside.cluster.pods_are = "restarted"
    seen = await judged(outside, first, GOOD, pods={})
    assert seen.operation.phase is Phase.WITHDRAWN
    assert "1 restarts in the stage, at most 0 wanted" in asked_of_people(seen)


async def test_a_run_that_takes_over_has_the_samples_that_were_taken(outside: Outside) -> None:
    first = await installed(outside)
    seen = await judged(outside, first, SILENT, pods={})
    before = await samples(outside, seen)
    assert seen.operation.phase is Phase.PARKED
    # Both at each instant, and on a busy machine at more instants than two.
    assert [one["name"] for one in before] == ["answers", "pods"] * (len(before) // 2)
    assert len(before) >= 4
    outside.metrics.asked.clear()
    seen = await outside.carry_on(seen)
    assert (await samples(outside, seen))[: len(before)] == before
    assert {at for _, at in outside.metrics.asked}.isdisjoint({one["at"] - 1 for one in before})


async def test_a_first_revision_is_not_compared_and_is_judged_all_the_same(outside: Outside) -> None:
    beside = ERRORS | {"name": "beside", "query": 'x{rev="{{stable}}"}', "args": {}}
    config = {**LAST, "analysis": ANALYSIS | COMPARED | {"metrics": [beside]}}
    seen = await outside.install(plugin=FRONTEND, strategy="canary", strategyConfig=config)
    assert "no requests were answered" in asked_of_people(seen)
    assert {one["name"] for one in await samples(outside, seen)} == {"answers"}
