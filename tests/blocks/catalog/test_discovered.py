"""What whoever looks for releases knows of a watch, and what is noted of each look; on both databases."""

import json
from dataclasses import asdict, replace
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.discovered import Discoveries, Due
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.quarantine import Quarantines
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.watches import Watches
from blocks.domain.discover import Finding, Known, Sight
from blocks.domain.journal import Fact, Kind, Reason
from blocks.domain.manifest import InstallRequest, NpmSource
from blocks.domain.watch import Done, Spot, Terms, Watch
from tests.blocks.catalog.asked import ANN, finish
from tests.builders import make_request

NAME = "@backstage/plugin-catalog"
SPOT = Spot("default", "dev", NAME)
NPM = NpmSource(registry="https://npm.example")
OPERATION = UUID(int=5)


async def watch(engine: AsyncEngine, terms: Terms | None = None, tenant: str = "default") -> Watch:
    """A new watch."""
    made, _ = await Watches(engine).set_watch(replace(SPOT, tenant=tenant), terms or Terms(), ANN)
    return made


async def due(engine: AsyncEngine) -> Due:
    """The one watch that is to be looked at."""
    (one,) = await Discoveries(engine).due()
    return one


async def install(engine: AsyncEngine, request: InstallRequest, release: str = "2.0.8") -> UUID:
    """The installation, on which this release serves."""
    asked = await Requests(engine).request_install(request, ANN)
    await finish(engine, asked, release=f"{NAME}@{release}")
    return asked.installation


async def resolve(engine: AsyncEngine, operation: UUID, version: str) -> None:
    """A worker's answer to which release it is."""
    lease = await Leases(engine, 60).acquire(operation, "worker")
    told = json.dumps({"release": {"name": NAME, "version": version}})
    for kind, payload in ((Kind.INTENDED, "[]"), (Kind.DONE, told)):
        await Journal(engine).append(lease, Fact("resolve", kind, "worker", payload))
    await Leases(engine, 60).release(lease)


@pytest.mark.parametrize(
    ("installed", "said", "source"),
    [
        pytest.param(None, None, NpmSource(), id="npm where nothing is installed"),
        pytest.param(NPM, None, NPM, id="where the installation has them"),
        pytest.param(NpmSource(), NPM, NPM, id="where the watch says"),
    ],
)
async def test_releases_are_looked_for(
    engine: AsyncEngine, installed: NpmSource | None, said: NpmSource | None, source: NpmSource
) -> None:
    if installed:
        await install(engine, make_request(source=installed.model_dump()))
    await watch(engine, Terms(source=said))
    assert (await due(engine)).source == source


async def test_the_watch_that_was_looked_at_longest_ago_comes_first_and_one_that_is_off_does_not(engine: AsyncEngine) -> None:
    discoveries = Discoveries(engine)
    first, second, off = [await watch(engine, Terms(enabled=tenant != "off"), tenant) for tenant in ("a", "b", "off")]
    await discoveries.note(first, Sight("1.0.0"))
    assert [one.watch.id for one in await discoveries.due()] == [second.id, first.id]
    assert [one.watch.id for one in await discoveries.due(off.id)] == [off.id]
    assert await discoveries.due(OPERATION) == []


async def test_nothing_is_known_of_what_is_not_installed(engine: AsyncEngine) -> None:
    await watch(engine)
    assert await Discoveries(engine).known(await due(engine)) == Known()


async def test_what_serves_and_what_is_or_was_in_quarantine_is_known(engine: AsyncEngine) -> None:
    installation = await install(engine, make_request())
    quarantines = Quarantines(engine)
    for version in ("2.1.0", "2.2.0"):
        await quarantines.put_in(installation, f"{NAME}@{version}", ("ann", "slow"))
    await quarantines.take_out(installation, f"{NAME}@2.2.0", ("bob", "mended"))
    await watch(engine)
    known = await Discoveries(engine).known(await due(engine))
    assert (known.serving, known.quarantined) == ("2.0.8", {"2.1.0": "slow"})
    assert [*known.lifted] == ["2.2.0"]
    assert known.lifted["2.2.0"] > 0


@pytest.mark.parametrize(
    ("asked", "resolved", "version"),
    [
        pytest.param("2.1.0", None, "2.1.0", id="asked for by number"),
        pytest.param("^2", "2.1.0", "2.1.0", id="found in a range"),
        pytest.param("^2", None, None, id="of a range that was never resolved, which is none"),
    ],
)
async def test_what_was_tried_is_known_by_its_release(
    engine: AsyncEngine, asked: str, resolved: str | None, version: str | None
) -> None:
    await install(engine, make_request())
    tried = await Requests(engine).request_install(make_request(plugin={"version": asked}), Asked("bob"))
    if resolved:
        await resolve(engine, tried.operation, resolved)
    lease = await Leases(engine, 60).acquire(tried.operation, "worker")
    refused = Reason("gate-refused", "a secret was found")
    for fact in (Fact("judge", Kind.FAILED, "worker", json.dumps(asdict(refused))), Fact("operation", Kind.WITHDRAWN, "worker")):
        await Journal(engine).append(lease, fact)
    await watch(engine)
    known = await Discoveries(engine).known(await due(engine))
    found = [one for one in known.tried if one.operation == tried.operation]
    assert [(one.version, one.verb, one.actor, one.code, one.message) for one in found] == (
        [(version, "update", "bob", "gate-refused", "a secret was found")] if version else []
    )


async def test_a_release_is_first_seen_once_and_what_was_asked_for_stays_told(engine: AsyncEngine) -> None:
    installation = await install(engine, make_request())
    asked = await Requests(engine).request_plan(make_request(), ANN)
    made, discoveries = await watch(engine), Discoveries(engine)
    await discoveries.note(made, Sight("2.1.0", (Finding("2.1.0", Done.UPDATE_REQUESTED, operation=asked.operation),)))
    (first,) = (await see(engine, made)).discovered
    await discoveries.note(made, Sight("2.1.0", (Finding("2.1.0", Done.QUARANTINED, "it was rolled back here: slow"),)))
    (second,) = (await see(engine, made)).discovered
    assert (first.release, first.done, first.operation) == (f"{NAME}@2.1.0", Done.UPDATE_REQUESTED, asked.operation)
    assert second == replace(first, done=Done.QUARANTINED, why="it was rolled back here: slow")
    assert (await discoveries.known(Due(made, installation))).seen == {"2.1.0": Done.QUARANTINED}


async def test_a_problem_is_told_until_a_look_goes_well_and_takes_nothing_of_what_was_found(engine: AsyncEngine) -> None:
    made, discoveries = await watch(engine), Discoveries(engine)
    await discoveries.note(made, Sight("2.1.0", (Finding("2.1.0", Done.RECORDED),)))
    await discoveries.note_problem(made, Reason("transient", "the registry is away", "later"))
    seen = await see(engine, made)
    assert (seen.problem, seen.found, len(seen.discovered)) == (Reason("transient", "the registry is away", "later"), "2.1.0", 1)
    await discoveries.note(made, Sight("2.1.0"))
    assert (await see(engine, made)).problem is None


async def test_what_is_found_for_a_watch_that_was_removed_meanwhile_is_forgotten(engine: AsyncEngine) -> None:
    made, discoveries = await watch(engine), Discoveries(engine)
    await discoveries.note(made, Sight("2.1.0", (Finding("2.1.0", Done.RECORDED),)))
    await Watches(engine).remove_watch(made.id)
    await discoveries.note(made, Sight("2.2.0", (Finding("2.2.0", Done.RECORDED),)))
    await discoveries.note_problem(made, Reason("transient", "the registry is away"))
    assert await Watches(engine).watch(made.id) is None
    assert (await see(engine, await watch(engine))).discovered == ()


async def see(engine: AsyncEngine, made: Watch) -> Watch:
    """The watch with what it found."""
    seen = await Watches(engine).watch(made.id)
    assert seen is not None
    return seen
