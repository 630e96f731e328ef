"""The image of an installation with its plugin left out, put in the place of the real one."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from blocks.image_builder import DockerBuilder
from blocks.ports.images import BuildOrder
from tests.e2e.api import LOOK_EVERY, PATIENCE, Product

CASES = Path(__file__).parents[1] / "cases" / "left_out"


@contextmanager
def image_without_plugin(product: Product, seen: Mapping[str, Any], name: str) -> Iterator[str]:
    """The pinned image, in the registry until the block ends."""
    bases = {"PLUGIN_IMAGE": seen["revision"]["image"], "PLUGIN": seen["plugin"]}
    repository = f"{product.world.registry}/tests/left-out-{name}"
    order = BuildOrder(CASES / name, repository, secrets.token_hex(6), {}, bases)
    digest = asyncio.run(DockerBuilder(product.world.docker_host, bases).build(order))
    yield f"{repository}@{digest}"
    path = repository.removeprefix(product.world.registry)
    gone = httpx.delete(f"http://{product.world.registry}/v2{path}/manifests/{digest}", trust_env=False, timeout=60)
    assert gone.status_code == 202, gone.text


def put_in_place(product: Product, seen: Mapping[str, Any], image: str) -> None:
    """The installation's only pods run the image; they are ready if they live, whatever the plugin would say."""
    deployment, namespace = f"deployment/{seen['slug']}-r{seen['revision']['number']}", seen["namespace"]
    live = json.loads(product.kubectl("get", deployment, "-n", namespace, "-o", "json"))
    (container,) = live["spec"]["template"]["spec"]["containers"]
    where = "/spec/template/spec/containers/0"
    patch = [
        {"op": "replace", "path": f"{where}/image", "value": image},
        {"op": "replace", "path": f"{where}/readinessProbe/httpGet/path", "value": container["livenessProbe"]["httpGet"]["path"]},
    ]
    product.kubectl("patch", deployment, "-n", namespace, "--type=json", f"--patch={json.dumps(patch)}")
    product.kubectl("rollout", "status", deployment, "-n", namespace, "--timeout=180s")
    stale = f"--field-selector=status.phase=Running,spec.nodeName!=,metadata.name!={newest(product, seen, image)}"
    product.kubectl("delete", "pods", "-n", namespace, "--wait=true", "--grace-period=1", stale)
    await_gateway(product, seen)


def await_gateway(product: Product, seen: Mapping[str, Any]) -> None:
    """The gateway has forgotten the pods that are gone, which takes it a moment; what answers now is the new one."""
    ends = time.monotonic() + PATIENCE
    while product.call(seen, "/").status >= 500:
        assert time.monotonic() < ends, "the gateway reaches no pod"
        time.sleep(LOOK_EVERY)


def newest(product: Product, seen: Mapping[str, Any], image: str) -> str:
    """The name of the pod that runs the image."""
    (pod,) = [
        one["metadata"]["name"]
        for one in product.objects("pods", seen["namespace"])
        if one["spec"]["containers"][0]["image"] == image and "deletionTimestamp" not in one["metadata"]
    ]
    return str(pod)
