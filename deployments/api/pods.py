"""The plugin's own pods: their last words, who of them answers people, and whether the cluster answers at all."""

import codecs
from collections.abc import AsyncIterator
from pathlib import Path

from blocks.cluster.connection import Connection, answer_of, open_connection
from blocks.cluster.paths import Ask, path_of_all
from blocks.cluster.read import find_objects, read_object
from blocks.cluster.translate import FAILURE, refusal
from blocks.domain.errors import Terminal
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import INSTALLATION
from blocks.domain.objects.names import Name
from blocks.domain.status import InstallationView
from blocks.domain.traffic import Side, see_sides
from blocks.ports.cluster import View
from deployments.api.ports import Probe

SYSTEM = Name("Namespace", "", "kube-system")
NOT_STARTED = 400


class NoPods(Terminal):
    """Nothing of the installation runs."""

    code = "no-pods"


async def read_pods(kubeconfig: Path | None, installation: InstallationView, tail: int) -> AsyncIterator[str]:
    """The last `tail` lines of each of the installation's pods, each after its name; raises `NoPods` and what the cluster raises."""
    # A connection for each question: these are rare, and one that is kept would keep a kubeconfig that was replaced since.
    async with open_connection(kubeconfig) as connection:
        found, _ = await find_objects(connection, _own("Pod", installation))
        names = sorted(pod["metadata"]["name"] for pod in found)
        if not names:
            raise NoPods(f"no pod of {installation.plugin} runs in {installation.namespace}", "pluginctl status says why")
        for name in names:
            yield f"==> {name} <==\n"
            async for piece in _read_pod(connection, Name("Pod", installation.namespace, name), tail):
                yield piece


async def find_own_pods(kubeconfig: Path | None, installation: InstallationView) -> list[Object]:
    """The installation's pods, of every revision; raises what the cluster raises."""
    async with open_connection(kubeconfig) as connection:
        found, _ = await find_objects(connection, _own("Pod", installation))
    return found


async def find_sides(kubeconfig: Path | None, installation: InstallationView) -> tuple[Side, ...]:
    """Which revisions answer people now; raises what the cluster raises."""
    async with open_connection(kubeconfig) as connection:
        deployments, _ = await find_objects(connection, _own("Deployment", installation))
        routes, _ = await find_objects(connection, _own("HTTPRoute", installation))
    return see_sides(deployments, routes)


def _own(kind: str, installation: InstallationView) -> View:
    return View(kind, installation.namespace, {INSTALLATION: str(installation.id)})


async def _read_pod(connection: Connection, pod: Name, tail: int) -> AsyncIterator[str]:
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    path = f"{path_of_all(pod.kind, pod.namespace)}/{pod.name}/log"
    async with connection.stream(Ask("GET", path, {"container": "plugin", "tailLines": tail})) as response:
        if response.status == NOT_STARTED:
            yield f"(no log yet: {(await answer_of(response)).sentence})\n"
            return
        if response.status >= FAILURE:
            raise refusal(await answer_of(response), f"read the log of {pod}")
        async for chunk in response.content.iter_any():
            yield decode(chunk)
        yield decode(b"", final=True)


def cluster_probe(kubeconfig: Path | None) -> Probe:
    """Asks the API server for a namespace that every cluster has."""

    async def ask() -> str:
        async with open_connection(kubeconfig) as connection:
            await read_object(connection, SYSTEM)
        return "answers"

    return ask
