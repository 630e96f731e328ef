"""Nobody can reach the API server in the middle of a rollout, for longer than a rollout may take: it is held, and not rolled back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from blocks.cluster.connection import open_connection
from blocks.cluster.live import LiveCluster
from blocks.cluster.paths import Ask, path_of
from blocks.domain.errors import RolloutFailed
from blocks.domain.objects.names import Name
from blocks.domain.plan import Plan
from blocks.ports.cluster import View
from tasks.kinds import hold
from tasks.provision import provision_namespace
from tasks.rollout import RolledOut, roll_out
from tests.conftest import World
from tests.fakes.cluster import FakeCluster, pod_case
from tests.faults.conftest import SHORT
from tests.faults.proxy import Proxy, open_proxy
from tests.tasks.carried import Carried, body, settings_for

# Listens only when nobody can see it: a few seconds after the outage has begun.
LATE = """
const server = require('http').createServer((request, answer) => answer.end('hello'));
setTimeout(() => server.listen(process.env.PORT), 3000); process.on('SIGTERM', () => process.exit(0));
"""


async def test_a_rollout_holds_through_an_outage_that_is_longer_than_its_deadline(fake: FakeCluster, tmp_path: Path) -> None:
    fake.pods_are = "unready"
    (tmp_path / "fake").mkdir()
    async with open_proxy(fake.kubeconfig(tmp_path / "fake")) as proxy, carried_through(proxy, tmp_path, 5) as carried:
        plan, rolling = await begun(carried, proxy)
        await proxy.go_away()
        await asyncio.sleep(7)
        assert not rolling.done()
        become_ready(fake, plan)
        await proxy.come_back()
        assert (await rolling).pods == ("hello-r1-0",)
        assert {*await reasons(carried, plan)} == {"Provisioned", "RollingOut", "RolledOut"}


async def test_a_deadline_goes_on_after_an_outage(fake: FakeCluster, tmp_path: Path) -> None:
    fake.pods_are = "unready"
    (tmp_path / "fake").mkdir()
    async with open_proxy(fake.kubeconfig(tmp_path / "fake")) as proxy, carried_through(proxy, tmp_path, 1) as carried:
        plan, rolling = await begun(carried, proxy)
        await proxy.go_away()
        await proxy.come_back()
        with pytest.raises(RolloutFailed, match="not ready within 1 s"):
            await rolling
        assert (await reasons(carried, plan))[-1] == "RolloutFailed"


@pytest.mark.world
@pytest.mark.parametrize("seconds", [10, pytest.param(120, marks=pytest.mark.long)])
async def test_a_real_rollout_holds_through_an_outage(world: World, tmp_path: Path, seconds: float) -> None:
    async with open_proxy(Path(world.kubeconfig)) as proxy, carried_through(proxy, tmp_path, 5) as carried:
        plan, rolling = await begun(carried, proxy, image=world.node_image, script=LATE)
        try:
            await proxy.go_away()
            await asyncio.sleep(seconds)
            assert not rolling.done()
        finally:
            await proxy.come_back()
        assert len((await rolling).pods) == 1
        assert {*await reasons(carried, plan)} == {"Provisioned", "RollingOut", "RolledOut"}


@asynccontextmanager
async def carried_through(proxy: Proxy, folder: Path, deadline: float) -> AsyncIterator[Carried]:
    """An operation that sees its cluster through the proxy, and whose rollouts may take so many seconds."""
    kubeconfig = proxy.kubeconfig(folder)
    async with open_connection(kubeconfig, bounds=SHORT) as connection:
        carried = Carried(LiveCluster(connection), settings_for(kubeconfig, progress_deadline=deadline))
        yield carried
        # Told to go; to wait for it would take longer than the test.
        await connection.ask(Ask("DELETE", path_of(Name("Namespace", "", f"{carried.tenant}-dev")), {}, {}))


async def begun(
    carried: Carried, proxy: Proxy, image: str = "registry:5000/hello@sha256:1", script: str = ""
) -> tuple[Plan, "asyncio.Task[RolledOut]"]:
    """A plan whose rollout is held as every step is, and by now waits for its pods."""
    plan = await carried.plan(image, script)
    await body(provision_namespace)(carried.work, plan)
    rolling: asyncio.Task[RolledOut] = asyncio.create_task(hold(carried.work, partial(body(roll_out), carried.work, plan)))
    async with asyncio.timeout(20):
        while "WATCH pods" not in proxy.requests:
            await asyncio.sleep(0.01)
    return plan, rolling


def become_ready(fake: FakeCluster, plan: Plan) -> None:
    """What the cluster did while nobody looked."""
    case = pod_case("ready")
    fake.store.set_status(("pods", plan.namespace, "hello-r1-0"), case["pods"][0]["status"])
    fake.store.set_status(("deployments", plan.namespace, "hello-r1"), case["deployment"]["status"])


async def reasons(carried: Carried, plan: Plan) -> list[str]:
    """What we told in the cluster."""
    told = await carried.cluster.find(View("Event", plan.namespace))
    return [one["reason"] for one in told if one.get("reportingController") == "plugin-pipeline.io/installer"]
