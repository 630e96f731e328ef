"""A Service is asked through the API server, and nothing else of the server's is; against a server that answers as told."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from blocks.cluster.proxy import open_service_web, path_of_service
from blocks.domain.errors import Refused, Transient
from blocks.plugin_web import PluginWeb
from blocks.web import MOST
from tests.tasks.carried import ScriptedWeb

HOST = "hello.default-dev.svc:8080"
PROXY = "/api/v1/namespaces/default-dev/services/hello:8080/proxy"
NO = {"kind": "Status", "code": 403, "message": 'services "hello:8080" is forbidden: cannot get resource "services/proxy"'}


async def answer(request: web.Request) -> web.StreamResponse:
    """What the API server passes on; some paths misbehave."""
    if not request.path.startswith(PROXY):
        return web.Response(status=500, text="not for a Service")
    match request.path.removeprefix(PROXY):
        case "/moved":
            raise web.HTTPFound("/api/v1/namespaces/kube-system/secrets")
        case "/forbidden":
            return web.json_response(NO, status=403)
        case "/away":
            return web.json_response({"kind": "Status", "message": "no endpoints available for service"}, status=503)
        case "/endless":
            return web.Response(text="x" * (MOST + 10))
        case "/cut":
            assert request.transport is not None
            request.transport.abort()
    sent = {"auth": request.headers.get("Authorization", ""), "mark": request.headers.get("X-Mark", ""), "at": request.path_qs}
    return web.json_response(sent, headers={"X-Plugin-Release": "hello@1"}, status=403 if "/private" in request.path else 200)


@pytest.fixture
async def kubeconfig(tmp_path: Path) -> AsyncIterator[Path]:
    """A kubeconfig for an API server of this test's own."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    cluster = {"name": "it", "cluster": {"server": f"http://{host}:{port}"}}
    contexts = [{"name": "it", "context": {"cluster": "it", "user": "me"}}]
    whole = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": contexts, "current-context": "it"}
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(whole | {"users": [{"name": "me", "user": {"token": "mine"}}]}))
    yield path
    await runner.cleanup()


async def test_it_is_asked_with_our_credentials_and_what_is_sent_along(kubeconfig: Path) -> None:
    async with open_service_web(kubeconfig) as services:
        for path in ("/release", "/release?full=1"):
            reply = await services.ask(HOST, path, {"X-Mark": "1"})
            assert (reply.status, reply.headers["x-plugin-release"]) == (200, "hello@1")
            assert json.loads(reply.text) == {"auth": "Bearer mine", "mark": "1", "at": f"{PROXY}{path}"}


@pytest.mark.parametrize(("path", "status"), [("/moved", 302), ("/away", 503), ("/private", 403)])
async def test_any_status_is_an_answer_and_no_redirect_is_followed(kubeconfig: Path, path: str, status: int) -> None:
    async with open_service_web(kubeconfig) as services:
        assert (await services.ask(HOST, path)).status == status


async def test_an_answer_without_end_is_cut(kubeconfig: Path) -> None:
    async with open_service_web(kubeconfig) as services:
        assert len((await services.ask(HOST, "/endless")).text) == MOST


async def test_no_answer_is_worth_another_try(kubeconfig: Path) -> None:
    async with open_service_web(kubeconfig) as services:
        with pytest.raises(Transient, match=f"nothing answers at http://{HOST}/cut through the API server"):
            await services.ask(HOST, "/cut")


async def test_who_may_not_ask_is_told_which_right_is_missing(kubeconfig: Path) -> None:
    async with open_service_web(kubeconfig) as services:
        with pytest.raises(Refused, match="does not let us ask") as caught:
            await services.ask(HOST, "/forbidden")
    assert "services/proxy" in caught.value.hint


OUT = [
    pytest.param(HOST, "/../../../../secrets", id="up"),
    pytest.param(HOST, "/%2e%2e/%2E./secrets", id="up in disguise"),
    pytest.param(HOST, "secrets", id="beside"),
    pytest.param("hello.default-dev.localhost", "/", id="no Service"),
]


@pytest.mark.parametrize(("host", "path"), OUT)
def test_no_path_leads_to_anything_else_of_the_server(host: str, path: str) -> None:
    with pytest.raises(Refused, match="is no path of a Service"):
        path_of_service(host, path)


async def test_a_host_is_asked_where_it_is_known() -> None:
    gateway, services = ScriptedWeb(), ScriptedWeb()
    both = PluginWeb(gateway, services)
    await both.ask("hello.default-dev.localhost", "/")
    await both.ask(HOST, "/")
    assert (gateway.asked, services.asked) == ([("hello.default-dev.localhost", "/")], [(HOST, "/")])
