"""Asking a Service through the API server, for whoever is not in the cluster: only looking, and only the Service that is named."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

from blocks.cluster.connection import Connection, open_connection
from blocks.cluster.paths import Ask
from blocks.domain.errors import Refused, Transient, Unreachable
from blocks.domain.service_host import ServiceHost
from blocks.ports.cluster import Reply
from blocks.web import SECONDS, read_text

FORBIDDEN = 403
RIGHT = "services/proxy"


class ServiceWeb:
    """The Services of one cluster by their own names; implements `blocks.ports.cluster.Web`. Nothing is opened before somebody is asked."""

    def __init__(self, kubeconfig: Path | None, stack: AsyncExitStack) -> None:
        self._kubeconfig, self._stack, self._opening = kubeconfig, stack, asyncio.Lock()
        self._opened: Connection | None = None

    async def ask(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """What the Service answers on the path, `Transient` if there is no answer, or `Refused` where we may not ask."""
        connection, asked = await self._connect(), Ask("GET", path_of_service(host, path), {})
        try:
            async with asyncio.timeout(SECONDS), connection.visit(asked, headers or {}) as response:
                reply = Reply(
                    response.status,
                    {key.lower(): value for key, value in response.headers.items()},
                    await read_text(response.content.iter_any()),
                )
        except (Unreachable, TimeoutError) as problem:
            why = problem.message if isinstance(problem, Unreachable) else f"no answer within {SECONDS} s"
            raise Transient(
                f"nothing answers at http://{host}{path} through the API server: {why}", "see that it runs"
            ) from problem
        if reply.status == FORBIDDEN and RIGHT in reply.text:
            raise Refused(f"the cluster does not let us ask {host}", f"give the pipeline's account the right to get {RIGHT}")
        return reply

    async def _connect(self) -> Connection:
        async with self._opening:
            if self._opened is None:
                self._opened = await self._stack.enter_async_context(open_connection(self._kubeconfig))
            return self._opened


@asynccontextmanager
async def open_service_web(kubeconfig: Path | None) -> AsyncIterator[ServiceWeb]:
    """The Services of the cluster that the kubeconfig names, or, without one, of the cluster we run in."""
    async with AsyncExitStack() as stack:
        yield ServiceWeb(kubeconfig, stack)


def path_of_service(host: str, path: str) -> str:
    """Where the API server passes on what is for the Service; `Refused` for a path that would lead to anything else of the server's."""
    service = ServiceHost.read(host)
    if service is None or not path.startswith("/") or ".." in unquote(path):
        raise Refused(f"http://{host}{path} is no path of a Service", "write the path as the plugin knows it")
    return f"/api/v1/namespaces/{service.namespace}/services/{service.name}:{service.port}/proxy{path}"
