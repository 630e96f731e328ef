"""Several plugins as one: in order, stage by stage together, and back together. The world is in memory."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

import tasks.together
from blocks.catalog.set_requests import SetRequested
from blocks.domain.approval import Speaker
from blocks.domain.findings import Database
from blocks.domain.journal import Kind, Phase
from flows.install_set import install_set
from tests.flows.conftest import MOSTLY_ON_SQLITE, Outside
from tests.flows.paired import FIRST, SECOND, Paired, phases
from tests.flows.standing import replicas, wanted
from tests.flows.test_canary import ANALYSIS, BAD, GOOD, SILENT

pytestmark = MOSTLY_ON_SQLITE

BOB = Speaker("bob", frozenset({"developer", "approver"}))
CANARY: dict[str, Any] = {
    "strategy": "canary",
    "strategyConfig": {"stages": "20,100", "stageInterval": "1", "analysis": ANALYSIS | {"extend": 0}},
}


@pytest.fixture
def paired(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> Paired:
    """A world that knows two plugins, which look at each other more often than elsewhere."""
    monkeypatch.setattr(tasks.together, "LOOK", 0.05)
    return Paired(outside)


async def test_what_is_needed_comes_first_and_nobody_meets_one_before_the_other_is_ready(paired: Paired) -> None:
    asked = await paired.ask()
    seen = await paired.carry(asked)
    assert phases(seen) == [Phase.SUCCEEDED] * 2, [one.operation.reason for one in seen]
    assert [one.plugin for one in seen] == [FIRST, SECOND]
    assert (await paired.view(asked)).committed_at > 0
    told = await paired.told(asked)
    first_ready = told.index((FIRST, "roll_out", Kind.DONE))
    assert told.index((SECOND, "provision_namespace", Kind.INTENDED)) > first_ready
    assert told.index((FIRST, "shift_traffic", Kind.INTENDED)) > told.index((SECOND, "roll_out", Kind.DONE))
    again = await paired.ask()
    assert (again.created, phases(await paired.see(again))) == (False, [Phase.SUCCEEDED] * 2)


async def test_what_fails_before_anything_is_touched_ends_all_before_that(paired: Paired) -> None:
    paired.source.gone.add(FIRST)
    asked = await paired.ask()
    assert phases(await paired.carry(asked)) == [Phase.WITHDRAWN] * 2
    assert not wanted(paired.outside.cluster)
    assert not [step for _, step, _ in await paired.told(asked) if step == "provision_namespace"]


async def test_bad_numbers_of_one_bring_all_back_and_it_is_named_and_kept_away_alone(paired: Paired) -> None:
    first = await paired.served()
    before = wanted(paired.outside.cluster)
    paired.answer(FIRST, GOOD)
    paired.answer(SECOND, BAD)
    seen = await paired.carry(await paired.ask(**CANARY))
    assert phases(seen) == [Phase.WITHDRAWN] * 2
    good, bad = [one.operation.reason for one in seen]
    assert good is not None
    assert bad is not None
    assert (good.code, bad.code) == ("set-failed", "analysis-failed")
    assert f"because of {SECOND}: {bad.message}" in good.message
    assert [one.revision for one in seen] == [one.revision for one in first]
    assert wanted(paired.outside.cluster) == before
    kept = [await paired.outside.views.quarantines(one.id) for one in seen]
    assert [[one.release for one in of_plugin] for of_plugin in kept] == [[], [f"{SECOND}@2.0.0"]]


async def test_while_one_waits_for_a_person_the_others_hold_nothing_and_no_stage_begins(paired: Paired) -> None:
    await paired.served()
    paired.answer(FIRST, GOOD)
    paired.answer(SECOND, SILENT)
    asked = await paired.ask(**CANARY)
    seen = await paired.carry(asked)
    assert phases(seen) == [Phase.PARKED] * 2
    assert [one.operation.steps[-1].name for one in seen] == ["meet:stage:2", "watch_stage:1"]
    waits = seen[0].operation.reason
    assert waits is not None
    assert (waits.code, SECOND in waits.message) == ("waits-for-set", True)
    assert phases(await paired.carry(asked)) == [Phase.PARKED] * 2
    for _ in range(2):
        await paired.outside.words.promote(seen[1].operation.id, BOB, "I tried it")
        seen = await paired.carry(asked)
    assert phases(seen) == [Phase.SUCCEEDED] * 2, [one.operation.reason for one in seen]
    told = await paired.told(asked)
    over = [told.index((name, "watch_stage:1", Kind.DONE)) for name in (FIRST, SECOND)]
    begun = [told.index((name, "route_stage:2", Kind.INTENDED)) for name in (FIRST, SECOND)]
    assert max(over) < min(begun)


async def test_who_cancels_one_takes_back_what_waits_with_it(paired: Paired) -> None:
    for scanner in paired.outside.scanners.values():
        scanner.database = replace(scanner.database or Database("", "", "", official=True), official=True)
    asked = await paired.ask("prod")
    seen = await paired.carry(asked)
    assert [one.operation.question is not None for one in seen] == [True, True]
    await paired.outside.words.cancel(seen[1].operation.id, BOB, "not on a Friday")
    seen = await paired.carry(asked)
    assert phases(seen) == [Phase.WITHDRAWN] * 2
    why = seen[0].operation.reason
    assert why is not None
    assert "not on a Friday" in why.message


async def test_a_run_that_dies_is_followed_by_one_that_finds_all_in_the_journals(paired: Paired) -> None:
    asked = await paired.ask()
    await carry_until(paired, asked, (SECOND, "serve_revision", Kind.INTENDED))
    seen = await paired.carry(asked)
    assert phases(seen) == [Phase.SUCCEEDED] * 2, [one.operation.reason for one in seen]
    assert (await paired.told(asked)).count((FIRST, "serve_revision", Kind.DONE)) == 1


async def test_what_somebody_takes_away_of_the_first_while_the_second_gets_ready_is_made_again(paired: Paired) -> None:
    asked = await paired.ask()
    await carry_until(paired, asked, (SECOND, "provision_namespace", Kind.INTENDED))
    (first,) = replicas(paired.outside.cluster)
    await paired.outside.cluster.take_down(first)
    seen = await paired.carry(asked)
    assert phases(seen) == [Phase.SUCCEEDED] * 2, [one.operation.reason for one in seen]
    assert first in replicas(paired.outside.cluster)


async def test_who_came_first_goes_last_even_if_it_is_the_bad_one_and_its_run_dies(paired: Paired) -> None:
    before = await paired.outside.inventory()
    paired.web.disguised.add(FIRST)
    asked = await paired.ask()
    await carry_until(paired, asked, (FIRST, "meet:ready", Kind.UNDOING))
    assert phases(await paired.carry(asked)) == [Phase.WITHDRAWN] * 2
    told = await paired.told(asked)
    assert told.index((FIRST, "roll_out", Kind.UNDOING)) > told.index((SECOND, "operation", Kind.WITHDRAWN))
    assert await paired.outside.inventory() == before


async def carry_until(paired: Paired, asked: SetRequested, entry: tuple[str, str, Kind]) -> None:
    """A run carries the set and dies once this stands in a journal."""
    run = asyncio.ensure_future(install_set(asked.operations[0], return_state=True))
    while not run.done() and entry not in await paired.told(asked):
        await asyncio.sleep(0.02)
    run.cancel()
    await asyncio.wait([run])
    await paired.outside.let_leases_run_out(*asked.operations)
