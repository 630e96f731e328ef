"""The real cluster: what makes a revision fail is said with the pod's own words, and nothing is left behind."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from blocks.cluster.live import open_cluster
from blocks.domain.errors import DoesNotFit, PipelineError, RolloutFailed, Transient
from blocks.domain.plan import Plan
from tasks.provision import (
    provision_database,
    provision_namespace,
    release_namespace,
    unprovision_database,
    unprovision_namespace,
)
from tasks.remove import remove_plugin
from tasks.rollout import roll_out, take_down
from tasks.shift import shift_back, shift_traffic
from tasks.verify import verify
from tests.conftest import World
from tests.fakes.cluster import FakeCluster
from tests.tasks.carried import Carried, body

pytestmark = pytest.mark.world

SERVE = """
const server = require('http').createServer((request, answer) => {
  answer.setHeader('x-plugin-release', 'hello@1.2.3'); answer.end('hello') });
server.listen(process.env.PORT); process.on('SIGTERM', () => process.exit(0));
"""
# What a backend finds in its folder, told to whoever asks: only a test's plugin would.
TELL = """
const read = (path) => require('fs').readFileSync('/etc/plugin/' + path, 'utf8');
const server = require('http').createServer((request, answer) => {
  answer.setHeader('x-plugin-release', 'hello@1.2.3');
  const backend = JSON.parse(read('app-config.yaml')).backend;
  const file = backend.database.connection.password.$file;
  answer.end(JSON.stringify({ backend, password: require('fs').readFileSync(file, 'utf8'), user: process.getuid() })) });
server.listen(process.env.PORT); process.on('SIGTERM', () => process.exit(0));
"""
CRASH = "console.error('the moon is missing'); process.exit(3)"
EAT = "console.log('still hungry'); const eaten = []; setInterval(() => eaten.push(Buffer.alloc(8e6, 1)), 5)"
REFUSE = """
require('http').createServer((request, answer) => { answer.statusCode = 503; answer.end('not yet') }).listen(8080);
console.log('waiting for the tide'); process.on('SIGTERM', () => process.exit(0));
"""


@dataclass(frozen=True)
class Failure:
    """What is put up, and what must be said of it."""

    script: str
    error: type[PipelineError]
    said: Sequence[str]
    image: str = ""
    replicas: int = 1
    memory: str = "64Mi"
    cpu: str = "10m"
    deadline: float = 60


FAILURES = {
    "image that cannot be pulled": Failure(SERVE, RolloutFailed, ["cannot pull its image", "no-such"], image="no-such"),
    "pod that crashes": Failure(CRASH, RolloutFailed, ["exit code 3", "the moon is missing"]),
    "pod that is killed for its memory": Failure(EAT, RolloutFailed, ["more memory than its limit"]),
    "pod that never becomes ready": Failure(
        REFUSE, RolloutFailed, ["not ready within 30 s", "503", "waiting for the tide"], deadline=30
    ),
    "pod that no node takes": Failure(SERVE, RolloutFailed, ["no node takes", "Insufficient cpu"], cpu="4", deadline=30),
}


async def put_up(carried: Carried, plan: Plan) -> Any:
    await body(provision_namespace)(carried.work, plan)
    await body(provision_database)(carried.work, plan)
    rolled_out = await body(roll_out)(carried.work, plan)
    await body(shift_traffic)(carried.work, plan)
    return rolled_out


async def take_back(carried: Carried, plan: Plan) -> None:
    await shift_back(carried.work, plan)
    await take_down(carried.work, plan)
    await unprovision_database(carried.work, plan)
    await unprovision_namespace(carried.work, plan)


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_a_failure_is_said_well_and_leaves_nothing(really_carried: Carried, world: World, failure: Failure) -> None:
    carried = really_carried
    before = await carried.inventory()
    resources = {"cpu": {"request": failure.cpu, "limit": "4"}, "memory": {"request": "16Mi", "limit": failure.memory}}
    plugin = {"name": "hello", "runtime": {"type": "service"}, "resources": resources}
    carried.asked = carried.service(plugin=plugin, replicas=failure.replicas)
    carried.tools.settings = carried.tools.settings.model_copy(update={"progress_deadline": failure.deadline})
    plan = await carried.plan(f"{world.registry}/{failure.image}:1" if failure.image else world.node_image, failure.script)
    with pytest.raises(failure.error) as raised:
        await put_up(carried, plan)
    assert [words for words in failure.said if words not in raised.value.message] == [], raised.value.message
    assert raised.value.hint
    await take_back(carried, plan)
    assert await carried.inventory() == before


async def test_what_exceeds_the_quota_is_said_before_anything_is_made(really_carried: Carried, world: World) -> None:
    carried = really_carried
    before = await carried.inventory()
    resources = {"cpu": {"request": "10m", "limit": "1"}, "memory": {"request": "16Mi", "limit": "7Gi"}}
    plugin = {"name": "hello", "runtime": {"type": "service"}, "resources": resources}
    carried.asked = carried.service(plugin=plugin, replicas=3)
    with pytest.raises(DoesNotFit, match=r"needs 5Gi memory \(limits\) more"):
        await carried.plan(world.node_image, SERVE)
    assert await carried.inventory() == before


async def test_a_revision_comes_up_answers_and_goes(really_carried: Carried, world: World) -> None:
    carried = really_carried
    before = await carried.inventory()
    plan = await carried.plan(world.node_image, SERVE)
    rolled_out = await put_up(carried, plan)
    assert rolled_out.objects.created[0] == "ConfigMap/hello-r1"
    assert rolled_out.objects.created[-1] == "Deployment/hello-r1"
    assert (await body(verify)(carried.work, plan)).release == "hello@1.2.3"
    assert await put_up(carried, plan) == rolled_out
    await body(remove_plugin)(carried.work, plan)
    assert await body(release_namespace)(carried.work, plan)
    assert await carried.inventory() == before


async def test_a_backend_opens_its_database_with_what_it_finds_in_its_folder(really_carried: Carried, world: World) -> None:
    carried = really_carried
    before, carried.asked = await carried.inventory(), carried.backend(config={"proxy": {"a": "b"}})
    plan = await carried.plan(world.node_image, TELL)
    await put_up(carried, plan)
    await body(verify)(carried.work, plan)
    told = json.loads((await carried.tools.web.ask(plan.host, "/")).text)
    where = told["backend"]["database"]["connection"] | {"password": told["password"]}
    connection = await asyncpg.connect(**where)
    await connection.execute("CREATE SCHEMA its_own")
    await connection.close()
    assert told["user"] == 10001
    await take_back(carried, plan)
    assert await carried.inventory() == before


async def test_a_cluster_that_is_away_is_worth_another_try_and_nothing_was_made(really_carried: Carried, tmp_path: Path) -> None:
    carried = really_carried
    before, plan = await carried.inventory(), await carried.plan()
    nowhere = FakeCluster()
    nowhere.address = "http://127.0.0.1:1"
    async with open_cluster(nowhere.kubeconfig(tmp_path)) as away:
        carried.tools.cluster, reachable = away, carried.tools.cluster
        for step in (provision_namespace, roll_out):
            with pytest.raises(Transient, match="does not answer"):
                await body(step)(carried.work, plan)
    carried.tools.cluster = reachable
    assert await carried.inventory() == before
