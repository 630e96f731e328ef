"""What a dry run promises us, asked of the fake and of the real API server alike; and what only the real one knows."""

import asyncio
from typing import Any

import pytest

from blocks.cluster.connection import Connection
from blocks.cluster.live import LiveCluster
from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.dry_run import stand_in
from blocks.domain.objects.labels import stamped
from blocks.domain.objects.names import Name
from blocks.domain.objects.phases import every, phases
from blocks.domain.objects.workload import deployment
from tests.blocks.cluster.conftest import make
from tests.blocks.cluster.test_contract import change_as, named, settings
from tests.blocks.domain.objects.blueprints import make_blueprint

SMALL = {"cpu": {"request": "10m", "limit": "1"}, "memory": {"request": "16Mi", "limit": "128Mi"}}


def workload(namespace: str, *, image: str = "registry.test/it@sha256:0", **pod: Any) -> Object:
    """A Deployment as we make them, put into the namespace; `pod` replaces parts of its pods."""
    made = stamped(deployment(make_blueprint("service", plugin={"resources": SMALL})), "op-1")
    template = made["spec"]["template"]
    spec = template["spec"] | pod
    return made | {
        "metadata": made["metadata"] | {"namespace": namespace},
        "spec": made["spec"] | {"template": template | {"spec": spec}},
    }


async def test_what_is_new_is_shown_and_not_made(cluster: LiveCluster, namespace: str) -> None:
    tried = await cluster.preview(settings(namespace, colour="red"))
    assert tried.after is not None
    assert (tried.live, tried.after["data"], tried.objection) == (None, {"colour": "red"}, "")
    assert await cluster.read(named(namespace)) is None


async def test_what_would_change_is_shown_and_not_changed(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red", shape="round"))
    before = await cluster.read(named(namespace))
    tried = await cluster.preview(settings(namespace, colour="blue"))
    assert tried.live == before
    assert tried.after is not None
    assert tried.after["data"] == {"colour": "blue"}
    assert await cluster.read(named(namespace)) == before


async def test_what_would_stay_is_shown_as_it_is(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    tried = await cluster.preview(settings(namespace, colour="red"))
    assert tried.live is not None
    assert tried.live == tried.after


async def test_the_namespace_itself_is_tried_without_another(cluster: LiveCluster) -> None:
    tried = await cluster.preview(make("Namespace", "", "test-never-made"), stand_in("dev"))
    assert (tried.live, tried.objection) == (None, "")
    assert await cluster.read(Name("Namespace", "", "test-never-made")) is None


async def test_where_there_is_no_namespace_yet_another_stands_in(cluster: LiveCluster) -> None:
    tried = await cluster.preview(settings("test-nowhere", colour="red"), stand_in("dev"))
    assert tried.after is not None
    assert (tried.live, tried.objection) == (None, "")
    assert (tried.after["metadata"]["namespace"], tried.after["data"]) == ("test-nowhere", {"colour": "red"})
    assert await cluster.read(named(stand_in("dev"))) is None


@pytest.mark.parametrize(
    ("there", "said"),
    [
        pytest.param("", 'namespaces "test-nowhere" not found', id="none is named"),
        pytest.param("test-nowhere-either", "there is no namespace test-nowhere-either to try objects in", id="it is not there"),
    ],
)
async def test_where_nothing_stands_in_that_is_an_objection(cluster: LiveCluster, there: str, said: str) -> None:
    tried = await cluster.preview(settings("test-nowhere", colour="red"), there)
    assert (tried.live, tried.after) == (None, None)
    assert said in tried.objection


async def test_what_others_changed_is_an_objection_that_names_it(
    cluster: LiveCluster, connection: Connection, namespace: str
) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    await change_as(connection, "somebody", settings(namespace, colour="green"))
    tried = await cluster.preview(settings(namespace, colour="red"))
    assert tried.after is None
    assert "others have changed" in tried.objection
    assert ".data.colour" in tried.objection


async def test_what_is_somebody_elses_is_an_objection(cluster: LiveCluster, connection: Connection, namespace: str) -> None:
    await change_as(connection, "somebody", settings(namespace, colour="red"))
    assert "is there already and is not ours" in (await cluster.preview(settings(namespace, colour="red"))).objection


async def test_what_never_changes_is_an_objection(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red") | {"immutable": True})
    assert "immutable" in (await cluster.preview(settings(namespace, colour="blue") | {"immutable": True})).objection


async def test_one_pod_is_tried_with_a_deployment_and_nothing_is_left(cluster: LiveCluster) -> None:
    tried = await cluster.preview(workload("test-nowhere"), stand_in("dev"))
    assert (tried.objection, tried.live) == ("", None)
    assert tried.after is not None
    assert tried.after["kind"] == "Deployment"
    assert await cluster.read(Name("Pod", stand_in("dev"), "hello-r1-trial")) is None


async def test_every_object_of_a_plugin_can_be_tried_before_anything_of_it_is_there(cluster: LiveCluster) -> None:
    blueprint = make_blueprint("backend", tenant="test-nowhere", plugin={"resources": SMALL})
    objects = [stamped(one, "op-1") for one in every(phases(blueprint))]
    tried = [await cluster.preview(one, stand_in("dev")) for one in objects]
    assert [one.objection for one in tried if one.objection] == []
    assert [Name.of(one.after or {}) for one in tried] == [*map(Name.of, objects)]


HUNGRY = {"resources": {"requests": {"cpu": "20", "memory": "1Gi"}, "limits": {"cpu": "20", "memory": "1Gi"}}}


@pytest.mark.world
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"securityContext": {"runAsUser": 0}}, "violates PodSecurity", id="Pod Security"),
        pytest.param({"containers": HUNGRY}, "maximum cpu usage per Container is 4", id="a limit"),
        pytest.param({"containers": {"terminationMessagePolicy": "Never"}}, "Unsupported value", id="a value that there is not"),
    ],
)
async def test_a_real_cluster_says_at_the_pod_what_it_would_refuse(
    really: LiveCluster, changed: dict[str, Any], said: str
) -> None:
    made = workload("test-nowhere")
    (container,) = made["spec"]["template"]["spec"]["containers"]
    pod = changed | ({"containers": [container | changed["containers"]]} if "containers" in changed else {})
    assert said in (await really.preview(workload("test-nowhere", **pod), stand_in("dev"))).objection


@pytest.mark.world
async def test_a_real_quota_speaks_at_the_pod(really: LiveCluster) -> None:
    container = workload("test-nowhere")["spec"]["template"]["spec"]["containers"][0]
    several = [container | {"name": f"plugin-{at}", "resources": {"limits": {"cpu": "4", "memory": "6Gi"}}} for at in range(3)]
    tried = await really.preview(workload("test-nowhere", containers=several), stand_in("dev"))
    assert "exceeded quota: quota" in tried.objection
    assert "limits.memory=18Gi" in tried.objection


@pytest.mark.world
async def test_what_runs_already_is_not_tried_with_another_pod(really: LiveCluster, real_namespace: str) -> None:
    """A namespace that is full would refuse one, and nothing is to be started."""
    quota = make("ResourceQuota", real_namespace, "quota", spec={"hard": {"pods": "0"}})
    sleeping = workload(real_namespace)
    sleeping |= {"spec": sleeping["spec"] | {"replicas": 0}}
    await really.apply(sleeping)
    await really.apply(quota)
    awake = sleeping | {"spec": sleeping["spec"] | {"replicas": 1}}
    await until_refused(really, awake, "exceeded quota")
    assert (await really.preview(sleeping)).objection == ""


async def until_refused(cluster: LiveCluster, wanted: Object, said: str) -> None:
    """A quota is in force once the server has heard of it and has counted: a moment after it was written, more on a busy machine."""
    async with asyncio.timeout(60):
        while said not in (await cluster.preview(wanted)).objection:
            await asyncio.sleep(0.05)


async def test_credentials_that_are_not_accepted_are_no_objection(fake_connection: Connection) -> None:
    """They say nothing of the object."""
    with pytest.raises(Refused, match="credentials"):
        await LiveCluster(Unauthorized(fake_connection)).preview(settings("default", colour="red"))


class Unauthorized(Connection):
    """A connection whose server takes back the credentials between the look and the try."""

    def __init__(self, real: Connection) -> None:
        self._real = real

    async def ask(self, ask: Any) -> Any:
        answer = await self._real.ask(ask)
        return answer if ask.method == "GET" else type(answer)(401, {"message": "Unauthorized"})
