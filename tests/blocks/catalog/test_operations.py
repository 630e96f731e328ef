"""Operations and what they made, as workers and people see them; on both databases."""

from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.artefacts import Artefacts
from blocks.catalog.migrate import find_drift, migrate
from blocks.catalog.operations import Operations
from blocks.catalog.requests import Requests
from blocks.catalog.views import Views, Wanted
from blocks.domain.asking import HISTORY
from blocks.domain.errors import Terminal
from blocks.domain.journal import Kind, Phase
from tests.blocks.catalog.asked import ANN, BODY, finish, image_of, serve
from tests.builders import make_request


async def test_code_and_database_agree_and_migrating_again_changes_nothing(engine: AsyncEngine) -> None:
    """What the tables say is what the migrations made."""
    await migrate(engine)
    assert await find_drift(engine) == []


async def test_what_serves_and_what_served(engine: AsyncEngine) -> None:
    """By number, with the document that it was put up from; nothing where there is none."""
    asked = await serve(engine, 2)
    operations = Operations(engine)
    serving, first = await operations.serving(asked.installation), await operations.revision(asked.installation, 1)
    assert serving is not None
    assert first is not None
    assert (serving.number, serving.operation, serving.document) == (2, asked.operation, "sha256:2")
    assert (first.number, first.release, first.image) == (1, "x@1", image_of(1))
    assert await operations.revision(asked.installation, 3) is None
    await operations.serve_again(asked.installation, 0)
    assert await operations.serving(asked.installation) is None


async def test_unserving_takes_away_only_what_the_operation_made(engine: AsyncEngine) -> None:
    """A rollback that is taken back leaves the revision that it went to in the history."""
    asked = await serve(engine, 2)
    operations = Operations(engine)
    await operations.unserve_revision((asked.installation, 1), asked.operation, 2)
    assert await operations.revision(asked.installation, 1) is not None
    await operations.unserve_revision((asked.installation, 2), asked.operation, 1)
    assert await operations.revision(asked.installation, 2) is None
    serving = await operations.serving(asked.installation)
    assert serving is not None
    assert serving.number == 1


async def test_the_history_ends_somewhere(engine: AsyncEngine) -> None:
    """What is older than the ten revisions before the one that serves is bygone, the newest of them first."""
    asked = await serve(engine, HISTORY + 3)
    operations = Operations(engine)
    assert [one.number for one in await operations.bygone(asked.installation)] == [2, 1]
    assert [one.number for one in await operations.bygone(asked.installation, 1)] == [3, 2, 1]


async def test_the_newest_install_is_found_even_if_it_never_served(engine: AsyncEngine) -> None:
    """And an installation that was only planned never had one."""
    requests, operations = Requests(engine), Operations(engine)
    planned = await requests.request_plan(BODY, ANN)
    with pytest.raises(Terminal, match="never to be installed"):
        await operations.last_install(planned.installation)
    asked = await requests.request_install(BODY, ANN)
    assert await operations.last_install(asked.installation) == asked.operation


async def test_others_in_a_namespace_are_those_that_live(engine: AsyncEngine) -> None:
    """A namespace goes only with the last installation in it; a plan does not keep it."""
    requests, operations = Requests(engine), Operations(engine)
    mine = await requests.request_install(BODY, ANN)
    await requests.request_plan(make_request(plugin={"name": "planned"}), ANN)
    assert await operations.others_in("default-dev", mine.installation) == 0
    other = await requests.request_install(make_request(plugin={"name": "other"}), ANN)
    assert await operations.others_in("default-dev", mine.installation) == 1
    await finish(engine, other, Kind.WITHDRAWN)
    assert await operations.others_in("default-dev", mine.installation) == 0


async def test_artefacts_are_kept_replaced_and_known_by_their_maker(engine: AsyncEngine) -> None:
    """And an image is used as long as a revision names it."""
    asked = await Requests(engine).request_install(BODY, ANN)
    mine, theirs = Artefacts(engine, asked.operation), Artefacts(engine, uuid4())
    assert await mine.find("image", "key") is None
    await theirs.keep("image", "key", "old")
    await mine.keep("image", "key", "new")
    assert await theirs.find("image", "key") == "new"
    assert (await mine.made_here("image", "key"), await theirs.made_here("image", "key")) == (True, False)
    assert not await mine.used(image_of(1))
    await finish(engine, asked)
    assert await mine.used(image_of(1))


async def test_views_show_pages_filters_and_counts(engine: AsyncEngine) -> None:
    """Newest operation of each installation; the cursor goes on where the page ended."""
    requests, views = Requests(engine), Views(engine)
    for name in ("a", "b", "c"):
        await requests.request_install(make_request(plugin={"name": name}, tenant=f"team-{name}"), ANN)
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
    asked = await serve(engine, 1)
    seen = await Views(engine).installation(asked.installation)
    assert seen is not None
    assert seen.operation.phase is Phase.SUCCEEDED
    assert seen.revision is not None
    assert (seen.revision.release, seen.revision.image, seen.revision.number) == ("x@1", image_of(1), 1)


async def test_one_operation_is_shown_by_its_id(engine: AsyncEngine) -> None:
    """Also when it is not the newest; the counts know what serves and what was said."""
    views = Views(engine)
    asked = await serve(engine, 1)
    await Requests(engine).request_uninstall(asked.installation, ANN)
    seen = await views.operation(asked.operation)
    assert seen is not None
    assert (seen.verb, seen.phase) == ("install", Phase.SUCCEEDED)
    assert await views.operation(uuid4()) is None
    counts = await views.counts()
    assert (counts.serving, counts.entries) == ({"default": 1}, {("operation", "finished"): 1})
