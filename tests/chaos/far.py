"""Parts of the world that live in the test's process and are asked from its workers over HTTP, so that they outlive every worker."""

import pickle
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from aiohttp import web


class Far:
    """A part of the world, seen from a worker: every method is asked of the real one, and its errors come back."""

    def __init__(self, client: httpx.AsyncClient, part: str) -> None:
        self._client, self._part = client, part

    def __getattr__(self, method: str) -> Any:
        async def ask(*args: Any, **kwargs: Any) -> Any:
            answer = await self._client.post(f"/{self._part}/{method}", content=pickle.dumps((args, kwargs)))
            raised, value = pickle.loads(answer.content)
            if raised:
                raise value
            return value

        return ask


@asynccontextmanager
async def open_far(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client for the parts at this address."""
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:
        yield client


@asynccontextmanager
async def serve_parts(parts: Mapping[str, Any]) -> AsyncIterator[str]:
    """The address at which the parts can be asked until the block ends."""

    async def answer(request: web.Request) -> web.Response:
        args, kwargs = pickle.loads(await request.read())
        try:
            said = (False, await getattr(parts[request.match_info["part"]], request.match_info["method"])(*args, **kwargs))
        except Exception as problem:  # noqa: BLE001 — whatever it is, it is the asker's to meet
            said = (True, problem)
        return web.Response(body=pickle.dumps(said))

    application = web.Application(client_max_size=2**26)
    application.router.add_post("/{part}/{method}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0, handler_cancellation=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
