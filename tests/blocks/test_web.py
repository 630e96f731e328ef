"""A plugin is asked through the gateway, by its own name; against a server that answers as told."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from blocks.domain.errors import Transient
from blocks.web import MOST, open_web

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def answer(request: web.Request) -> web.StreamResponse:
    """Tell who was asked; some paths misbehave."""
    if request.path == "/cut":
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response
    if request.path == "/moved":
        raise web.HTTPFound("/elsewhere")
    if request.path == "/endless":
        return web.Response(text="x" * (MOST + 10))
    return web.Response(text=request.host, headers={"X-Plugin-Release": "it@1"}, status=404 if request.path == "/none" else 200)


@pytest.fixture
async def gateway() -> AsyncIterator[str]:
    """A gateway of this test's own."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def test_the_plugin_is_asked_by_its_name(gateway: str) -> None:
    async with open_web(gateway) as opened:
        reply = await opened.ask("it.default-dev.localhost", "/release")
    assert (reply.status, reply.text, reply.headers["x-plugin-release"]) == (200, "it.default-dev.localhost", "it@1")


@pytest.mark.parametrize(("path", "status"), [("/none", 404), ("/moved", 302)], ids=["not found", "moved elsewhere"])
async def test_any_status_is_an_answer(gateway: str, path: str, status: int) -> None:
    async with open_web(gateway) as opened:
        assert (await opened.ask("it", path)).status == status


async def test_an_answer_without_end_is_cut(gateway: str) -> None:
    async with open_web(gateway) as opened:
        assert len((await opened.ask("it", "/endless")).text) == MOST


async def test_half_an_answer_is_none(gateway: str) -> None:
    async with open_web(gateway) as opened:
        with pytest.raises(Transient, match="nothing answers"):
            await opened.ask("it", "/cut")


async def test_a_closed_port_is_worth_another_try() -> None:
    async with open_web("http://127.0.0.1:1") as opened:
        with pytest.raises(Transient, match="nothing answers at http://it/release"):
            await asyncio.wait_for(opened.ask("it", "/release"), 30)
