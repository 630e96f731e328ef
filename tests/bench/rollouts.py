"""A canary of four pods, 25 % and 50 % for a second each and then all: ours against Argo Rollouts, with the same pods.

`python -m tests.bench.rollouts` measures in a process with a memory of its own. Ours is told by the journal: from the first pod that is
made to the last of the old revision that is told to go. Argo's is told by its Rollout: from the change to Healthy. Neither measures
an analysis, and Argo routes by the number of pods, because it has no part in our gateway.
"""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio import client, config
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.domain.manifest import InstallRequest
from blocks.domain.status import OperationView
from blocks.settings import read_settings
from tests.bench.apart import empty_memory, run_apart
from tests.bench.figures import Figure
from tests.bench.one import REQUESTS, clean, installed, result
from tests.bench.yardsticks import build, running

PAIRS, REPLICAS, PAUSE = 7, 4, 1
STAGES = [{"weight": 25, "pause": PAUSE}, {"weight": 50, "pause": PAUSE}, {"weight": 100, "pause": 0}]
CANARY = {"strategy": "canary", "strategyConfig": {"stages": STAGES, "analysis": {"enabled": False}}}
GROUP, VERSION, PLURAL = "argoproj.io", "v1alpha1", "rollouts"
LOOK_EVERY, LONGEST = 0.02, 120.0
PORTS = ("--metricsPort", "18190", "--healthzPort", "18180")


async def measure() -> list[Figure]:
    """Alternating pairs; the pauses are taken off both, and the first pair is not counted."""
    built = await build()
    async with empty_memory(read_settings()) as memory:
        pairs = await run_apart(memory, "tests.bench.rollouts", built.controller, str(built.kinds))
    figure = Figure(
        "canary 25/50/100 of 4 pods ÷ Argo Rollouts", "s", tuple((ours, theirs) for ours, theirs in pairs[1:]), "≤ 1.0"
    )
    return [figure]


async def compare(controller: str, kinds: Path) -> list[tuple[float, float]]:
    """Seconds beyond the pauses, ours and theirs."""
    settings = read_settings()
    engine = open_database(settings.database_url)
    await migrate(engine)
    first = await installed(engine, request := read_request())
    ended = [first]
    try:
        async with reached(str(settings.kubeconfig)) as api, defined(api, kinds), rollout(api, controller, first) as theirs:
            pairs = []
            for number in range(PAIRS + 1):
                changed = request.model_copy(update={"config": {"number": number}})
                ours = await update(engine, changed, ended)
                pairs.append((ours, await theirs(number)))
            return pairs
    finally:
        await clean(settings, engine, ended[:1])
        await engine.dispose()


def read_request() -> InstallRequest:
    """The service with four pods, for a tenant of its own."""
    body = json.loads((REQUESTS / "service.json").read_text())
    return InstallRequest.model_validate(body | CANARY | {"tenant": f"bench-{secrets.token_hex(4)}", "replicas": REPLICAS})


async def update(engine: AsyncEngine, request: InstallRequest, ended: list[OperationView]) -> float:
    """Seconds beyond the pauses that the journal tells of, from making the revision's pods to retiring the one before."""
    seen = await installed(engine, request)
    ended.append(seen)
    steps = {one.name: one for one in seen.steps}
    over = steps["retire_revision"].ended_at
    assert over is not None
    return (over - steps["roll_out"].started_at) / 1000 - 2 * PAUSE


@asynccontextmanager
async def reached(kubeconfig: str) -> AsyncIterator[client.ApiClient]:
    """The world's cluster, by the client of its makers."""
    await config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call]
    async with client.ApiClient() as api:
        yield api


@asynccontextmanager
async def rollout(api: client.ApiClient, controller: str, seen: OperationView) -> AsyncIterator[Any]:
    """A Rollout with our pods in a namespace of its own, and what changes it and waits until it is healthy again."""
    core: Any = client.CoreV1Api(api)
    namespace = f"bench-argo-{secrets.token_hex(4)}"
    await core.create_namespace({"metadata": {"name": namespace}})
    kubeconfig = str(read_settings().kubeconfig)
    try:
        async with running(controller, "--kubeconfig", kubeconfig, "--namespace", namespace, "--leader-elect=false", *PORTS):
            rollouts = client.CustomObjectsApi(api)
            body = await describe(api, namespace, seen)
            await rollouts.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, body)
            await healthy(rollouts, namespace)

            async def change(number: int) -> float:
                began = time.time()
                annotation = {"spec": {"template": {"metadata": {"annotations": {"bench": str(number)}}}}}
                await rollouts.patch_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, "bench", annotation)
                await healthy(rollouts, namespace)
                return time.time() - began - 2 * PAUSE

            yield change
    finally:
        await core.delete_namespace(namespace)


async def healthy(rollouts: Any, namespace: str) -> None:
    """Argo says that the Rollout as it is now is healthy."""
    ends = time.monotonic() + LONGEST
    while time.monotonic() < ends:
        found = await rollouts.get_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, "bench")
        status = found.get("status", {})
        if status.get("observedGeneration") == str(found["metadata"]["generation"]) and status.get("phase") == "Healthy":
            return
        await asyncio.sleep(LOOK_EVERY)
    raise TimeoutError(f"the Rollout did not become healthy: {status}")


async def describe(api: client.ApiClient, namespace: str, seen: OperationView) -> dict[str, Any]:
    """The Rollout: our pods as they stand, with their configuration beside them, and the same steps."""
    plan = result(seen, "make_plan")
    name = f"{plan['slug']}-r{plan['revision']}"
    apps: Any = client.AppsV1Api(api)
    found = await apps.read_namespaced_deployment_without_preload_content(name, plan["namespace"])
    template = json.loads(await found.read())["spec"]["template"]
    core: Any = client.CoreV1Api(api)
    settings = await core.read_namespaced_config_map(name, plan["namespace"])
    await core.create_namespaced_config_map(namespace, {"metadata": {"name": name}, "data": settings.data})
    chosen = {"app": "bench"}
    pod = {key: value for key, value in template["spec"].items() if key not in ("serviceAccountName", "serviceAccount")}
    steps = [{"setWeight": 25}, {"pause": {"duration": PAUSE}}, {"setWeight": 50}, {"pause": {"duration": PAUSE}}]
    spec = {
        "replicas": REPLICAS,
        "selector": {"matchLabels": chosen},
        "template": {"metadata": {"labels": chosen}, "spec": pod},
        "strategy": {"canary": {"steps": steps}},
    }
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Rollout", "metadata": {"name": "bench"}, "spec": spec}


@asynccontextmanager
async def defined(api: client.ApiClient, kinds: Path) -> AsyncIterator[None]:
    """While the block runs, the cluster knows Argo's kinds."""
    definitions: Any = client.ApiextensionsV1Api(api)
    wanted = [yaml.safe_load(file.read_text()) for file in sorted(kinds.glob("*.yaml"))]
    for one in wanted:
        await definitions.create_custom_resource_definition(one)
    try:
        for one in wanted:
            await established(definitions, one["metadata"]["name"])
        yield
    finally:
        for one in wanted:
            await definitions.delete_custom_resource_definition(one["metadata"]["name"])


async def established(definitions: Any, name: str) -> None:
    """The cluster serves the kind."""
    while not any(
        one.type == "Established" and one.status == "True"
        for one in (await definitions.read_custom_resource_definition(name)).status.conditions or ()
    ):
        await asyncio.sleep(LOOK_EVERY)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(compare(sys.argv[1], Path(sys.argv[2])))))
