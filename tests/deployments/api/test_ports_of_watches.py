"""The contract of watches as people set them: in memory it is as on each database."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.requests import Asked
from blocks.catalog.seals import FolderSeals
from blocks.catalog.watches import WantedWatches
from blocks.domain.asking import NotInstalled
from blocks.domain.errors import NotAllowed, Terminal
from blocks.domain.manifest import NpmSource
from blocks.domain.watch import Action, AlreadyWatched, Spot, Terms, Watch
from tests.deployments.api.records import InMemory, Live, Record, serve

NAME = "@backstage/plugin-catalog"
SPOT = Spot("default", "dev", NAME)
ANN, BOB = Asked("ann", reason="fixes"), Asked("bob", reason="less noise")
NPM = NpmSource(registry="https://npm.example", token_ref="npm")


async def watch(record: Record, tenant: str = "default", terms: Terms | None = None) -> Watch:
    """A watch of the plugin for the tenant, as it is seen."""
    made, _ = await record.watches.set_watch(Spot(tenant, "dev", NAME), terms or Terms(), ANN)
    seen = await record.watches.watch(made.id)
    assert seen == made
    return seen


class Set:
    """What both must make of what people say."""

    async def test_a_watch_is_kept_as_it_was_said(self, record: Record) -> None:
        terms = Terms(source=NPM, version="^2", prereleases=True, enabled=False)
        seen = await watch(record, terms=terms)
        assert (seen.spot, seen.terms, seen.actor, seen.reason) == (SPOT, terms, "ann", "fixes")
        assert (seen.looked_at, seen.found, seen.problem, seen.discovered) == (0, "", None, ())

    async def test_saying_the_same_twice_is_one_watch_and_saying_another_is_refused(self, record: Record) -> None:
        first, created = await record.watches.set_watch(SPOT, Terms(), ANN)
        assert created
        assert await record.watches.set_watch(SPOT, Terms(), BOB) == (first, False)
        with pytest.raises(AlreadyWatched):
            await record.watches.set_watch(SPOT, Terms(version="^2"), BOB)

    async def test_two_who_say_the_same_at_once_make_one_watch(self, record: Record) -> None:
        said = await asyncio.gather(*(record.watches.set_watch(SPOT, Terms(), by) for by in (ANN, BOB)))
        assert sorted(created for _, created in said) == [False, True]
        assert len({made.id for made, _ in said}) == 1

    @pytest.mark.parametrize("action", [Action.PLAN, Action.UPDATE])
    async def test_nothing_that_serves_is_needed_to_hear_of_releases_but_something_to_act_on(
        self, record: Record, action: Action
    ) -> None:
        heard = await watch(record)
        with pytest.raises(NotInstalled):
            await record.watches.change_watch(heard.id, Terms(action=action), BOB)
        await record.watches.remove_watch(heard.id)
        with pytest.raises(NotInstalled):
            await record.watches.set_watch(SPOT, Terms(action=action), ANN)
        assert (await record.watches.watches(WantedWatches(), 10, None)).items == ()
        await serve(record)
        assert (await watch(record, terms=Terms(action=action))).terms.action is action
        with pytest.raises(NotAllowed):
            await record.watches.set_watch(Spot("default", "dev", NAME), Terms(action=action, source=NPM), ANN)

    async def test_a_change_says_who_and_why_and_leaves_the_rest(self, record: Record) -> None:
        made = await watch(record, terms=Terms(source=NPM, version="^2"))
        changed = await record.watches.change_watch(made.id, Terms(enabled=False), BOB)
        assert (changed.id, changed.terms) == (made.id, Terms(source=NPM, version="^2", enabled=False))
        assert (changed.actor, changed.reason, changed.created_at) == ("bob", "less noise", made.created_at)
        assert await record.watches.watch(made.id) == changed

    async def test_what_is_not_there_is_not_changed_and_what_was_removed_is_not_there(self, record: Record) -> None:
        made = await watch(record)
        await record.watches.remove_watch(made.id)
        await record.watches.remove_watch(made.id)
        assert await record.watches.watch(made.id) is None
        with pytest.raises(Terminal, match="there is no watch"):
            await record.watches.change_watch(UUID(int=1), Terms(), ANN)

    async def test_watches_are_listed_by_tenant_and_page(self, record: Record) -> None:
        made = [await watch(record, tenant) for tenant in ("a", "b", "c")]
        ordered = sorted(made, key=lambda one: str(one.id))
        first = await record.watches.watches(WantedWatches(), 2, None)
        assert ([*first.items], first.next) == (ordered[:2], str(ordered[1].id))
        rest = await record.watches.watches(WantedWatches(), 2, first.next)
        assert ([*rest.items], rest.next) == (ordered[2:], None)
        mine = await record.watches.watches(WantedWatches(frozenset({"b"}), "dev"), 10, None)
        assert [one.spot.tenant for one in mine.items] == ["b"]
        assert (await record.watches.watches(WantedWatches(environment="prod"), 10, None)).items == ()
        assert (await record.watches.watches(WantedWatches(frozenset()), 10, None)).items == ()


class TestInMemory(Set):
    """The fake keeps the contract."""

    @pytest.fixture
    def record(self) -> Record:
        """An empty record in memory."""
        return InMemory()


class TestLive(Set):
    """So does the catalogue."""

    @pytest.fixture
    def record(self, engine: AsyncEngine, tmp_path: Path) -> Record:
        """An empty record in a database."""
        return Live(engine, FolderSeals(tmp_path / "seals", tmp_path / "seals.key"))
