"""The newest release that can be installed is taken, why is said, and nothing is asked twice that cannot have changed."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.domain.errors import Transient, Unresolvable
from blocks.domain.manifest import InstallRequest
from blocks.domain.recipe import LOCK_FILE
from blocks.domain.release import PassedOver
from tests.conftest import World
from tests.fakes.npm_registry import FakeRegistry, Fault, open_registry
from tests.tasks.made import Making, another_operation, open_making, open_record

pytestmark = pytest.mark.world


def ask(registry: FakeRegistry, version: str, name: str = "plugin") -> InstallRequest:
    """A request for a frontend plugin from the registry."""
    plugin = {"name": name, "version": version, "runtime": {"type": "frontend"}}
    return InstallRequest.model_validate({"plugin": plugin, "source": {"type": "npm", "registry": registry.address.rstrip("/")}})


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A record of this test's own."""
    async with open_record(tmp_path) as opened:
        yield opened


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry with three releases of `plugin`, the newest of which needs what is not published, and with what a frontend needs."""
    with open_registry() as opened:
        opened.publish("leaf", "1.0.0")
        opened.publish("mid", "1.0.0", dependencies={"leaf": "^1.0.0"})
        opened.publish("plugin", "1.0.0", dependencies={"mid": "^1.0.0"}, peerDependencies={"react": "^18.0.0"})
        opened.publish("plugin", "1.1.0", dependencies={"mid": "^1.0.0"})
        opened.publish("plugin", "2.0.0", dependencies={"leaf": "^9.0.0"})
        opened.publish("react", "18.3.1")
        for name, version in (
            ("esbuild", "0.28.2"),
            ("@esbuild/linux-x64", "0.28.2"),
            ("esbuild-plugins-node-modules-polyfill", "1.8.3"),
        ):
            opened.publish(name, version)
        yield opened


@pytest.fixture
async def making(world: World, engine: AsyncEngine, registry: FakeRegistry, tmp_path: Path) -> AsyncIterator[Making]:
    """An operation that asks for any version."""
    async with open_making(engine, tmp_path, ask(registry, "*")) as opened:
        yield opened


async def test_goes_back_to_the_newest_release_that_can_be_installed(making: Making) -> None:
    """And says what was passed over, and why."""
    resolution = await making.resolve()
    assert resolution.release.version == "1.1.0"
    assert resolution.passed_over == (PassedOver("2.0.0", "needs leaf@^9.0.0, which is not published"),)
    assert "2.0.0 was passed over" in resolution.why
    lock = json.loads(await making.tools.storage.get(resolution.lock))[LOCK_FILE]
    assert resolution.release.integrity in lock
    assert resolution.packages == lock.count("resolution:")


async def test_goes_back_among_the_dependencies(making: Making, registry: FakeRegistry) -> None:
    """Without giving the plugin's own release up."""
    registry.publish("mid", "1.0.1", dependencies={"leaf": "^9.0.0"})
    resolution = await making.resolve()
    assert resolution.release.version == "1.1.0"
    assert PassedOver("mid@1.0.1", "needs leaf@^9.0.0, which is not published") in resolution.passed_over


async def test_goes_back_through_several_layers(making: Making, registry: FakeRegistry) -> None:
    """When nothing remains for one release, the release that needs it is left out."""
    registry.publish("plugin", "1.2.0", dependencies={"top": "^1.0.0"})
    registry.publish("top", "1.0.0")
    registry.publish("top", "1.0.1", dependencies={"low": "^1.0.0"})
    registry.publish("low", "1.0.0", dependencies={"leaf": "^9.0.0"})
    resolution = await making.resolve()
    assert resolution.release.version == "1.2.0"
    assert {one.version for one in resolution.passed_over} == {"2.0.0", "low@1.0.0", "top@1.0.1"}


@pytest.mark.parametrize(
    ("version", "said"),
    [
        pytest.param("^7.0.0", "2.0.0", id="a range that nothing satisfies names the nearest"),
        pytest.param("1.0.7", "1.0.0, 1.1.0", id="a version that does not exist names its neighbours"),
        pytest.param("2.0.0", "leaf@^9.0.0", id="a version that cannot be installed names what is missing"),
    ],
)
async def test_says_why_nothing_can_be_installed(making: Making, registry: FakeRegistry, version: str, said: str) -> None:
    """With the range in the sentence."""
    making.asked = ask(registry, version)
    with pytest.raises(Unresolvable, match="plugin") as raised:
        await making.resolve()
    assert said in str(raised.value)


async def test_says_that_there_is_no_such_plugin(making: Making, registry: FakeRegistry) -> None:
    """By its name."""
    making.asked = ask(registry, "*", "no-such-plugin")
    with pytest.raises(Unresolvable, match="no-such-plugin is not in the registry"):
        await making.resolve()


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.TRUNCATED])
async def test_a_failure_is_not_remembered(making: Making, registry: FakeRegistry, fault: Fault) -> None:
    """The next try asks again."""
    registry.fail("plugin", fault, times=1)
    with pytest.raises(Transient):
        await making.resolve()
    assert (await making.resolve()).release.version == "1.1.0"


async def test_an_exact_version_is_not_asked_for_again(making: Making, registry: FakeRegistry, engine: AsyncEngine) -> None:
    """By no other operation either."""
    making.asked = ask(registry, "1.0.0")
    first = await making.resolve()
    before = registry.calls.copy()
    assert await another_operation(making, engine, uuid4()).resolve() == first
    assert registry.calls == before


async def test_a_range_is_asked_once_and_notices_what_is_newer(making: Making, registry: FakeRegistry) -> None:
    """One question, and the lock is only made again if the list has changed."""
    await making.resolve()
    before = registry.calls.copy()
    await making.resolve()
    assert registry.calls - before == {"plugin": 1}
    registry.publish("plugin", "1.1.1")
    assert (await making.resolve()).release.version == "1.1.1"


async def test_a_lock_that_was_lost_is_made_again(making: Making, tmp_path: Path) -> None:
    """The memory alone is worth nothing."""
    first = await making.resolve()
    for path in (tmp_path / "storage").rglob(first.lock.removeprefix("sha256:")):
        path.unlink()
    second = await making.resolve()
    assert await making.tools.storage.has(second.lock)
    assert second == first


async def test_a_service_is_resolved_from_its_folder(making: Making) -> None:
    """Its lock is its plugin.yaml."""
    making.asked = InstallRequest.model_validate(
        {
            "plugin": {"name": "hello", "version": "^1.0.0", "runtime": {"type": "service"}},
            "source": {"type": "folder", "path": "hello"},
        }
    )
    resolution = await making.resolve()
    assert (resolution.release.version, resolution.packages) == ("1.0.0", 0)
    assert b"id: hello" in await making.tools.storage.get(resolution.lock)


async def test_configuration_is_no_part_of_the_question(making: Making, registry: FakeRegistry) -> None:
    """What the plugin is told changes nothing about what it is."""
    making.asked = ask(registry, "1.0.0")
    first = await making.resolve()
    making.asked = replace_config(making.asked)
    before = registry.calls.copy()
    assert await making.resolve() == first
    assert registry.calls == before


def replace_config(request: InstallRequest) -> InstallRequest:
    """The same with another configuration, tenant and size."""
    return request.model_copy(update={"config": {"a": 1}, "tenant": "other", "replicas": 3})
