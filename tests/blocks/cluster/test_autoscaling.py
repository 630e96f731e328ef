"""Whose word the number of pods is, asked of the fake API server and of the real one alike."""

import pytest

from blocks.cluster.connection import Connection
from blocks.cluster.live import LiveCluster
from blocks.cluster.paths import Ask, path_of
from blocks.domain.errors import Refused
from blocks.domain.objects.autoscaler import autoscalers, held
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.labels import stamped
from blocks.domain.objects.names import Name
from blocks.domain.objects.sizes import awake
from blocks.domain.objects.workload import asleep, deployment
from tests.blocks.domain.objects.blueprints import make_blueprint
from tests.fakes.autoscaler import MANAGER

MERGE = "application/merge-patch+json"
RANGE = {"minReplicas": 2, "maxReplicas": 6}
FOLLOWED = make_blueprint("service", autoscaling=RANGE)
PERSON = "kubectl"


def put_into(namespace: str, made: Object) -> Object:
    """The object as an operation makes it, in the namespace."""
    mine = stamped(made, "op-1")
    return mine | {"metadata": mine["metadata"] | {"namespace": namespace}}


async def scale_as(connection: Connection, who: str, name: Name, replicas: int) -> None:
    """Somebody says how many pods there are to be, by way of the scale subresource."""
    ask = Ask("PATCH", f"{path_of(name)}/scale", {"fieldManager": who}, {"spec": {"replicas": replicas}}, MERGE)
    answer = await connection.ask(ask)
    assert answer.ok, answer.sentence


async def size(cluster: LiveCluster, name: Name) -> int:
    """How many pods there are to be."""
    live = await cluster.read(name)
    assert live is not None
    return int(live["spec"]["replicas"])


async def test_an_autoscaler_stands_as_it_was_put_up(cluster: LiveCluster, namespace: str) -> None:
    (made,) = autoscalers(FOLLOWED)
    applied = await cluster.apply(put_into(namespace, made))
    await cluster.apply(put_into(namespace, held(made)))
    assert (await cluster.preview(put_into(namespace, held(made)))).objection == ""
    await cluster.apply(put_into(namespace, made))
    live = await cluster.read(applied.name)
    assert live is not None
    assert live["spec"]["behavior"]["scaleDown"]["selectPolicy"] == "Max"
    assert {key: live["spec"][key] for key in made["spec"] if key != "behavior"} == {
        key: value for key, value in made["spec"].items() if key != "behavior"
    }
    assert await cluster.remove(applied.name, lambda _: True)


async def test_what_the_autoscaler_chose_stays_until_it_is_told_to_sleep(
    cluster: LiveCluster, connection: Connection, namespace: str
) -> None:
    followed = put_into(namespace, deployment(FOLLOWED))
    name = (await cluster.apply(asleep(followed))).name
    await scale_as(connection, MANAGER, name, 4)
    await cluster.apply(followed)
    assert await size(cluster, name) == 4
    tried = await cluster.preview(asleep(followed))
    assert tried.after is not None
    assert (tried.objection, tried.after["spec"]["replicas"]) == ("", 0)
    assert await size(cluster, name) == 4
    await cluster.apply(asleep(followed))
    assert await size(cluster, name) == 0
    await cluster.apply(awake(followed, 3))
    assert await size(cluster, name) == 3


@pytest.mark.parametrize(
    ("who", "autoscaling"),
    [
        pytest.param(PERSON, RANGE, id="a person"),
        pytest.param(MANAGER, None, id="an autoscaler that is not ours"),
    ],
)
async def test_what_somebody_else_chose_is_told_and_not_overwritten(
    cluster: LiveCluster, connection: Connection, namespace: str, who: str, autoscaling: dict[str, int] | None
) -> None:
    found = put_into(namespace, awake(deployment(make_blueprint("service", autoscaling=autoscaling))))
    name = (await cluster.apply(asleep(found))).name
    await scale_as(connection, who, name, 4)
    with pytest.raises(Refused, match=rf"\.spec\.replicas .*{who}"):
        await cluster.apply(asleep(found))
    assert "others have changed" in (await cluster.preview(asleep(found))).objection
    assert await size(cluster, name) == 4
