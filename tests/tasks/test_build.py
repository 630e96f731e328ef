"""An image is built once, named by its digest, and taken back unless somebody uses it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.domain.errors import BuildFailed, PlanStale
from blocks.domain.manifest import InstallRequest
from blocks.domain.release import Image, Materials, Resolution
from tasks.build import remove_image
from tests.tasks.made import BASE, Making, another_operation, open_making

REPOSITORY = "registry.test/plugins/hello"
HELLO = InstallRequest.model_validate(
    {"plugin": {"name": "hello", "runtime": {"type": "service"}}, "source": {"type": "folder", "path": "hello"}}
)


@pytest.fixture
async def making(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Making]:
    """An operation on the sample service."""
    async with open_making(engine, tmp_path, HELLO) as opened:
        yield opened


async def prepared(making: Making) -> tuple[Resolution, Materials]:
    """The arguments of the step."""
    resolution = await making.resolve()
    return resolution, await making.fetch(resolution)


async def test_the_image_is_in_the_registry_with_its_labels(making: Making) -> None:
    """Under the plugin's name, by its digest."""
    image = await making.make()
    assert image.repository == REPOSITORY
    assert await making.registry.has(REPOSITORY, image.digest)
    (order,) = making.images.built
    assert order.labels["org.opencontainers.image.title"] == "hello"
    assert order.labels["org.opencontainers.image.base.name"] == BASE
    assert order.tag == image.inputs.removeprefix("sha256:")[:12]


async def test_nothing_is_built_twice(making: Making, engine: AsyncEngine) -> None:
    """By no other operation either, and whatever the plugin is told."""
    image = await making.make()
    other = another_operation(making, engine, uuid4())
    other.asked = HELLO.model_copy(update={"config": {"greeting": "Good day"}, "replicas": 3})
    assert await other.make() == image
    assert len(making.images.built) == 1


async def test_an_image_that_the_registry_lost_is_built_again(making: Making) -> None:
    """The memory alone is worth nothing."""
    image = await making.make()
    await making.registry.delete(REPOSITORY, image.digest)
    assert await making.make() == image
    assert len(making.images.built) == 2


async def test_a_failed_build_leaves_no_tag_and_is_not_remembered(making: Making) -> None:
    """The next try builds."""
    making.images.failures = [BuildFailed("the image could not be built: no such file")]
    with pytest.raises(BuildFailed, match="no such file"):
        await making.make()
    assert await making.registry.tags(REPOSITORY) == ()
    assert await making.make()


async def test_materials_that_were_cleaned_away_are_fetched_again(making: Making) -> None:
    """On this machine or another one."""
    resolution, materials = await prepared(making)
    Path(materials.folder).parent.rename(Path(materials.folder).parent.with_name("away"))
    assert await making.build(resolution, materials)


async def test_a_base_image_that_changed_meanwhile_is_noticed(making: Making) -> None:
    """What was scanned and planned must be what is built."""
    resolution, materials = await prepared(making)
    making.tools.images.bases = {"NODE_IMAGE": f"registry.test/node@sha256:{'2' * 64}"}
    with pytest.raises(PlanStale):
        await making.build(resolution, materials)


async def test_undo_removes_what_this_operation_pushed(making: Making) -> None:
    """And again is nothing."""
    arguments = await prepared(making)
    await making.build(*arguments)
    for _ in range(2):
        await remove_image(making.work, *arguments)
    assert await making.registry.tags(REPOSITORY) == ()


async def test_undo_leaves_what_was_there_before(making: Making, engine: AsyncEngine) -> None:
    """Another operation's image is not ours to take."""
    image = await making.make()
    other = another_operation(making, engine, uuid4())
    arguments = await prepared(other)
    assert await other.build(*arguments) == image
    await remove_image(other.work, *arguments)
    assert await making.registry.has(REPOSITORY, image.digest)


async def test_undo_leaves_what_a_revision_uses(making: Making) -> None:
    """Whoever pushed it."""
    arguments = await prepared(making)
    image = await making.build(*arguments)
    making.tools.artefacts = InUse(making.tools.artefacts, image)
    await remove_image(making.work, *arguments)
    assert await making.registry.has(REPOSITORY, image.digest)


async def test_undo_finds_what_a_dead_worker_pushed(making: Making) -> None:
    """It pushed and could not remember."""
    resolution, materials = await prepared(making)
    await making.build(resolution, materials)
    forgotten = replace_memory(making)
    await remove_image(forgotten.work, resolution, materials)
    assert await making.registry.tags(REPOSITORY) == ()


async def test_undo_before_the_build_is_nothing(making: Making) -> None:
    """Nothing was pushed."""
    await remove_image(making.work, *await prepared(making))
    assert await making.registry.tags(REPOSITORY) == ()


class InUse:
    """The record with one image that a revision runs."""

    def __init__(self, record: object, image: Image) -> None:
        self._record, self._image = record, image

    def __getattr__(self, name: str) -> object:
        return getattr(self._record, name)

    async def used(self, pinned: str) -> bool:
        return pinned == self._image.pinned


class Forgetful:
    """A record that knows nothing."""

    async def find(self, kind: str, key: str) -> None:
        return None

    async def used(self, pinned: str) -> bool:
        return False


def replace_memory(making: Making) -> Making:
    """The same operation on a record that never heard of the image."""
    tools = type(making.tools)(**{**vars(making.tools), "artefacts": Forgetful()})
    return replace(making, tools=tools)
