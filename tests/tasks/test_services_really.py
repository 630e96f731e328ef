"""The real cluster: where nothing but its Service leads people to a plugin, its pods share the requests, and the API server lets us ask."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blocks.cluster.live import open_cluster
from blocks.domain.errors import Transient
from blocks.domain.objects.names import Name
from blocks.domain.plan import Plan
from blocks.plugin_web import open_plugin_web
from tasks.provision import provision_namespace, release_namespace
from tasks.remove import remove_plugin
from tasks.rollout import roll_out
from tasks.shift import shift_back, shift_traffic
from tasks.stages import route_stage
from tasks.verify import verify
from tests.conftest import World
from tests.tasks.carried import Carried, body, settings_for

pytestmark = pytest.mark.world

SERVE = """
const revision = require('os').hostname().replace(/-[^-]+-[^-]+$/, '');
const server = require('http').createServer((request, answer) => {
  answer.setHeader('x-plugin-release', 'hello@1.2.3'); answer.setHeader('x-revision', revision); answer.end('hello') });
server.listen(process.env.PORT); process.on('SIGTERM', () => process.exit(0));
"""
# So many questions find both of two pods, but for one time in 2^31; and so often is looked until the cluster has followed.
QUESTIONS, LOOKS = 32, 300
HALF = {"stages": "50,100", "analysis": {"enabled": False}}


@pytest.fixture
async def services(world: World) -> AsyncIterator[Carried]:
    """An operation on the real cluster as if it had no gateway; whatever a failed test leaves is taken away."""
    kubeconfig = Path(world.kubeconfig)
    settings = settings_for(kubeconfig, service_mesh_provider="services")
    async with open_cluster(kubeconfig) as cluster, open_plugin_web(settings) as web:
        carried = Carried(cluster, settings)
        carried.tools.web = web
        yield carried
        await cluster.remove(Name("Namespace", "", f"{carried.tenant}-dev"), lambda _: True)


async def answered_by(carried: Carried, plan: Plan, wanted: set[str]) -> set[str]:
    """The revisions that answer at the plugin's Service, once they are those that are wanted or it was looked often enough."""
    for _ in range(LOOKS):
        if (found := {await answered(carried, plan) for _ in range(QUESTIONS)}) == wanted:
            break
        await asyncio.sleep(0.1)
    return found


async def answered(carried: Carried, plan: Plan) -> str:
    """The revision that answers once, or what came instead."""
    try:
        reply = await carried.tools.web.ask(plan.host, "/")
    except Transient as problem:
        return problem.message
    return str(reply.headers.get("x-revision", reply.status))


async def test_requests_follow_the_service_from_one_revision_to_both_and_back(services: Carried, world: World) -> None:
    carried, before = services, await services.inventory()
    first = await carried.plan(world.node_image, SERVE)
    for step in (provision_namespace, roll_out, shift_traffic):
        await body(step)(carried.work, first)
    assert (await body(verify)(carried.work, first)).url == f"http://hello.{carried.tenant}-dev.svc:8080/hello"
    carried.serve(first)
    carried.asked = carried.service(strategy="canary", strategyConfig=HALF, config={"colour": "red"})
    second = await carried.plan(world.node_image, SERVE)
    await body(roll_out)(carried.work, second)
    assert await answered_by(carried, second, {"hello-r1"}) == {"hello-r1"}
    await body(route_stage)(carried.work, 1, second)
    assert await answered_by(carried, second, {"hello-r1", "hello-r2"}) == {"hello-r1", "hello-r2"}
    await shift_back(carried.work, second)
    assert await answered_by(carried, second, {"hello-r1"}) == {"hello-r1"}
    await body(remove_plugin)(carried.work, second)
    assert await body(release_namespace)(carried.work, second)
    assert await carried.inventory() == before
