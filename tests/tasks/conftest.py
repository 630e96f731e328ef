"""Operations on a cluster in memory, or on the real one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blocks.cluster.live import open_cluster
from blocks.databases import PluginDatabases
from blocks.domain.objects.names import Name
from blocks.web import open_web
from tests.conftest import World
from tests.fakes.cluster import FakeCluster, open_fake_cluster
from tests.tasks.carried import Carried, settings_for


@pytest.fixture
async def fake() -> AsyncIterator[FakeCluster]:
    """An API server in memory."""
    async with open_fake_cluster() as server:
        yield server


@pytest.fixture
async def carried(fake: FakeCluster, tmp_path: Path) -> AsyncIterator[Carried]:
    """An operation on the cluster in memory."""
    kubeconfig = fake.kubeconfig(tmp_path)
    async with open_cluster(kubeconfig) as cluster:
        yield Carried(cluster, settings_for(kubeconfig))


@pytest.fixture
async def really_carried(world: World) -> AsyncIterator[Carried]:
    """An operation on the real cluster and the real database server; whatever a failed test leaves is taken away."""
    kubeconfig = Path(world.kubeconfig)
    async with open_cluster(kubeconfig) as cluster, open_web(world.gateway_url) as web:
        carried = Carried(cluster, settings_for(kubeconfig))
        carried.tools.web, carried.tools.databases = web, PluginDatabases(world.plugin_database_admin_url)
        yield carried
        await cluster.remove(Name("Namespace", "", f"{carried.tenant}-dev"), lambda _: True)
