"""Whoever lost the lease writes nothing to the cluster any more, whatever it was about to do; looking stays allowed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from blocks.cluster.live import LiveCluster, open_cluster
from blocks.domain.errors import LeaseLost
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.ports.cluster import Notice, View
from tests.blocks.cluster.conftest import make
from tests.fakes.cluster import FakeCluster

SPACE = "here"


@pytest.fixture
def fence() -> list[str]:
    """What has been asked at the fence; nobody passes any more once it says `lost`."""
    return []


@pytest.fixture
async def cluster(fake: FakeCluster, fence: list[str], tmp_path: Path) -> AsyncIterator[LiveCluster]:
    """The cluster behind the fence, with a namespace and an object in it."""

    async def may_write() -> None:
        if "lost" in fence:
            raise LeaseLost("another worker holds the operation")
        fence.append("asked")

    async with open_cluster(fake.kubeconfig(tmp_path), may_write) as opened:
        await opened.apply(make("Namespace", "", SPACE))
        await opened.apply(thing("old"))
        yield opened


def thing(name: str, **data: str) -> Object:
    return make("ConfigMap", SPACE, name, data=data)


WRITES: dict[str, Callable[[LiveCluster], Awaitable[object]]] = {
    "creating": lambda cluster: cluster.apply(thing("new")),
    "changing": lambda cluster: cluster.apply(thing("old", colour="red")),
    "removing": lambda cluster: cluster.remove(Name("ConfigMap", SPACE, "old"), lambda _: True),
    "telling": lambda cluster: cluster.tell(thing("old"), Notice("Gone", "Go", "it is late")),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_worker_without_its_lease_changes_nothing(
    cluster: LiveCluster, fake: FakeCluster, fence: list[str], write: Callable[[LiveCluster], Awaitable[object]]
) -> None:
    version = fake.store.version
    fence.append("lost")
    with pytest.raises(LeaseLost):
        await write(cluster)
    assert fake.store.version == version
    assert await cluster.read(Name("ConfigMap", SPACE, "old"))
    assert len(await cluster.find(View("ConfigMap", SPACE))) == 1


async def test_the_fence_is_asked_before_each_write_and_by_no_look(cluster: LiveCluster, fence: list[str]) -> None:
    fence.clear()
    await cluster.read(Name("ConfigMap", SPACE, "old"))
    assert fence == []
    await cluster.apply(thing("new"))
    await cluster.remove(Name("ConfigMap", SPACE, "new"), lambda _: True)
    assert fence == ["asked", "asked"]
