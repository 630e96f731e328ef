"""Sets in the record: all plugins or none, one moment in which all are agreed, and words because of each other. On both databases."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.operations import Operations
from blocks.catalog.plugin_sets import PluginSets
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.seals import FolderSeals
from blocks.catalog.set_requests import SetRequested, SetRequests
from blocks.catalog.starts import Starts
from blocks.catalog.views import Views
from blocks.catalog.words import Words
from blocks.domain.approval import Speaker
from blocks.domain.asking import Busy, KeyReused
from blocks.domain.errors import Needed, Terminal, TooLate
from blocks.domain.journal import Fact, Kind, Phase
from blocks.domain.plugin_sets import SetRequest
from tests.builders import make_request

BOB = Speaker("bob", frozenset({"developer"}))
QUESTION = '{"why": {"code": "waits-for-set", "message": "b waits", "hint": ""}}'


def make_set(**changes: Any) -> SetRequest:
    """A set of b, which needs a, and a."""
    plugins = [plugin("b", "a"), plugin("a")]
    return SetRequest.model_validate({"name": "pair", "plugins": plugins} | changes)


def plugin(name: str, *needs: str) -> dict[str, Any]:
    """A plugin of a set."""
    return {"plugin": {"name": name, "runtime": {"type": "frontend"}}, "dependsOn": needs}


@dataclass(frozen=True)
class Record:
    """A record, and who asks and speaks."""

    engine: AsyncEngine
    seals: FolderSeals

    @property
    def sets(self) -> PluginSets:
        """The sets."""
        return PluginSets(self.engine, self.seals)

    async def ask(self, key: str | None = None, **changes: Any) -> SetRequested:
        """The set is asked for."""
        return await SetRequests(self.engine).request_set(make_set(**changes), Asked("ann", key))

    async def tell(self, operation: UUID, *told: tuple[str, Kind]) -> None:
        """A worker says so, and lets go."""
        leases = Leases(self.engine, 60)
        lease = await leases.acquire(operation, "worker")
        for step, kind in told:
            payload = QUESTION if kind is Kind.PARKED else "null"
            await Journal(self.engine, self.seals).append(lease, Fact(step, kind, "worker", payload))
        if told[-1][1] is not Kind.PARKED:
            await leases.release(lease)

    async def phase(self, operation: UUID) -> Phase:
        """Where the operation stands."""
        seen = await Views(self.engine).operation(operation)
        assert seen is not None
        return seen.phase


@pytest.fixture
def record(engine: AsyncEngine, tmp_path: Path) -> Record:
    """An empty record."""
    return Record(engine, FolderSeals(tmp_path / "seals", tmp_path / "seals.key"))


async def test_a_set_is_kept_with_its_plugins_in_order(record: Record) -> None:
    asked = await record.ask()
    view = await record.sets.plugin_set(asked.plugin_set)
    assert view is not None
    assert (view.tenant, view.environment, view.name, view.actor, view.committed_at) == ("default", "dev", "pair", "ann", 0)
    assert [(one.plugin, one.own) for one in view.members] == [("a", True), ("b", True)]
    assert tuple(one.operation for one in view.members) == asked.operations
    assert await record.sets.plugin_set(uuid4()) is None
    orders = [await Operations(record.engine).order(one) for one in asked.operations]
    assert [await Operations(record.engine).missing(one) for one in orders] == [(), ()]


async def test_what_cannot_be_asked_for_leaves_nothing(record: Record) -> None:
    await Requests(record.engine).request_install(make_request(plugin={"name": "b"}), Asked("ann"))
    with pytest.raises(Busy, match=r"^b: install"):
        await record.ask()
    with pytest.raises(Needed, match="c must serve first"):
        await record.ask(tenant="other", plugins=[plugin("b", "c"), plugin("a")])
    found = await Views(record.engine).counts()
    assert found.operations == {("install", "requested"): 1}


async def test_the_same_key_is_the_same_set(record: Record) -> None:
    first, again = [await record.ask("once") for _ in range(2)]
    assert (again.plugin_set, again.operations, again.created) == (first.plugin_set, (), False)
    with pytest.raises(KeyReused):
        await record.ask("once", name="another")


async def test_all_are_agreed_at_one_moment_or_not(record: Record) -> None:
    asked = await record.ask()
    first, second = asked.operations
    await record.tell(first, ("meet:end", Kind.INTENDED))
    assert await record.sets.commit(first) is False
    await record.tell(second, ("meet:end", Kind.INTENDED))
    assert [await record.sets.commit(one) for one in (first, second)] == [True, True]
    for one in asked.operations:
        with pytest.raises(TooLate, match="all plugins of its set serve"):
            await Words(record.engine).cancel(one, BOB, "too late")
    view = await record.sets.plugin_set(asked.plugin_set)
    assert view is not None
    assert view.committed_at > 0
    assert (await record.sets.together(first)).committed


async def test_with_one_that_is_cancelled_nobody_is_agreed(record: Record) -> None:
    first, second = (await record.ask()).operations
    for one in (first, second):
        await record.tell(one, ("meet:end", Kind.INTENDED))
    await Words(record.engine).cancel(first, BOB, "in time")
    assert await record.sets.commit(second) is False


async def test_the_others_come_back_with_one_that_goes_back(record: Record) -> None:
    first, second = (await record.ask()).operations
    await record.tell(first, ("meet:planned", Kind.INTENDED), ("meet:ready", Kind.INTENDED))
    await Words(record.engine).cancel(second, BOB, "not today")
    assert await record.sets.to_carry(second) == (first,)
    await record.sets.say(second)
    await record.sets.say(first)
    assert [await record.phase(one) for one in (first, second)] == [Phase.UNDOING, Phase.WITHDRAWN]
    mine = (await record.sets.together(first)).member(first)
    assert (mine.point, mine.failed, mine.reason and mine.reason.code) == ("ready", True, "set-failed")


async def test_who_waits_for_the_others_is_woken_once_they_go_on(record: Record) -> None:
    first, second = (await record.ask()).operations
    await record.tell(first, ("meet:planned", Kind.INTENDED), ("meet:planned", Kind.PARKED))
    await record.tell(second, ("approval", Kind.INTENDED), ("approval", Kind.PARKED))
    await record.sets.say(first)
    waits, asks = (await record.sets.together(first)).members
    assert ((waits.phase, waits.waits), (asks.phase, asks.waits)) == ((Phase.PARKED, True), (Phase.PARKED, False))
    await Words(record.engine).cancel(second, BOB, "not today")
    await record.sets.say(first)
    assert await record.phase(first) is Phase.UNDOING


async def test_two_that_wait_for_each_other_alone_are_woken(record: Record) -> None:
    first, second = (await record.ask()).operations
    for one in (first, second):
        await record.tell(one, ("meet:planned", Kind.INTENDED), ("meet:planned", Kind.PARKED))
    await record.sets.say(first)
    assert [await record.phase(one) for one in (first, second)] == [Phase.APPLYING] * 2
    with pytest.raises(TooLate):
        await Words(record.engine).wake(first, BOB)


async def test_an_operation_of_its_own_is_in_no_set(record: Record) -> None:
    asked = await Requests(record.engine).request_install(make_request(), Asked("ann"))
    with pytest.raises(Terminal, match="was not made for a set"):
        await record.sets.together(asked.operation)
    assert not (await Starts(record.engine).upcoming(asked.operation)).together


async def test_what_somebody_has_in_hand_is_carried_by_who_waits_for_that_alone(record: Record) -> None:
    first, second = (await record.ask()).operations
    await Leases(record.engine, 60).acquire(first, "worker")
    assert await record.sets.to_carry(first) == (second,)
    assert await record.sets.to_carry(first, held=True) == (first, second)


async def test_one_run_is_waited_for_by_all_of_the_set(record: Record) -> None:
    starts, (first, second) = Starts(record.engine), (await record.ask()).operations
    start = await starts.upcoming(second, 60)
    assert (start.together, start.due) == (True, True)
    await starts.note(start, "run")
    await starts.note(start, "run")
    following = [await starts.upcoming(one, 60) for one in (first, second)]
    assert [(one.number, one.due) for one in following] == [(2, False)] * 2
