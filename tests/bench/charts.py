"""Two hundred objects, ten of them Deployments of one pod, until all are there and ready: ours against `helm install --wait` of Helm 4.

Both begin with an empty namespace that is there already, and both have the image on the node.
"""

import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dotenv import dotenv_values

from blocks.abreast import abreast
from blocks.cluster.live import LiveCluster, open_cluster
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import MANAGED_BY, MANAGER
from blocks.domain.objects.names import Name
from blocks.ports.cluster import Sights, View
from blocks.settings import WORLD, read_settings
from tests.bench.figures import Figure
from tests.bench.yardsticks import build, run

PAIRS, SETTINGS, DEPLOYMENTS = 7, 190, 10
LONGEST = 120.0


async def measure() -> list[Figure]:
    """Alternating pairs, so that what else the machine does meets both; the first of each is not counted."""
    kubeconfig, helm = read_settings().kubeconfig, (await build()).helm
    pairs = []
    async with open_cluster(kubeconfig) as cluster:
        for _ in range(PAIRS + 1):
            async with empty_namespace(cluster) as namespace:
                ours = await put_up(cluster, [*objects(namespace)])
            async with empty_namespace(cluster) as namespace:
                pairs.append((ours, await install_chart(helm, str(kubeconfig), namespace)))
    version = (await run(helm, "version", "--template", "{{.Version}}")).strip()
    return [Figure("200 objects applied and ready ÷ helm install --wait", "s", tuple(pairs[1:]), "≤ 1.0", {"helm": version})]


async def put_up(cluster: LiveCluster, wanted: list[Object]) -> float:
    """Seconds until every object stands and every Deployment has its pod, kind after kind as in a rollout."""
    began = time.perf_counter()
    for _, alike in groupby(wanted, lambda one: one["kind"]):
        await abreast(cluster.apply, [*alike])
    view = View("Deployment", wanted[0]["metadata"]["namespace"])
    if not await cluster.wait({"it": view}, are_available, LONGEST):
        raise RuntimeError("ten pods did not become ready")
    return time.perf_counter() - began


def are_available(seen: Sights) -> bool | None:
    """Whether all of them have the pod that they want."""
    ready = [one for one in seen["it"] if one.get("status", {}).get("availableReplicas") == 1]
    return len(ready) == DEPLOYMENTS or None


async def install_chart(helm: str, kubeconfig: str, namespace: str) -> float:
    """Seconds that Helm takes for the same objects as a chart."""
    with TemporaryDirectory(prefix="bench-") as folder:
        chart = Path(folder, "chart")
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(json.dumps({"apiVersion": "v2", "name": "bench", "version": "1.0.0"}))
        (chart / "templates" / "all.yaml").write_text("\n---\n".join(json.dumps(one) for one in objects(namespace)))
        began = time.perf_counter()
        await run(helm, "install", "bench", str(chart), "--namespace", namespace, "--wait", kubeconfig=kubeconfig)
        return time.perf_counter() - began


def objects(namespace: str) -> Iterator[Object]:
    """The settings, and then the Deployments."""
    for number in range(SETTINGS):
        yield _object("v1", "ConfigMap", namespace, f"settings-{number}") | {"data": {"number": str(number), "text": "x" * 200}}
    image = dotenv_values(WORLD)["PAUSE_IMAGE"]
    for number in range(DEPLOYMENTS):
        chosen = {"app": f"sleeper-{number}"}
        pod = {"containers": [{"name": "pause", "image": image}], "terminationGracePeriodSeconds": 0}
        template = {"metadata": {"labels": chosen}, "spec": pod}
        spec = {"replicas": 1, "selector": {"matchLabels": chosen}, "template": template}
        yield _object("apps/v1", "Deployment", namespace, f"sleeper-{number}") | {"spec": spec}


@asynccontextmanager
async def empty_namespace(cluster: LiveCluster) -> AsyncIterator[str]:
    """One of its own, gone with all that is in it before the next is measured."""
    name = f"bench-{secrets.token_hex(4)}"
    await cluster.apply(_object("v1", "Namespace", "", name))
    try:
        yield name
    finally:
        await cluster.remove(Name("Namespace", "", name), lambda _: True)


def _object(version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": {MANAGED_BY: MANAGER}} | place}
