"""Two revisions side by side until it is certain which is better. The world is in memory."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from blocks.domain.errors import Unreachable
from blocks.domain.journal import Kind, Phase
from blocks.domain.manifest import Runtime
from blocks.domain.objects.blueprint import RUNTIMES
from blocks.domain.questions import cluster_of
from blocks.domain.status import InstallationView
from tests.flows.conftest import ON_SQLITE, Outside
from tests.flows.standing import replicas, wanted, weights
from tests.flows.test_canary import BOB, asked_of_people
from tests.flows.test_update import FRONTEND, installed

pytestmark = ON_SQLITE

# A look each second, as often as can be asked for.
EXPERIMENT = {"share": 30, "duration": 2, "interval": 1, "minRequests": 5, "errorLimit": 1}
GOOD, BAD, SILENT = {"2": 100}, {"2": 60, "5": 40}, {"2": 0}
ASKED = ["open_variants", "watch_experiment"]


async def compared(
    outside: Outside, first: InstallationView, a: Mapping[str, int], b: Mapping[str, int], **config: Any
) -> InstallationView:
    """The installation after a test in which the pods of both variants give so many answers a second, by their class."""
    now = time.time()
    for number, answers in ((1, a), (2, b)):
        cluster = cluster_of(first.namespace, f"{first.slug}-r{number}", RUNTIMES[Runtime.FRONTEND].port)
        for second in range(-10, 600):
            outside.metrics.scrape(cluster, now + second, {kind: count * (second + 10) for kind, count in answers.items()})
    asked = {"tenant": first.tenant, "plugin": FRONTEND, "strategy": "ab-testing"}
    return await outside.install(**asked, strategyConfig={"experiment": EXPERIMENT | config})


def result(seen: InstallationView) -> dict[str, Any]:
    """What the test came to."""
    (found,) = [one.result for one in seen.operation.steps if one.name == "watch_experiment"]
    told: dict[str, Any] = json.loads(found)
    return told


async def looked(outside: Outside, seen: InstallationView) -> list[dict[str, Any]]:
    """Every look that stands in the journal, with what both had answered then."""
    async with outside.open(outside.settings, seen.operation.id) as tools:
        entries = await tools.journal.read(seen.operation.id)
    taken = [one for entry in entries if entry.kind is Kind.MEASURED for one in json.loads(entry.payload)]
    assert all(one["query"] and one["both"] for one in taken)
    return taken


def names(seen: InstallationView) -> list[str]:
    """The steps that this strategy has and others have not."""
    return [one.name for one in seen.operation.steps if one.name in ASKED]


async def test_b_that_wins_takes_all_and_the_verdict_has_its_numbers(outside: Outside) -> None:
    first = await installed(outside)
    seen = await compared(outside, first, BAD, GOOD)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert names(seen) == ASKED
    assert weights(outside.cluster) == {f"{seen.slug}-r2": 100}
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": 1}
    found = result(seen)
    assert found["why"].startswith("B is better: success rate 1.0000 of")
    verdict = found["comparison"]
    assert verdict["a"]["requests"] == verdict["b"]["requests"] >= 100
    assert 1 < verdict["low"] < verdict["odds_ratio"] < verdict["high"]
    assert (verdict["p_value"] < 0.05, verdict["bayes_factor"] > 20) == (True, True)


async def test_b_that_loses_goes_back_and_stays_away(outside: Outside) -> None:
    first = await installed(outside)
    before = wanted(outside.cluster)
    seen = await compared(outside, first, GOOD, BAD)
    assert seen.operation.phase is Phase.WITHDRAWN
    assert seen.operation.reason is not None
    assert (seen.operation.reason.code, "B is worse: success rate 0.6" in seen.operation.reason.message) == (
        "analysis-failed",
        True,
    )
    assert wanted(outside.cluster) == before
    assert seen.revision == first.revision
    assert (await looked(outside, seen))[-1]["sentence"] in seen.operation.reason.message
    again = await compared(outside, first, BAD, GOOD)
    assert again.operation.reason is not None
    assert again.operation.reason.code == "quarantined"


NOBODY = [
    pytest.param(GOOD, GOOD, None, "nobody won within 2 s: success rate 1.0000 of", id="where both are alike"),
    pytest.param(GOOD, SILENT, None, "and B 0 requests", id="where one is used by nobody"),
    pytest.param(GOOD, GOOD, Unreachable("Prometheus does not answer"), "it could not be measured", id="where nothing is seen"),
]


@pytest.mark.parametrize(("a", "b", "trouble", "said"), NOBODY)
async def test_nobody_wins(
    outside: Outside, a: Mapping[str, int], b: Mapping[str, int], trouble: Exception | None, said: str
) -> None:
    first = await installed(outside)
    outside.metrics.fails = trouble
    seen = await compared(outside, first, a, b, undecided="ask" if trouble is None else "promote")
    assert seen.operation.phase is Phase.PARKED
    assert said in asked_of_people(seen)
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 70, f"{seen.slug}-r2": 30}
    await outside.words.promote(seen.operation.id, BOB, "I like it")
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert weights(outside.cluster) == {f"{seen.slug}-r2": 100}
    assert result(seen)["why"] == "a person promoted it"


async def test_what_has_not_won_in_time_goes_back_where_that_is_wanted_and_may_be_tried_again(outside: Outside) -> None:
    first = await installed(outside)
    before = wanted(outside.cluster)
    seen = await compared(outside, first, GOOD, GOOD, undecided="rollback")
    assert seen.operation.phase is Phase.WITHDRAWN
    assert seen.operation.reason is not None
    assert "has not won: nobody won within 2 s" in seen.operation.reason.message
    assert wanted(outside.cluster) == before
    again = await outside.install(tenant=first.tenant, plugin=FRONTEND, config={"colour": "blue"})
    assert again.operation.phase is Phase.SUCCEEDED, again.operation.reason


async def test_a_cancelled_test_goes_back_for_everybody(outside: Outside) -> None:
    first = await installed(outside)
    before = wanted(outside.cluster)
    seen = await compared(outside, first, GOOD, BAD, onLoss="ask")
    assert seen.operation.phase is Phase.PARKED
    assert "B is worse" in asked_of_people(seen)
    await outside.words.cancel(seen.operation.id, BOB, "not today")
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.WITHDRAWN
    assert wanted(outside.cluster) == before


async def test_what_somebody_took_away_meanwhile_is_made_again_before_everybody_meets_it(outside: Outside) -> None:
    first = await installed(outside)
    seen = await compared(outside, first, SILENT, SILENT)
    assert seen.operation.phase is Phase.PARKED
    await outside.cluster.take_down(f"{seen.slug}-r2")
    assert f"{seen.slug}-r2" not in replicas(outside.cluster)
    await outside.words.promote(seen.operation.id, BOB, "I like it")
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": 1}


async def test_a_first_revision_has_nobody_to_be_compared_with(outside: Outside) -> None:
    seen = await outside.install(plugin=FRONTEND, strategy="ab-testing")
    assert (seen.operation.phase, names(seen)) == (Phase.SUCCEEDED, []), seen.operation.reason
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 100}
