"""A proxy that stands between us and an API server, the fake or the real one, and misbehaves as it is told.

Everything that it is not told to spoil goes through untouched, and it remembers which version of which object the server answered with.
"""

import asyncio
import json
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp
from aiohttp import web
from kubernetes.aio import client, config

from tests.fakes.cluster import PLACE, FakeCluster

Act = Callable[["Proxy", web.Request], Awaitable[web.StreamResponse]]
FOREVER = 10**9


@dataclass
class Fault:
    """What happens to the next `times` requests of one kind, as in «PATCH configmaps»; a watch and a dry run are kinds of their own."""

    act: Act
    of: str
    times: int = 1


class Proxy:
    """`faults` are used up from the front; `silent` streams say nothing; `versions` are those that writes were answered with."""

    def __init__(self, upstream: str, trust: ssl.SSLContext) -> None:
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.versions: dict[str, list[str]] = defaultdict(list)
        self.address, self.silent = "", False
        self._upstream, self._trust = upstream, trust
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    def kubeconfig(self, folder: Path) -> Path:
        """A kubeconfig for the proxy; it shows its own credentials to the server."""
        front = FakeCluster()
        front.address = self.address
        return front.kubeconfig(folder)

    async def open(self, port: int = 0) -> None:
        """Listen."""
        self._session = self._session or aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._trust, limit=0))
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0, handler_cancellation=True)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", port)
        await self._site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{host}:{port}"

    async def go_away(self) -> None:
        """Whoever is connected loses the connection, and nobody gets a new one."""
        assert self._runner
        await self._runner.cleanup()

    async def come_back(self) -> None:
        """Listen where it listened before."""
        await self.open(int(self.address.rpartition(":")[2]))

    async def close(self) -> None:
        """Gone for good."""
        await self.go_away()
        assert self._session
        await self._session.close()

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """The server's own answer; a stream is handed on piece by piece unless the proxy is silent."""
        assert self._session
        headers = {key: value for key, value in request.headers.items() if key in ("Content-Type", "Accept")}
        sent = self._session.request(
            request.method, f"{self._upstream}{request.path_qs}", data=await request.read(), headers=headers
        )
        async with sent as answer:
            if _kind(request).startswith("WATCH") and answer.status < 400:
                return await self._hand_on(request, answer)
            body = await answer.read()
            self._remember(request, answer.status, body)
            kept = {key: answer.headers[key] for key in ("Retry-After", "Content-Type") if key in answer.headers}
            return web.Response(status=answer.status, body=body, headers=kept)

    async def _hand_on(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        async for piece in answer.content.iter_any():
            while self.silent:
                await asyncio.sleep(0.01)
            await stream.write(piece)
        return stream

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        kind = _kind(request)
        self.requests.append(kind)
        fault = next((one for one in self.faults if one.of == kind and one.times > 0), None)
        if fault is None:
            return await self.forward(request)
        fault.times -= 1
        return await fault.act(self, request)

    def _remember(self, request: web.Request, status: int, body: bytes) -> None:
        if _kind(request).startswith("PATCH") and status < 300:
            self.versions[request.path].append(json.loads(body)["metadata"]["resourceVersion"])


def answers(status: int, message: str, **headers: str) -> Act:
    """The request gets nowhere, and this is the answer."""

    async def act(_: Proxy, __: web.Request) -> web.StreamResponse:
        body = {"kind": "Status", "status": "Failure", "code": status, "message": message}
        return web.json_response(body, status=status, headers={key.replace("_", "-"): value for key, value in headers.items()})

    return act


def commits_and(then: Act) -> Act:
    """The request is served, and the answer is another."""

    async def act(proxy: Proxy, request: web.Request) -> web.StreamResponse:
        await proxy.forward(request)
        return await then(proxy, request)

    return act


async def hangs_up(_: Proxy, request: web.Request) -> web.StreamResponse:
    """The connection is cut."""
    assert request.transport
    request.transport.abort()
    return web.Response()


async def shows_a_page(_: Proxy, __: web.Request) -> web.StreamResponse:
    """Something else answers in the server's place, and says that all is well."""
    return web.Response(text="<html>We will be back soon</html>", content_type="text/html")


async def is_cut_short(_: Proxy, request: web.Request) -> web.StreamResponse:
    """The answer ends in the middle."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"kind": "Conf')
    assert request.transport
    request.transport.close()
    return response


@asynccontextmanager
async def open_proxy(upstream: Path) -> AsyncIterator[Proxy]:
    """A proxy in front of the API server that the kubeconfig names, with that kubeconfig's credentials."""
    settings, loaders = client.Configuration(), cast("Any", config)
    await loaders.load_kube_config(config_file=str(upstream), client_configuration=settings, persist_config=False)
    async with client.ApiClient(settings) as api:
        rest: Any = api.rest_client
        proxy = Proxy(settings.host, rest.ssl_context)
        await proxy.open()
        try:
            yield proxy
        finally:
            await proxy.close()


def _kind(request: web.Request) -> str:
    place, verb = PLACE.match(request.path), request.method
    if request.query.get("dryRun"):
        verb = "DRYRUN"
    elif request.query.get("watch") == "true":
        verb = "WATCH"
    return f"{verb} {place['plural'] if place else '?'}"
