"""Waiting for people: nothing is touched or held meanwhile, and a yes is for one plan. On both databases, with the world in memory."""

from dataclasses import replace

import pytest

from blocks.catalog.requests import Asked
from blocks.domain.approval import Speaker
from blocks.domain.errors import NotAllowed, WrongPlan
from blocks.domain.findings import Database
from blocks.domain.journal import Phase
from blocks.domain.status import InstallationView
from tests.flows.conftest import MOSTLY_ON_SQLITE, Outside
from tests.flows.standing import wanted

pytestmark = MOSTLY_ON_SQLITE

BOB = Speaker("bob", frozenset({"approver"}))


@pytest.fixture
async def asked(outside: Outside) -> InstallationView:
    """An installation in prod that waits for somebody else than ann, who asked for it."""
    for scanner in outside.scanners.values():
        scanner.database = replace(scanner.database or Database("", "", "", official=True), official=True)
    seen = await outside.install(environment="prod")
    assert seen.operation.phase is Phase.PARKED, seen.operation.reason
    return seen


def hash_asked(seen: InstallationView) -> str:
    """The hash that is asked about."""
    assert seen.operation.question is not None
    return seen.operation.question.hash


async def test_while_people_think_nothing_is_touched_and_nobody_carries_it(outside: Outside, asked: InstallationView) -> None:
    assert not wanted(outside.cluster)
    again = await outside.carry_on(asked)
    assert (again.operation.phase, again.operation.steps[-1].name) == (Phase.PARKED, "approval")


async def test_with_the_last_yes_it_goes_on(outside: Outside, asked: InstallationView) -> None:
    assert await outside.words.approve(asked.operation.id, BOB, hash_asked(asked), "fine") is Phase.APPLYING
    seen = await outside.carry_on(asked)
    assert seen.operation.phase is Phase.SUCCEEDED, seen.operation.reason
    gone = await outside.uninstall(seen.id)
    assert gone.operation.phase is Phase.PARKED
    assert hash_asked(gone) != hash_asked(asked)


async def test_a_no_takes_back_what_was_prepared(outside: Outside, asked: InstallationView) -> None:
    await outside.words.refuse(asked.operation.id, BOB, hash_asked(asked), "not on a Friday")
    seen = await outside.carry_on(asked)
    assert seen.operation.phase is Phase.WITHDRAWN
    assert seen.operation.reason is not None
    assert "not on a Friday" in seen.operation.reason.message
    assert not [tags for tags in outside.registry.images.values() if tags]


async def test_a_yes_to_another_plan_or_by_the_wrong_person_does_not_count(outside: Outside, asked: InstallationView) -> None:
    with pytest.raises(WrongPlan):
        await outside.words.approve(asked.operation.id, BOB, f"{hash_asked(asked)}0", "fine")
    for speaker in (Speaker("ann", frozenset({"approver"})), Speaker("eve", frozenset({"developer"}))):
        with pytest.raises(NotAllowed):
            await outside.words.approve(asked.operation.id, speaker, hash_asked(asked), "fine")
    assert (await outside.see(asked.id)).operation.phase is Phase.PARKED


async def test_a_world_that_changed_while_people_thought_makes_the_plan_stale(outside: Outside, asked: InstallationView) -> None:
    """Somebody made an object that the plan wants to make; what they agreed to is not what would happen."""
    key = ("services", asked.namespace, asked.slug)
    outside.cluster.store.create(
        ("namespaces", "", asked.namespace), {"kind": "Namespace", "metadata": {"name": asked.namespace}}, "eve"
    )
    outside.cluster.store.create(key, {"kind": "Service", "metadata": {"name": asked.slug, "namespace": asked.namespace}}, "eve")
    before = wanted(outside.cluster)
    await outside.words.approve(asked.operation.id, BOB, hash_asked(asked), "fine")
    seen = await outside.carry_on(asked)
    assert seen.operation.phase is Phase.WITHDRAWN
    assert seen.operation.reason is not None
    assert seen.operation.reason.code == "plan-stale"
    assert asked.slug in seen.operation.reason.message
    assert wanted(outside.cluster) == before


async def test_whose_watch_led_to_an_update_does_not_approve_it(outside: Outside, asked: InstallationView) -> None:
    await outside.words.approve(asked.operation.id, BOB, hash_asked(asked), "fine")
    assert (await outside.carry_on(asked)).operation.phase is Phase.SUCCEEDED
    outside.release("2.0.0")
    await outside.requests.request_release(asked.id, "2.0.0", Asked("discover", reason="a watch", behalf="ann"))
    waiting = await outside.carry_on(await outside.see(asked.id))
    assert (waiting.operation.actor, waiting.operation.phase) == ("discover", Phase.PARKED), waiting.operation.reason
    with pytest.raises(NotAllowed):
        await outside.words.approve(waiting.operation.id, Speaker("ann", BOB.roles), hash_asked(waiting), "mine")
    assert await outside.words.approve(waiting.operation.id, BOB, hash_asked(waiting), "fine") is Phase.APPLYING
