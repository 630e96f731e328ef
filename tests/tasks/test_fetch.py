"""Everything is fetched once and verified; what is not what was promised leaves nothing behind."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.domain.errors import BuildFailed, IntegrityMismatch, PipelineError, Refused, Transient
from blocks.domain.manifest import InstallRequest
from tests.conftest import World
from tests.fakes.npm_registry import FakeRegistry, Fault, open_registry
from tests.tasks.made import Making, another_operation, open_making, open_record

pytestmark = pytest.mark.world
ARCHIVE = "plugin/-/plugin-1.0.0.tgz"
SAMPLES = Path(__file__).parents[1] / "cases/plugins"


def backend(registry: FakeRegistry) -> InstallRequest:
    """A request for a backend plugin from the registry."""
    plugin = {"name": "plugin", "version": "1.0.0", "runtime": {"type": "backend"}}
    return InstallRequest.model_validate({"plugin": plugin, "source": {"type": "npm", "registry": registry.address.rstrip("/")}})


def service(path: str) -> InstallRequest:
    """A request for a service from a folder."""
    return InstallRequest.model_validate(
        {"plugin": {"name": "hello", "runtime": {"type": "service"}}, "source": {"type": "folder", "path": path}}
    )


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A record of this test's own."""
    async with open_record(tmp_path) as opened:
        yield opened


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry with a plugin, what it needs, and what a backend needs."""
    with open_registry() as opened:
        opened.publish("leaf", "1.0.0", files={"leaf.js": "'use strict';", "leaf.js.map": "{}"})
        opened.publish("plugin", "1.0.0", dependencies={"leaf": "^1.0.0"})
        opened.publish("@backstage/backend-defaults", "0.18.0")
        yield opened


@pytest.fixture
async def making(world: World, engine: AsyncEngine, registry: FakeRegistry, tmp_path: Path) -> AsyncIterator[Making]:
    """An operation on that plugin."""
    async with open_making(engine, tmp_path, backend(registry), plugin_dir=tmp_path / "plugins") as opened:
        yield opened


def folders(tmp_path: Path) -> list[Path]:
    """Every folder that was made or begun."""
    return [path for path in (tmp_path / "storage/folders").glob("*/*") if path.is_dir()]


async def test_lays_out_the_whole_context(making: Making) -> None:
    """The packages, our small programs, the Dockerfile, the plugin's name, and beside it the plugin's own archive."""
    materials = await making.fetch(await making.resolve())
    context = Path(materials.folder)
    assert {"Dockerfile", "index.mjs", "package.json", "plugin.json", "pnpm-lock.yaml"} <= {
        path.name for path in context.iterdir()
    }
    assert json.loads((context / "plugin.json").read_text()) == {"plugin": "plugin"}
    assert (context / "node_modules/leaf/leaf.js").read_text() == "'use strict';"
    assert (context.parent / "release.tgz").is_file()
    assert not (context / ".npmrc").exists()


async def test_nothing_is_fetched_twice(making: Making, registry: FakeRegistry, engine: AsyncEngine) -> None:
    """By no other operation either."""
    resolution = await making.resolve()
    first = await making.fetch(resolution)
    before = registry.calls.copy()
    assert await another_operation(making, engine, uuid4()).fetch(resolution) == first
    assert registry.calls == before


async def test_the_key_follows_base_image_and_release_but_not_configuration(making: Making) -> None:
    """What is configured must not cause a build."""
    resolution = await making.resolve()
    first = await making.fetch(resolution)
    making.asked = making.asked.model_copy(update={"config": {"a": 1}, "tenant": "other"})
    assert (await making.fetch(resolution)).key == first.key
    making.tools.images.bases = {"NODE_IMAGE": f"registry.test/node@sha256:{'2' * 64}"}
    assert (await making.fetch(resolution)).key != first.key


@pytest.mark.parametrize(
    ("archive", "fault", "error"),
    [
        pytest.param(ARCHIVE, Fault.TRUNCATED, Transient, id="half of the plugin"),
        pytest.param(ARCHIVE, Fault.NONSENSE, IntegrityMismatch, id="something else than the plugin"),
        pytest.param("leaf/-/leaf-1.0.0.tgz", Fault.TRUNCATED, Transient, id="half of a dependency"),
        pytest.param("leaf/-/leaf-1.0.0.tgz", Fault.NONSENSE, IntegrityMismatch, id="something else than a dependency"),
    ],
)
async def test_leaves_nothing_half_done(
    making: Making, registry: FakeRegistry, archive: str, fault: Fault, error: type[PipelineError]
) -> None:
    """And the next try starts from the beginning."""
    resolution = await making.resolve()
    registry.fail(archive, fault)
    with pytest.raises(error):
        await making.fetch(resolution)
    assert folders(making.tools.settings.storage_dir.parent) == []
    registry.faults.clear()
    assert Path((await making.fetch(resolution)).folder).is_dir()


async def test_the_lock_must_hold_the_release_that_was_listed(making: Making, tmp_path: Path) -> None:
    """A registry could list one archive and lock another."""
    resolution = await making.resolve()
    forged = replace(resolution, release=replace(resolution.release, integrity=f"sha512-{'A' * 86}=="))
    with pytest.raises(IntegrityMismatch, match="the registry listed"):
        await making.fetch(forged)
    assert folders(tmp_path) == []


@pytest.mark.parametrize(
    ("image", "said"),
    [
        pytest.param("registry.test/node:1", "is not in its registry", id="a tag that is not there"),
        pytest.param("", "is not set", id="none configured"),
        pytest.param("registry.test:5000/node", "a tag or a digest", id="neither tag nor digest"),
    ],
)
async def test_base_images_must_be_there(making: Making, image: str, said: str) -> None:
    """Before anything is fetched."""
    resolution = await making.resolve()
    making.tools.images.bases = {"NODE_IMAGE": image}
    with pytest.raises(Refused, match=said):
        await making.fetch(resolution)


async def test_base_images_are_pinned(making: Making) -> None:
    """By the digest that the tag stands for now."""
    resolution = await making.resolve()
    making.tools.images.bases = {"NODE_IMAGE": "registry.test/node:1"}
    keys = set()
    for digest in ("a", "b"):
        making.registry.images["registry.test/node"] = {"1": f"sha256:{digest}"}
        keys.add((await making.fetch(resolution)).key)
    assert len(keys) == 2


def write_service(folder: Path, **files: str) -> None:
    """The sample's manifest with other files."""
    folder.mkdir(parents=True)
    (folder / "plugin.yaml").write_text((SAMPLES / "hello/plugin.yaml").read_text())
    for name, text in files.items():
        (folder / name).write_text(text)


async def test_a_start_command_becomes_a_dockerfile(making: Making, tmp_path: Path) -> None:
    """With the service's files beside it."""
    write_service(tmp_path / "plugins/hello", **{"server.mjs": "1"})
    making.asked = service("hello")
    context = Path((await making.fetch(await making.resolve())).folder)
    assert (context / "Dockerfile").read_text().endswith('ENTRYPOINT ["node", "server.mjs"]\n')
    assert (context / "server.mjs").read_text() == "1"


async def test_an_own_dockerfile_stays_as_it_is(making: Making, tmp_path: Path) -> None:
    """Also where there is a start command."""
    write_service(tmp_path / "plugins/hello", Dockerfile="FROM ${NODE_IMAGE}\nUSER 1\n")
    making.asked = service("hello")
    context = Path((await making.fetch(await making.resolve())).folder)
    assert (context / "Dockerfile").read_text() == "FROM ${NODE_IMAGE}\nUSER 1\n"


async def test_an_own_dockerfile_must_not_need_the_network(making: Making, tmp_path: Path) -> None:
    """All objections at once."""
    write_service(tmp_path / "plugins/hello", Dockerfile="FROM node:24\nADD https://example.org/x /\n")
    making.asked = service("hello")
    resolution = await making.resolve()
    with pytest.raises(BuildFailed, match=r"FROM node:24.*ADD https"):
        await making.fetch(resolution)
    assert folders(tmp_path) == []


async def test_a_service_needs_a_way_to_start(making: Making, tmp_path: Path) -> None:
    """One of two."""
    write_service(tmp_path / "plugins/hello")
    manifest = tmp_path / "plugins/hello/plugin.yaml"
    manifest.write_text("\n".join(line for line in manifest.read_text().splitlines() if not line.startswith("start")))
    making.asked = service("hello")
    resolution = await making.resolve()
    with pytest.raises(BuildFailed, match="neither a Dockerfile nor a start command"):
        await making.fetch(resolution)
