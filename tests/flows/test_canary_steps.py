"""The steps of a canary: copies, those who ask for it, and a share until a person says so. The world is in memory."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView, see_planned
from tests.flows.conftest import ON_SQLITE, Outside
from tests.flows.standing import strip, weights
from tests.flows.test_canary import ANALYSIS, BAD, BOB, GOOD, asked_of_people, steps, update
from tests.flows.test_update import installed

pytestmark = ON_SQLITE

MIRROR: dict[str, Any] = {"weight": 0, "mirror": True}
BETA: dict[str, Any] = {"weight": 0, "header": {"name": "x-beta", "value": "1"}}
TESTER: dict[str, Any] = {"weight": 0, "cookie": {"name": "tester", "value": "1"}}
PERSON: dict[str, Any] = {"weight": 30, "pause": "until-promoted"}
UNMEASURED = {"enabled": False}
# Seconds within which a watched stage has been measured three times.
PATIENCE = 60


def by_steps(*stages: object, analysis: dict[str, Any] = ANALYSIS) -> dict[str, Any]:
    """What a request says of these stages."""
    return {"stages": [*stages], "stageInterval": 1, "analysis": analysis}


def rules(outside: Outside) -> list[dict[str, Any]]:
    """The rules of the plugin's route."""
    (route,) = [found for (plural, _, _), found in outside.cluster.store.objects.items() if plural == "httproutes"]
    found: list[dict[str, Any]] = strip(route)["spec"]["rules"]
    return found


async def waiting(outside: Outside, *stages: object) -> InstallationView:
    """The installation as it waits for a person at the stage before the last, which nobody measures."""
    first = await installed(outside)
    return await update(outside, first, GOOD, strategyConfig=by_steps(*stages, 100, analysis=UNMEASURED))


async def test_it_is_met_by_copies_then_by_those_who_ask_then_by_all(outside: Outside) -> None:
    first = await installed(outside)
    seen = await update(outside, first, GOOD, strategyConfig=by_steps(MIRROR, {**BETA, **TESTER}, 30, 100))
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    assert steps(seen) == [f"{what}:{number}" for number in (1, 2, 3, 4) for what in ("route_stage", "watch_stage")]
    (rule,) = rules(outside)
    assert weights(outside.cluster) == {f"{seen.slug}-r2": 100}
    assert not {"filters", "matches"} & {*rule}


@pytest.mark.parametrize("stage", [pytest.param(MIRROR, id="copies"), pytest.param(BETA, id="those who ask")])
async def test_bad_answers_bring_it_back_before_anybody_else_met_it(outside: Outside, stage: dict[str, Any]) -> None:
    first = await installed(outside)
    seen = await update(outside, first, BAD, strategyConfig=by_steps(stage, 100))
    assert seen.operation.phase is Phase.WITHDRAWN
    assert seen.operation.reason is not None
    assert seen.operation.reason.code == "analysis-failed"
    assert steps(seen) == ["route_stage:1", "watch_stage:1"]
    (rule,) = rules(outside)
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 100}
    assert not {"filters", "matches"} & {*rule}


async def test_what_nobody_measures_waits_for_a_person_and_holds_nothing(outside: Outside) -> None:
    seen = await waiting(outside, {**BETA, "pause": 0}, PERSON)
    assert (seen.operation.phase, steps(seen)[-1]) == (Phase.PARKED, "watch_stage:2")
    assert seen.operation.reason is not None
    assert (seen.operation.reason.code, asked_of_people(seen)) == (
        "until-promoted",
        "30 % until somebody promotes it; nothing is measured meanwhile",
    )
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 70, f"{seen.slug}-r2": 30}
    assert see_planned(seen.operation.steps)["watch_stage:2"] == "keep it so until somebody says promote"
    await outside.words.freeze(seen.operation.id, BOB, "lunch")
    await outside.words.unfreeze(seen.operation.id, BOB, "back")
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.PARKED, "a run that comes without the word waits again"
    assert await outside.words.promote(seen.operation.id, BOB, "the testers like it") is Phase.APPLYING
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason


async def test_who_waits_for_a_person_can_be_sent_back(outside: Outside) -> None:
    seen = await waiting(outside, {**PERSON, "header": BETA["header"]})
    assert len(rules(outside)) == 2
    await outside.words.cancel(seen.operation.id, BOB, "the testers do not like it")
    seen = await outside.carry_on(seen)
    assert seen.operation.phase is Phase.WITHDRAWN
    assert weights(outside.cluster) == {f"{seen.slug}-r1": 100}
    assert len(rules(outside)) == 1


async def watched(outside: Outside) -> tuple[InstallationView, asyncio.Task[InstallationView]]:
    """The installation while it is good and waits for a person, and the flow that watches it."""
    first = await installed(outside)
    flow = asyncio.create_task(update(outside, first, GOOD, strategyConfig=by_steps({**PERSON, "weight": 100})))
    async with asyncio.timeout(PATIENCE):
        # Two queries a sample: one sample would be enough where no person is asked for.
        while len(outside.metrics.asked) < 3 * 2:
            await asyncio.sleep(0.05)
    seen = await outside.see(first.id)
    assert (seen.operation.phase, steps(seen)[-1], flow.done()) == (Phase.APPLYING, "watch_stage:1", False)
    return seen, flow


async def test_while_a_person_is_waited_for_it_is_watched_and_bad_answers_bring_it_back(outside: Outside) -> None:
    seen, flow = await watched(outside)
    (cluster,) = outside.metrics.scrapes
    kept = [one for one in outside.metrics.scrapes[cluster] if one.at <= time.time()]
    failing = [replace(kept[-1], at=kept[-1].at + second, counters={**kept[-1].counters, "5": 900}) for second in range(1, 600)]
    outside.metrics.scrapes[cluster] = [*kept, *failing]
    seen = await flow
    assert (seen.operation.phase, weights(outside.cluster)) == (Phase.WITHDRAWN, {f"{seen.slug}-r1": 100})
    assert seen.operation.reason is not None
    assert seen.operation.reason.code == "analysis-failed"


async def test_the_persons_word_ends_it_at_once(outside: Outside) -> None:
    seen, flow = await watched(outside)
    assert await outside.words.promote(seen.operation.id, BOB, "the testers like it") is Phase.APPLYING
    seen = await flow
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
