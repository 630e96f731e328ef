"""What is made by an operation after it was taken back goes again; on both databases, an API server in memory and the real one."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.withdrawn import Withdrawals
from blocks.cluster.live import LiveCluster, open_cluster
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import INSTALLATION, MANAGED_BY, MANAGER, OPERATION, REVISION
from blocks.domain.objects.names import Name
from blocks.ports.cluster import View
from blocks.settings import Settings
from deployments.keeper import TIDIED_WITHIN, Keeper
from tests.deployments.runs import Record
from tests.fakes.cluster import open_fake_cluster

# By the clock of the record, in milliseconds since 1970.
LONG_AGO = 1
TAKEN_BACK: dict[str, Any] = {"phase": "withdrawn", "token": 2, "revision": 1}


@pytest.fixture
def record(engine: AsyncEngine) -> Record:
    return Record(engine)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.world)])
async def kubeconfig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Path]:
    """What leads to an API server."""
    async with AsyncExitStack() as stack:
        if request.param == "fake":
            yield (await stack.enter_async_context(open_fake_cluster())).kubeconfig(tmp_path)
        else:
            yield Path(request.getfixturevalue("world").kubeconfig)


@pytest.fixture
async def cluster(kubeconfig: Path) -> AsyncIterator[LiveCluster]:
    """The cluster, with a namespace of this test's own in it."""
    async with open_cluster(kubeconfig) as opened:
        yield opened


@pytest.fixture
async def space(cluster: LiveCluster) -> AsyncIterator[str]:
    """The namespace."""
    name = f"late-{secrets.token_hex(4)}"
    made: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {MANAGED_BY: MANAGER}}}
    await cluster.apply(made)
    yield name
    await cluster.remove(Name("Namespace", "", name), lambda _: True)


def thing(space: str, name: str, operation: UUID, revision: int = 1) -> Object:
    """What an operation makes of a revision."""
    labels = {MANAGED_BY: MANAGER, INSTALLATION: "one", OPERATION: str(operation), REVISION: str(revision)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": space, "name": name, "labels": labels}, "data": {}}


async def test_only_what_an_operation_made_that_was_taken_back_goes(
    record: Record, kubeconfig: Path, cluster: LiveCluster, space: str, tmp_path: Path
) -> None:
    withdrawn, serving = await record.ask("a", **TAKEN_BACK), await record.ask("b", phase="succeeded", token=2, revision=1)
    for one in (
        thing(space, "late", withdrawn),
        thing(space, "of-another-revision", withdrawn, revision=2),
        thing(space, "of-what-serves", serving),
    ):
        await cluster.apply(one)
    url = record.engine.url.render_as_string(hide_password=False)
    keeper = Keeper(
        Settings(database_url=url, kubeconfig=kubeconfig, storage_dir=tmp_path / "storage", secrets_dir=tmp_path / "secrets")
    )
    await keeper.tidy()
    await keeper.close()
    left = [one["metadata"]["name"] for one in await cluster.find(View("ConfigMap", space))]
    assert {*left} - {"kube-root-ca.crt"} == {"of-another-revision", "of-what-serves"}


async def test_it_is_looked_for_where_a_second_carrier_came(record: Record) -> None:
    operation = await record.ask(**TAKEN_BACK)
    (found,) = await Withdrawals(record.engine).handed_over(TIDIED_WITHIN)
    assert (found.operation, found.revision) == (operation, 1)


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"token": 1}, id="nobody else ever carried it"),
        pytest.param({"phase": "undoing"}, id="it is still being taken back"),
        pytest.param({"phase": "succeeded"}, id="it was not taken back"),
        pytest.param({"verb": "uninstall"}, id="what it made is what served before"),
        pytest.param({"updated_at": LONG_AGO}, id="it ended long ago"),
        pytest.param({"revision": 0}, id="its revision serves"),
    ],
)
async def test_it_is_not_looked_for(record: Record, columns: dict[str, Any]) -> None:
    await record.ask(**TAKEN_BACK | columns)
    assert await Withdrawals(record.engine).handed_over(TIDIED_WITHIN) == ()


async def test_what_came_after_may_use_what_was_made(record: Record) -> None:
    await record.ask(**TAKEN_BACK | {"created_at": LONG_AGO})
    second = await record.ask(**TAKEN_BACK)
    assert [one.operation for one in await Withdrawals(record.engine).handed_over(TIDIED_WITHIN)] == [second]
