"""Requests become operations once, on both databases, however often and however many at a time they are sent."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.artefacts import Artefacts
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.migrate import find_drift, migrate
from blocks.catalog.operations import Operations, Requested
from blocks.catalog.tables import Revision
from blocks.catalog.views import Views, Wanted
from blocks.domain.asking import AlreadyInstalled, Busy, KeyReused, NotInstalled
from blocks.domain.errors import Terminal
from blocks.domain.journal import Fact, Kind, Phase
from tests.builders import make_request

IMAGE = "registry/plugins/x@sha256:1"


async def finish(engine: AsyncEngine, asked: Requested, kind: Kind = Kind.FINISHED) -> None:
    """Let the operation end, and its revision serve if it succeeded."""
    lease = await Leases(engine, 60).acquire(asked.operation, "worker")
    await Journal(engine).append(lease, Fact("operation", kind, "worker"))
    if kind is Kind.FINISHED:
        revision = Revision(
            installation=asked.installation,
            number=1,
            operation=asked.operation,
            release="x@1",
            integrity="sha512-x",
            image=IMAGE,
            plan="sha256:2",
            url="http://x",
            created_at=0,
        )
        await Operations(engine).serve_revision(revision)


async def test_code_and_database_agree_and_migrating_again_changes_nothing(engine: AsyncEngine) -> None:
    """What the tables say is what the migrations made."""
    await migrate(engine)
    assert await find_drift(engine) == []


async def test_fifty_requests_with_one_key_are_one_operation(engine: AsyncEngine) -> None:
    """Sent at the same moment."""
    operations = Operations(engine)
    asked = await asyncio.gather(*(operations.request_install(make_request(), "ann", "key") for _ in range(50)))
    assert len({one.operation for one in asked}) == 1
    assert sum(one.created for one in asked) == 1


async def test_key_with_another_body_is_refused(engine: AsyncEngine) -> None:
    """And the first operation stays as it was."""
    operations = Operations(engine)
    await operations.request_install(make_request(), "ann", "key")
    with pytest.raises(KeyReused):
        await operations.request_install(make_request(replicas=2), "ann", "key")


async def test_key_is_the_tenants_own_and_ends_after_a_day(engine: AsyncEngine) -> None:
    """Another tenant's key is another key; an old one is free again."""
    operations = Operations(engine)
    first = await operations.request_install(make_request(), "ann", "key")
    assert (await operations.request_install(make_request(tenant="other"), "bob", "key")).created
    await finish(engine, first, Kind.WITHDRAWN)
    async with engine.begin() as database:
        await database.execute(text("UPDATE idempotency_key SET created_at = created_at - 86400001"))
    assert (await operations.request_install(make_request(replicas=2), "ann", "key")).created


async def test_one_operation_at_a_time(engine: AsyncEngine) -> None:
    """Another wish for the same installation waits."""
    operations = Operations(engine)
    asked = await operations.request_install(make_request(), "ann", None)
    with pytest.raises(Busy):
        await operations.request_install(make_request(replicas=2), "ann", None)
    with pytest.raises(Busy):
        await operations.request_uninstall(asked.installation, "ann", drop_data=False)


async def test_what_serves_is_not_installed_again(engine: AsyncEngine) -> None:
    """The same request is a no-op, another one is refused until there is an update."""
    operations = Operations(engine)
    asked = await operations.request_install(make_request(), "ann", None)
    await finish(engine, asked)
    again = await operations.request_install(make_request(), "bob", None)
    assert (again.operation, again.created) == (asked.operation, False)
    with pytest.raises(AlreadyInstalled):
        await operations.request_install(make_request(replicas=2), "ann", None)


async def test_uninstall_once_and_then_install_the_next_revision(engine: AsyncEngine) -> None:
    """Revision numbers are never used twice."""
    operations = Operations(engine)
    asked = await operations.request_install(make_request(), "ann", None)
    await finish(engine, asked)
    first = await operations.request_uninstall(asked.installation, "ann", drop_data=True)
    again = await operations.request_uninstall(asked.installation, "ann", drop_data=True)
    assert (first.operation, again.created) == (again.operation, False)
    order = await operations.order(first.operation)
    assert (order.verb, order.revision, order.drop_data) == ("uninstall", 1, True)
    await operations.serve_nothing(asked.installation)
    await finish(engine, first, Kind.WITHDRAWN)
    with pytest.raises(NotInstalled):
        await operations.request_uninstall(asked.installation, "ann", drop_data=False)
    third = await operations.request_install(make_request(), "ann", None)
    assert (await operations.order(third.operation)).revision == 2


async def test_unknown_ids_are_refused(engine: AsyncEngine) -> None:
    """With a sentence, not with a traceback of the database."""
    with pytest.raises(Terminal, match="no installation"):
        await Operations(engine).request_uninstall(uuid4(), "ann", drop_data=False)
    with pytest.raises(Terminal, match="no operation"):
        await Operations(engine).order(uuid4())
    assert await Views(engine).installation(uuid4()) is None


async def test_others_in_a_namespace_are_those_that_live(engine: AsyncEngine) -> None:
    """A namespace goes only with the last installation in it."""
    operations = Operations(engine)
    mine = await operations.request_install(make_request(), "ann", None)
    assert await operations.others_in("default-dev", mine.installation) == 0
    other = await operations.request_install(make_request(plugin={"name": "other"}), "ann", None)
    assert await operations.others_in("default-dev", mine.installation) == 1
    await finish(engine, other, Kind.WITHDRAWN)
    assert await operations.others_in("default-dev", mine.installation) == 0


async def test_artefacts_are_kept_replaced_and_known_by_their_maker(engine: AsyncEngine) -> None:
    """And an image is used as long as a revision names it."""
    asked = await Operations(engine).request_install(make_request(), "ann", None)
    mine, theirs = Artefacts(engine, asked.operation), Artefacts(engine, uuid4())
    assert await mine.find("image", "key") is None
    await theirs.keep("image", "key", "old")
    await mine.keep("image", "key", "new")
    assert await theirs.find("image", "key") == "new"
    assert (await mine.made_here("image", "key"), await theirs.made_here("image", "key")) == (True, False)
    assert not await mine.used(IMAGE)
    await finish(engine, asked)
    assert await mine.used(IMAGE)


async def test_views_show_pages_filters_and_counts(engine: AsyncEngine) -> None:
    """Newest operation of each installation; the cursor goes on where the page ended."""
    operations, views = Operations(engine), Views(engine)
    for name in ("a", "b", "c"):
        await operations.request_install(make_request(plugin={"name": name}, tenant=f"team-{name}"), "ann", None)
    first = await views.installations(Wanted(), 2, None)
    rest = await views.installations(Wanted(), 2, first.next)
    assert {item.plugin for item in (*first.items, *rest.items)} == {"a", "b", "c"}
    assert rest.next is None
    only = await views.installations(Wanted(frozenset({"team-b"}), "dev", Phase.REQUESTED), 9, None)
    assert [item.plugin for item in only.items] == ["b"]
    assert (await views.installations(Wanted(frozenset()), 9, None)).items == ()
    assert (await views.counts()).operations == {("install", "requested"): 3}


async def test_view_of_what_serves(engine: AsyncEngine) -> None:
    """Release, image and address, and the steps of the newest operation."""
    asked = await Operations(engine).request_install(make_request(), "ann", None)
    await finish(engine, asked)
    seen = await Views(engine).installation(asked.installation)
    assert seen is not None
    assert seen.operation.phase is Phase.SUCCEEDED
    assert seen.revision is not None
    assert (seen.revision.release, seen.revision.image, seen.revision.number) == ("x@1", IMAGE, 1)


async def test_one_operation_is_shown_by_its_id(engine: AsyncEngine) -> None:
    """Also when it is not the newest; the counts know what serves and what was said."""
    operations, views = Operations(engine), Views(engine)
    asked = await operations.request_install(make_request(), "ann", None)
    await finish(engine, asked)
    await operations.request_uninstall(asked.installation, "ann", drop_data=False)
    seen = await views.operation(asked.operation)
    assert seen is not None
    assert (seen.verb, seen.phase) == ("install", Phase.SUCCEEDED)
    assert await views.operation(uuid4()) is None
    counts = await views.counts()
    assert (counts.serving, counts.entries) == ({"default": 1}, {("operation", "finished"): 1})
