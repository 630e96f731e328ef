"""A watcher of its own, which notes when the cluster first tells that a pod is ready.

A pod's Ready condition knows whole seconds only, so the moment at which the news arrives is taken instead: ours arrives the same way.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from kubernetes.aio import client, config, watch

# Of every namespace, all pods that are ours.
OURS = "app.kubernetes.io/part-of=plugin-pipeline"
Pod = tuple[str, str]


@asynccontextmanager
async def watched(kubeconfig: str) -> AsyncIterator[Mapping[Pod, float]]:
    """While the block runs: when each pod, by namespace and name, was first seen ready, in seconds since 1970."""
    await config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call]
    seen: dict[Pod, float] = {}
    async with client.ApiClient() as api:
        following = asyncio.create_task(follow(api, seen))
        try:
            yield seen
        finally:
            following.cancel()


async def follow(api: client.ApiClient, seen: dict[Pod, float]) -> None:
    """Note until cancelled; a stream that ends begins anew, and what was seen before keeps its time."""
    listing: Any = client.CoreV1Api(api).list_pod_for_all_namespaces
    while True:
        # The package says of itself that it is typed, and is not everywhere.
        opened: Any = watch.Watch()  # type: ignore[no-untyped-call]
        async with opened as stream:
            async for event in stream.stream(listing, label_selector=OURS):
                pod: Any = event["object"]
                if any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ()):
                    seen.setdefault((pod.metadata.namespace, pod.metadata.name), time.time())
