"""Things that go wrong on purpose, in front of the fake and of the real parts; only what is broken here is broken."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from blocks.cluster.connection import Bounds, Connection, open_connection
from blocks.cluster.live import LiveCluster
from blocks.cluster.paths import Ask, path_of
from blocks.domain.objects.names import Name
from tests.blocks.cluster.conftest import make
from tests.conftest import World
from tests.fakes.cluster import FakeCluster, open_fake_cluster
from tests.faults.proxy import Proxy, open_proxy

# Requests are repeated, and streams are ended and given up, soon enough for a test.
SHORT = Bounds(pauses=(0.01, 0.02, 0.05), stream=1, silence=1.5)


@pytest.fixture
async def fake() -> AsyncIterator[FakeCluster]:
    """An API server in memory."""
    async with open_fake_cluster() as server:
        yield server


@pytest.fixture(params=["fake", pytest.param("world", marks=pytest.mark.world)])
def upstream(request: pytest.FixtureRequest, fake: FakeCluster, tmp_path: Path) -> Path:
    """The kubeconfig of either API server."""
    if request.param == "world":
        return Path(request.getfixturevalue("world").kubeconfig)
    folder = tmp_path / "fake"
    folder.mkdir()
    return fake.kubeconfig(folder)


@pytest.fixture
async def proxy(upstream: Path) -> AsyncIterator[Proxy]:
    """What stands between us and it, honest until it is told otherwise."""
    async with open_proxy(upstream) as opened:
        yield opened


@dataclass(frozen=True)
class Front:
    """A cluster as it is seen through the proxy, and as it is; a namespace of this test's own."""

    cluster: LiveCluster
    direct: LiveCluster
    proxy: Proxy
    namespace: str


@pytest.fixture
async def front(upstream: Path, proxy: Proxy, tmp_path: Path) -> AsyncIterator[Front]:
    """Both sides of the proxy; the namespace is made and told to go past it."""
    name = f"test-{secrets.token_hex(4)}"
    async with open_connection(upstream) as past, open_connection(proxy.kubeconfig(tmp_path), bounds=SHORT) as through:
        made = Front(LiveCluster(through), LiveCluster(past), proxy, name)
        await made.direct.apply(make("Namespace", "", name))
        yield made
        await past.ask(Ask("DELETE", path_of(Name("Namespace", "", name)), {}, {}))


@pytest.fixture
async def past(world: World) -> AsyncIterator[Connection]:
    """The real API server, without anything in between."""
    async with open_connection(Path(world.kubeconfig)) as opened:
        yield opened


@pytest.fixture
def real(past: Connection) -> LiveCluster:
    """The real cluster."""
    return LiveCluster(past)


@pytest.fixture
async def space(real: LiveCluster, past: Connection) -> AsyncIterator[str]:
    """A namespace in it, told to go at the end."""
    name = f"test-{secrets.token_hex(4)}"
    await real.apply(make("Namespace", "", name))
    yield name
    await past.ask(Ask("DELETE", path_of(Name("Namespace", "", name)), {}, {}))
