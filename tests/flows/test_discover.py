"""Looking for new releases: through the real npm source at a registry of our own, on both databases, asked for at the real door."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col, select

from blocks.catalog.discovered import Discoveries
from blocks.catalog.operations import Operations
from blocks.catalog.quarantine import Quarantines
from blocks.catalog.requests import Asked, Requested, Requests
from blocks.catalog.tables import IdempotencyKey, Operation
from blocks.catalog.views import Views
from blocks.catalog.watches import Watches
from blocks.catalog.words import Words
from blocks.discovery import Discovery
from blocks.domain.approval import Speaker
from blocks.domain.discover import ACTOR
from blocks.domain.journal import Kind
from blocks.domain.manifest import InstallRequest, NpmSource
from blocks.domain.status import OperationView
from blocks.domain.watch import Action, Done, Spot, Terms, Watch
from blocks.settings import Settings
from blocks.sources.known import open_sources
from flows.discover import discover_plugins
from tasks import discover
from tasks.kinds import PAUSES
from tests.blocks.catalog.asked import finish
from tests.builders import make_request
from tests.fakes.npm_registry import FakeRegistry, Fault, open_registry

NAME, OTHER = "hello", "@scope/other"
ANN = Asked("ann", reason="we want fixes")
UPDATE = Terms(action=Action.UPDATE)


class Scene:
    """A registry, a record, and what people and workers do to it."""

    def __init__(self, engine: AsyncEngine, registry: FakeRegistry, settings: Settings) -> None:
        self.engine, self.registry, self.settings = engine, registry, settings
        self.requests, self.watches, self.views, self.words = Requests(engine), Watches(engine), Views(engine), Words(engine)
        self.discoveries = Discoveries(engine)

    @asynccontextmanager
    async def open(self, settings: Settings) -> AsyncIterator[Discovery]:
        """What looking is made of, with this record behind it."""

        async def nowhere() -> str:
            raise AssertionError("every source here has its address")

        async with open_sources(settings, nowhere) as sources:
            yield Discovery(self.discoveries, self.requests, sources)

    async def install(self, tenant: str = "default", plugin: str = NAME, version: str = "1.0.0") -> Requested:
        """This version serves."""
        asked = await self.requests.request_install(
            make_request(tenant=tenant, plugin={"name": plugin, "version": version}, replicas=2), ANN
        )
        await finish(self.engine, asked, release=f"{plugin}@{version}")
        return asked

    async def end(self, operation: OperationView, kind: Kind = Kind.FINISHED, version: str = "2.0.0") -> None:
        """The operation ends; if well, this version serves."""
        asked = Requested(operation.installation, operation.id, created=True)
        await finish(self.engine, asked, kind, release=f"{NAME}@{version}")

    async def watch(self, terms: Terms = UPDATE, tenant: str = "default", plugin: str = NAME) -> UUID:
        """The id of a new watch."""
        made, _ = await self.watches.set_watch(Spot(tenant, "dev", plugin), terms, ANN)
        return made.id

    async def look(self, watch: UUID | None = None) -> None:
        """One round."""
        await discover_plugins(watch)

    async def see(self, watch: UUID) -> Watch:
        """The watch with what it found."""
        seen = await self.watches.watch(watch)
        assert seen is not None
        return seen

    async def done(self, watch: UUID) -> dict[str, str]:
        """What was done, by version."""
        return {one.release.rpartition("@")[2]: one.done.value for one in (await self.see(watch)).discovered}

    async def asked(self, watch: UUID) -> list[OperationView]:
        """The operations that were asked for because of the watch, the last first."""
        found = [await self.views.operation(one.operation) for one in (await self.see(watch)).discovered if one.operation]
        return [one for one in found if one is not None]

    async def mine(self) -> list[str]:
        """The verb of every operation that was asked for by looking, in the whole record."""
        asked = select(Operation.verb).where(col(Operation.actor) == ACTOR).order_by(col(Operation.created_at))
        async with self.engine.connect() as connection:
            return [*(await connection.execute(asked)).scalars()]

    async def order(self, operation: UUID) -> InstallRequest:
        """What the operation was asked for with."""
        return (await Operations(self.engine).order(operation)).request

    async def forget_keys(self) -> None:
        """A day later: no key that came with a request is known any more."""
        async with self.engine.begin() as connection:
            await connection.execute(delete(IdempotencyKey))


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry with two releases of one plugin."""
    with open_registry() as opened:
        opened.publish(NAME, "1.0.0")
        opened.publish(NAME, "2.0.0")
        yield opened


@pytest.fixture
def scene(
    engine: AsyncEngine, registry: FakeRegistry, prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Scene:
    """A record on which the flow looks, at that registry."""
    settings = Settings(npm_registry=registry.address, plugin_dir=tmp_path, secrets_dir=tmp_path, extra_ca_bundle=None)
    made = Scene(engine, registry, settings)
    monkeypatch.setattr("flows.discover.read_settings", lambda: settings)
    monkeypatch.setattr("flows.discover.open_discovery", made.open)
    return made


async def test_a_new_release_of_what_serves_is_requested_as_it_was_asked_for(scene: Scene) -> None:
    first = await scene.install()
    watch = await scene.watch()
    await scene.look()
    (asked,) = await scene.asked(watch)
    assert (asked.installation, asked.verb, asked.actor) == (first.installation, "update", "discover")
    assert asked.wish.reason == f"watch {watch}, set by ann, found hello@2.0.0: we want fixes"
    assert asked.wish.behalf == "ann"
    order = await scene.order(asked.id)
    assert order == make_request(plugin={"name": NAME, "version": "2.0.0"}, replicas=2)
    seen = await scene.see(watch)
    assert (seen.found, seen.problem, seen.looked_at > 0) == ("2.0.0", None, True)
    await scene.look()
    assert len(await scene.mine()) == 1
    await scene.end(asked)
    await scene.look()
    assert await scene.done(watch) == {"2.0.0": "update-requested"}
    assert len(await scene.mine()) == 1


async def test_a_plan_is_asked_for_once_where_that_is_the_action(scene: Scene) -> None:
    await scene.install()
    watch = await scene.watch(Terms(action=Action.PLAN))
    await scene.look()
    await scene.look()
    assert await scene.mine() == ["plan"]
    assert await scene.done(watch) == {"2.0.0": "plan-requested"}


async def test_releases_of_what_is_not_installed_are_recorded(scene: Scene) -> None:
    watch = await scene.watch(Terms(source=NpmSource(registry=scene.registry.address)))
    await scene.look()
    assert await scene.done(watch) == {"2.0.0": "recorded"}
    scene.registry.publish(NAME, "2.1.0")
    scene.registry.publish(NAME, "3.0.0-rc.1")
    await scene.look()
    assert await scene.done(watch) == {"2.0.0": "recorded", "2.1.0": "recorded"}
    assert await scene.mine() == []


async def test_what_was_rolled_back_is_not_requested_again_until_somebody_lets_it(scene: Scene) -> None:
    first = await scene.install()
    watch = await scene.watch()
    await scene.look()
    (asked,) = await scene.asked(watch)
    await scene.end(asked)
    back = await scene.requests.request_rollback(first.installation, Asked("bob", reason="slow"))
    await finish(scene.engine, back, release=f"{NAME}@1.0.0")
    await Quarantines(scene.engine).put_in(first.installation, f"{NAME}@2.0.0", ("bob", "slow"))
    await scene.look()
    (found,) = (await scene.see(watch)).discovered
    assert (found.done, found.why) == (Done.QUARANTINED, "it was rolled back here: slow")
    assert found.operation == asked.id
    assert len(await scene.mine()) == 1
    await scene.requests.lift_quarantine(first.installation, f"{NAME}@2.0.0", Asked("bob", reason="it was the network"))
    await scene.look()
    await scene.look()
    assert len(await scene.mine()) == 2
    assert await scene.done(watch) == {"2.0.0": "update-requested"}


async def test_what_a_person_said_no_to_is_not_requested_again(scene: Scene) -> None:
    await scene.install()
    watch = await scene.watch()
    await scene.look()
    (asked,) = await scene.asked(watch)
    await scene.words.cancel(asked.id, Speaker("bob", frozenset({"developer"})), "not this one")
    await scene.look()
    (found,) = (await scene.see(watch)).discovered
    assert (found.done, found.why, found.operation) == (Done.REFUSED, "bob cancelled it: not this one", asked.id)
    assert len(await scene.mine()) == 1
    scene.registry.publish(NAME, "2.0.1")
    await scene.look()
    assert await scene.done(watch) == {"2.0.1": "update-requested", "2.0.0": "refused"}


async def test_what_cannot_be_asked_for_now_waits_and_says_why(scene: Scene) -> None:
    first = await scene.install()
    watch = await scene.watch()
    off = await scene.requests.request_switch(first.installation, Asked("bob"), "disable")
    await scene.look()
    (found,) = (await scene.see(watch)).discovered
    assert (found.done, "has not ended" in found.why) == (Done.WAITING, True)
    await scene.words.cancel(off.operation, Speaker("bob", frozenset()), "not today")
    await scene.look()
    assert await scene.done(watch) == {"2.0.0": "update-requested"}


async def test_two_rounds_at_once_ask_once(scene: Scene) -> None:
    await scene.install()
    watch = await scene.watch()
    await asyncio.gather(*(scene.look() for _ in range(3)))
    assert await scene.mine() == ["update"]
    assert await scene.done(watch) == {"2.0.0": "update-requested"}


async def test_a_round_that_is_killed_after_it_asked_has_asked_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.install()
    watch = await scene.watch()
    with monkeypatch.context() as patch:
        patch.setattr(scene.discoveries, "note", die)
        with pytest.raises(Killed):
            await scene.look()
    assert await scene.mine() == ["update"]
    assert (await scene.see(watch)).discovered == ()
    await scene.forget_keys()
    await scene.look()
    assert await scene.mine() == ["update"]
    assert await scene.done(watch) == {"2.0.0": "update-requested"}


class Killed(BaseException):
    """What ends a process that nobody asked."""


async def die(*_: object) -> None:
    raise Killed


async def test_a_bad_watch_keeps_no_other_waiting(scene: Scene) -> None:
    for plugin in (NAME, OTHER):
        await scene.install(plugin=plugin)
    good, gone = await scene.watch(), await scene.watch(plugin=OTHER)
    lost = await scene.watch(Terms(source=NpmSource(registry="http://127.0.0.1:1", token_ref="nobody")), "elsewhere")
    await scene.look()
    assert await scene.done(good) == {"2.0.0": "update-requested"}
    problems = [(await scene.see(one)).problem for one in (good, gone, lost)]
    assert [one and one.code for one in problems] == [None, "unresolvable", "refused"]
    assert problems[1] is not None
    assert OTHER in problems[1].message
    scene.registry.publish(OTHER, "1.1.0")
    await scene.look()
    assert (await scene.see(gone)).problem is None
    assert await scene.done(gone) == {"1.1.0": "update-requested"}


async def test_a_registry_that_stumbles_is_asked_again_in_the_same_round(scene: Scene) -> None:
    await scene.install()
    watch = await scene.watch()
    scene.registry.fail(NAME, Fault.BROKEN, times=1)
    await scene.look()
    assert await scene.done(watch) == {"2.0.0": "update-requested"}
    assert scene.registry.calls[NAME] == 2


async def test_a_registry_that_is_away_is_told_on_the_watch(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pauses are shortened; what was found before stays."""
    await scene.install()
    watch = await scene.watch()
    await scene.look()
    monkeypatch.setattr(discover.list_releases, "retry_delay_seconds", [0.0])
    scene.registry.fail(NAME, Fault.BROKEN)
    await scene.look()
    seen = await scene.see(watch)
    assert seen.problem is not None
    assert (seen.problem.code, seen.found, len(seen.discovered)) == ("transient", "2.0.0", 1)
    assert scene.registry.calls[NAME] == 1 + 1 + len(PAUSES)


async def test_those_who_watch_the_same_plugin_share_one_question(scene: Scene) -> None:
    watches = []
    for tenant in ("a", "b", "c"):
        await scene.install(tenant)
        watches.append(await scene.watch(tenant=tenant))
    await scene.look()
    assert scene.registry.calls[NAME] == 1
    assert [await scene.done(one) for one in watches] == [{"2.0.0": "update-requested"}] * 3


async def test_a_watch_that_is_off_is_looked_at_only_when_it_is_named(scene: Scene) -> None:
    off = await scene.watch(Terms(enabled=False, source=NpmSource(registry=scene.registry.address)))
    await scene.look()
    assert ((await scene.see(off)).looked_at, scene.registry.calls[NAME]) == (0, 0)
    await scene.look(off)
    assert await scene.done(off) == {"2.0.0": "recorded"}


async def test_a_round_leaves_its_account_as_a_table(scene: Scene) -> None:
    await scene.install("told")
    await scene.watch(tenant="told")
    run = await discover_plugins(return_state=True)
    async with get_client() as client:
        mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.state_details.flow_run_id]))
        (account,) = await client.read_artifacts(artifact_filter=mine)
    assert (account.type, "2.0.0 update-requested" in str(account.data), "told/dev/hello" in str(account.data)) == (
        "table",
        True,
        True,
    )
