"""The plugin's own last words, from an API server spoken to over HTTP."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from blocks.cluster.connection import Connection, open_connection
from blocks.cluster.paths import Ask
from blocks.cluster.translate import Answer
from blocks.domain.errors import Refused, Transient
from blocks.domain.journal import Phase
from blocks.domain.objects.workload import deployment
from blocks.domain.status import InstallationView, OperationView
from deployments.api.pods import NoPods, cluster_probe, find_own_pods, find_sides, read_pods
from tests.blocks.domain.objects.blueprints import make_blueprint
from tests.fakes.cluster import FakeCluster, open_fake_cluster

ID = UUID(int=7)
VIEW = InstallationView(
    ID,
    "acme",
    "dev",
    "hello",
    "hello",
    "acme-dev",
    0,
    OperationView(ID, ID, "install", Phase.SUCCEEDED, "ann", 1, "", None, 0, 0),
)


@pytest.fixture
async def cluster() -> AsyncIterator[FakeCluster]:
    """A cluster in memory."""
    async with open_fake_cluster() as opened:
        yield opened


def run_pod(cluster: FakeCluster, name: str, installation: UUID = ID) -> None:
    """Let a pod of the installation run."""
    labels = {"plugin-pipeline.io/installation": str(installation)}
    metadata = {"namespace": "acme-dev", "name": name, "labels": labels}
    cluster.store.create(("pods", "acme-dev", name), {"kind": "Pod", "apiVersion": "v1", "metadata": metadata}, "tests")


async def read(cluster: FakeCluster, folder: Path) -> str:
    """All that is told."""
    return "".join([piece async for piece in read_pods(cluster.kubeconfig(folder), VIEW, 10)])


async def test_every_pod_speaks_after_its_name(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.logs["false"] = "ready ✓\n"
    for name, installation in (("b", ID), ("a", ID), ("theirs", UUID(int=8))):
        run_pod(cluster, name, installation)
    assert await read(cluster, tmp_path) == "==> a <==\nready ✓\n==> b <==\nready ✓\n"


async def test_the_installations_own_pods_are_found(cluster: FakeCluster, tmp_path: Path) -> None:
    assert await find_own_pods(cluster.kubeconfig(tmp_path), VIEW) == []
    for name, installation in (("b", ID), ("a", ID), ("theirs", UUID(int=8))):
        run_pod(cluster, name, installation)
    found = await find_own_pods(cluster.kubeconfig(tmp_path), VIEW)
    assert sorted((pod["kind"], pod["metadata"]["name"]) for pod in found) == [("Pod", "a"), ("Pod", "b")]


async def test_the_installations_own_sides_are_found(cluster: FakeCluster, tmp_path: Path) -> None:
    assert await find_sides(cluster.kubeconfig(tmp_path), VIEW) == ()
    for revision, installation in ((1, ID), (2, ID), (3, UUID(int=8))):
        made = deployment(replace(make_blueprint("service", revision=revision), installation=installation))
        place = {"namespace": "acme-dev", "name": f"hello-r{revision}"}
        key = ("deployments", "acme-dev", place["name"])
        cluster.store.create(key, made | {"metadata": made["metadata"] | place, "spec": made["spec"] | {"replicas": 2}}, "tests")
    found = await find_sides(cluster.kubeconfig(tmp_path), VIEW)
    assert [(one.revision, one.weight, one.replicas) for one in found] == [(1, None, 2), (2, None, 2)]


async def test_nothing_that_runs_is_said(cluster: FakeCluster, tmp_path: Path) -> None:
    with pytest.raises(NoPods, match="acme-dev"):
        await read(cluster, tmp_path)


async def test_a_cluster_that_is_away_is_transient(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.address = "http://127.0.0.1:1"
    with pytest.raises(Transient, match="does not answer"):
        await read(cluster, tmp_path)
    with pytest.raises(Transient, match="does not answer"):
        await find_own_pods(cluster.kubeconfig(tmp_path), VIEW)
    with pytest.raises(Transient, match="does not answer"):
        await cluster_probe(cluster.kubeconfig(tmp_path))()


async def test_a_cluster_that_answers_is_reachable(cluster: FakeCluster, tmp_path: Path) -> None:
    assert await cluster_probe(cluster.kubeconfig(tmp_path))() == "answers"


async def test_no_access_to_a_cluster_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no usable access"):
        await cluster_probe(tmp_path / "none")()


@pytest.fixture
async def real_pod(world: Any) -> AsyncIterator[tuple[Path, InstallationView]]:
    """A pod that speaks three lines on the real cluster, in a namespace of its own that is removed afterwards."""
    kubeconfig, space = Path(world.kubeconfig), f"pods-{secrets.token_hex(4)}"
    speak = {
        "name": "plugin",
        "image": world.base_image,
        "command": ["sh", "-c", "for n in 1 2 3; do echo line $n; done; sleep 600"],
    }
    labels = {"plugin-pipeline.io/installation": str(ID)}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "speaks", "labels": labels}}
    async with open_connection(kubeconfig) as connection:
        named = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}
        await ask(connection, "POST", "/api/v1/namespaces", named)
        spec = {"containers": [speak], "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0}
        async with asyncio.timeout(60):
            while not (await ask(connection, "POST", f"/api/v1/namespaces/{space}/pods", pod | {"spec": spec})).ok:
                await asyncio.sleep(0.2)  # the namespace's service account is made a moment after the namespace
        yield kubeconfig, replace(VIEW, namespace=space)
        await ask(connection, "DELETE", f"/api/v1/namespaces/{space}", {})


async def ask(connection: Connection, method: str, path: str, body: Mapping[str, object]) -> Answer:
    """One request to the API server."""
    return await connection.ask(Ask(method, path, {}, body))


@pytest.mark.world
async def test_a_real_pod_speaks(real_pod: tuple[Path, InstallationView]) -> None:
    kubeconfig, view = real_pod
    told = ""
    async with asyncio.timeout(120):
        while "line 3" not in told:
            told = "".join([piece async for piece in read_pods(kubeconfig, view, 2)])
    assert told == "==> speaks <==\nline 2\nline 3\n"


@pytest.mark.world
async def test_the_real_cluster_answers(world: Any) -> None:
    assert await cluster_probe(Path(world.kubeconfig))() == "answers"
