"""Stage by stage: on as long as the numbers are good, back with the one that is not. On both databases, the world in memory."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from blocks.catalog.requests import Asked
from blocks.domain.approval import Speaker
from blocks.domain.errors import NotAllowed, TooLate, Unreachable
from blocks.domain.journal import Phase
from blocks.domain.manifest import Runtime
from blocks.domain.objects.blueprint import RUNTIMES
from blocks.domain.questions import cluster_of
from blocks.domain.status import InstallationView
from tests.flows.conftest import MOSTLY_ON_SQLITE, Outside
from tests.flows.standing import replicas, wanted, weights
from tests.flows.test_update import FRONTEND, installed

pytestmark = MOSTLY_ON_SQLITE

BOB = Speaker("bob", frozenset({"developer"}))
# A sample each second, as often as can be asked for.
ANALYSIS = {"interval": 1, "minRequests": 5, "errorLimit": 1, "extend": 1}
STAGES = {"stages": "20,60,100", "stageInterval": "1", "analysis": ANALYSIS}
GOOD, BAD, SILENT = {"2": 100}, {"2": 60, "5": 40}, {"2": 0}


async def update(outside: Outside, first: InstallationView, answers: Mapping[str, int], **changes: Any) -> InstallationView:
    """The installation after a canary whose pods give so many answers a second, by their class."""
    now, cluster = time.time(), cluster_of(first.namespace, f"{first.slug}-r2", RUNTIMES[Runtime.FRONTEND].port)
    for second in range(-10, 600):
        counted = {kind: count * (second + 10) for kind, count in answers.items()}
        outside.metrics.scrape(cluster, now + second, counted, latency_ms=30)
    asked = {"tenant": first.tenant, "plugin": FRONTEND, "strategy": "canary", "strategyConfig": STAGES}
    return await outside.install(**asked | changes)


def steps(seen: InstallationView) -> list[str]:
    """Which stages were begun."""
    return [one.name for one in seen.operation.steps if "_stage:" in one.name]


async def test_each_stage_is_watched_and_the_last_one_takes_all(outside: Outside) -> None:
    first = await installed(outside)
    seen = await update(outside, first, GOOD)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert steps(seen) == [f"{what}:{number}" for number in (1, 2, 3) for what in ("route_stage", "watch_stage")]
    assert weights(outside.cluster) == {f"{seen.slug}-r2": 100}
    assert replicas(outside.cluster) == {f"{seen.slug}-r1": 0, f"{seen.slug}-r2": 1}


async def test_bad_numbers_bring_everything_back_and_keep_the_release_away(outside: Outside) -> None:
    first = await installed(outside)
    before = wanted(outside.cluster)
    seen = await update(outside, first, BAD)
    assert seen.operation.phase is Phase.WITHDRAWN
    assert seen.operation.reason is not None
    assert (seen.operation.reason.code, "success rate 0.6" in seen.operation.reason.message) == ("analysis-failed", True)
    assert steps(seen) == ["route_stage:1", "watch_stage:1"]
    assert wanted(outside.cluster) == before
    assert seen.revision == first.revision
    again = await update(outside, first, GOOD)
    assert again.operation.reason is not None
    assert again.operation.reason.code == "quarantined"


async def test_a_bad_configuration_goes_back_and_its_release_stays_in_use(outside: Outside) -> None:
    first = await outside.install(plugin=FRONTEND)
    seen = await update(outside, first, BAD, config={"colour": "red"})
    assert seen.operation.reason is not None
    assert seen.operation.reason.code == "analysis-failed"
    again = await outside.install(tenant=first.tenant, plugin=FRONTEND, config={"colour": "blue"})
    assert again.operation.phase is Phase.SUCCEEDED, again.operation.reason


SILENCE = [
    pytest.param(SILENT, None, "no requests were answered", id="no data"),
    pytest.param(GOOD, Unreachable("Prometheus does not answer"), "it could not be measured", id="nothing can be measured"),
]


@pytest.mark.parametrize(("answers", "trouble", "said"), SILENCE)
async def test_without_numbers_a_person_is_asked(
    outside: Outside, answers: Mapping[str, int], trouble: Exception | None, said: str
) -> None:
    first = await installed(outside)
    outside.metrics.fails = trouble
    seen = await update(outside, first, answers)
    assert seen.operation.phase is Phase.PARKED
    assert said in asked_of_people(seen)
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 80, f"{seen.slug}-r2": 20}


async def test_a_promoted_stage_is_good_enough_and_the_next_one_is_watched(outside: Outside) -> None:
    first = await installed(outside)
    seen = await update(outside, first, SILENT)
    assert await outside.words.promote(seen.operation.id, BOB, "I tried it") is Phase.APPLYING
    seen = await outside.carry_on(seen)
    assert (seen.operation.phase, steps(seen)[-1]) == (Phase.PARKED, "watch_stage:2")
    assert await outside.words.promote(seen.operation.id, BOB, "it mends an outage", fully=True) is Phase.APPLYING
    seen = await outside.carry_on(seen)
    assert (seen.operation.phase, steps(seen)[-1]) == (Phase.PARKED, "watch_stage:3")
    await outside.words.promote(seen.operation.id, BOB, "all is well")
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason


async def test_a_cancelled_canary_goes_back_in_one_write(outside: Outside) -> None:
    first = await installed(outside)
    seen = await update(outside, first, SILENT)
    await outside.words.cancel(seen.operation.id, BOB, "not today")
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.WITHDRAWN
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 100}


async def test_a_first_revision_has_one_stage_and_is_judged_too(outside: Outside) -> None:
    seen = await outside.install(plugin=FRONTEND, strategy="canary", strategyConfig=STAGES)
    assert (seen.operation.phase, steps(seen)) == (Phase.PARKED, ["route_stage:1", "watch_stage:1"])
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 100}


async def test_only_a_stage_that_is_watched_can_be_promoted(outside: Outside) -> None:
    seen = await installed(outside)
    with pytest.raises(TooLate, match="no stage is watched"):
        await outside.words.promote(seen.operation.id, BOB, "go")
    asked = await outside.requests.request_install(outside.request(), Asked("ann"))
    with pytest.raises((NotAllowed, TooLate), match="no stage is watched"):
        await outside.words.promote(asked.operation, BOB, "go")


async def test_the_way_back_by_hand_has_no_stages(outside: Outside) -> None:
    first = await installed(outside)
    seen = await update(outside, first, GOOD)
    outside.release("1.2.3")
    back = await outside.roll_back(seen.id)
    assert (back.operation.phase, steps(back)) == (Phase.SUCCEEDED, []), back.operation.reason


def asked_of_people(seen: InstallationView) -> str:
    """Why only a person can say how to go on."""
    return seen.operation.reason.message if seen.operation.reason else ""
