"""One API server at a time: the fake and the real one answer the same tests."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blocks.cluster.connection import Connection, open_connection
from blocks.cluster.live import LiveCluster
from blocks.cluster.paths import Ask, path_of
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from tests.conftest import World
from tests.fakes.cluster import FakeCluster, open_fake_cluster


@pytest.fixture
async def fake() -> AsyncIterator[FakeCluster]:
    """An API server in memory."""
    async with open_fake_cluster() as server:
        yield server


@pytest.fixture
async def fake_connection(fake: FakeCluster, tmp_path: Path) -> AsyncIterator[Connection]:
    """A connection to it."""
    async with open_connection(fake.kubeconfig(tmp_path)) as opened:
        yield opened


@pytest.fixture(params=["fake", pytest.param("world", marks=pytest.mark.world)])
async def connection(request: pytest.FixtureRequest, fake: FakeCluster, tmp_path: Path) -> AsyncIterator[Connection]:
    """A connection to either."""
    real = request.param == "world"
    where = Path(request.getfixturevalue("world").kubeconfig) if real else fake.kubeconfig(tmp_path)
    async with open_connection(where) as opened:
        yield opened


@pytest.fixture
def cluster(connection: Connection) -> LiveCluster:
    """The cluster behind the connection."""
    return LiveCluster(connection)


@pytest.fixture
async def namespace(cluster: LiveCluster, connection: Connection) -> AsyncIterator[str]:
    """A namespace of this test's own, told to go at the end; waiting for that would take seconds for each test."""
    name = f"test-{secrets.token_hex(4)}"
    await cluster.apply(make("Namespace", "", name))
    yield name
    await connection.ask(Ask("DELETE", path_of(Name("Namespace", "", name)), {}, {}))


@pytest.fixture
async def really(world: World) -> AsyncIterator[LiveCluster]:
    """The real cluster, for what no fake knows."""
    async with open_connection(Path(world.kubeconfig)) as opened:
        yield LiveCluster(opened)


@pytest.fixture
async def real_namespace(really: LiveCluster) -> AsyncIterator[str]:
    """A namespace of this test's own in it, gone at the end."""
    name = f"test-{secrets.token_hex(4)}"
    await really.apply(make("Namespace", "", name))
    yield name
    await really.remove(Name("Namespace", "", name), lambda _: True)


def make(kind: str, namespace: str, name: str, **fields: object) -> Object:
    """A small object of ours."""
    labels = {"app.kubernetes.io/managed-by": "plugin-pipeline", "plugin-pipeline.io/operation": "op-1"}
    labels |= {"plugin-pipeline.io/installation": "one"}
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels} | place} | fields
