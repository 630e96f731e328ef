"""What an API server promises us, asked of the fake and of the real one alike."""

import asyncio

import pytest

from blocks.cluster.connection import Connection
from blocks.cluster.live import LiveCluster
from blocks.cluster.paths import Ask, path_of
from blocks.domain.errors import Refused
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from blocks.ports.cluster import Notice, Sights, View
from tests.blocks.cluster.conftest import make

APPLY = "application/apply-patch+yaml"


def settings(namespace: str, **data: str) -> Object:
    return make("ConfigMap", namespace, "settings", data=data)


def named(namespace: str) -> Name:
    return Name("ConfigMap", namespace, "settings")


async def change_as(connection: Connection, who: str, changed: Object) -> None:
    query = {"fieldManager": who, "force": "true"}
    bare = {key: changed["metadata"][key] for key in ("name", "namespace")}
    answer = await connection.ask(Ask("PATCH", path_of(Name.of(changed)), query, changed | {"metadata": bare}, APPLY))
    assert answer.ok, answer.sentence


async def test_applying_creates_once_and_then_finds(cluster: LiveCluster, namespace: str) -> None:
    first = await cluster.apply(settings(namespace, colour="red"))
    second = await cluster.apply(settings(namespace, colour="red"))
    assert (first.created, second.created, first.uid) == (True, False, second.uid)


async def test_applying_the_same_again_changes_nothing(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    before = await cluster.read(named(namespace))
    await cluster.apply(settings(namespace, colour="red"))
    assert await cluster.read(named(namespace)) == before


async def test_what_is_no_longer_wanted_goes(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red", shape="round"))
    await cluster.apply(settings(namespace, colour="blue"))
    live = await cluster.read(named(namespace))
    assert live is not None
    assert live["data"] == {"colour": "blue"}


async def test_a_field_that_others_changed_is_named_and_not_overwritten(
    cluster: LiveCluster, connection: Connection, namespace: str
) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    await change_as(connection, "somebody", settings(namespace, colour="green"))
    with pytest.raises(Refused, match=r"\.data\.colour .*somebody"):
        await cluster.apply(settings(namespace, colour="red"))
    live = await cluster.read(named(namespace))
    assert live is not None
    assert live["data"] == {"colour": "green"}


async def test_a_field_that_others_added_stays(cluster: LiveCluster, connection: Connection, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    await change_as(connection, "somebody", settings(namespace, shape="round"))
    await cluster.apply(settings(namespace, colour="blue"))
    live = await cluster.read(named(namespace))
    assert live is not None
    assert live["data"] == {"colour": "blue", "shape": "round"}


async def test_somebody_elses_object_is_refused_by_name(cluster: LiveCluster, connection: Connection, namespace: str) -> None:
    await change_as(connection, "somebody", settings(namespace, colour="red"))
    with pytest.raises(Refused, match=f"ConfigMap {namespace}/settings is there already and is not ours"):
        await cluster.apply(settings(namespace, colour="red"))


async def test_who_made_an_object_is_kept(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    later = settings(namespace, colour="blue")
    later["metadata"]["labels"]["plugin-pipeline.io/operation"] = "op-2"
    await cluster.apply(later)
    live = await cluster.read(named(namespace))
    assert live is not None
    assert live["metadata"]["labels"]["plugin-pipeline.io/operation"] == "op-1"


async def test_what_never_changes_refuses_a_change(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red") | {"immutable": True})
    with pytest.raises(Refused, match="immutable"):
        await cluster.apply(settings(namespace, colour="blue") | {"immutable": True})


async def test_nothing_goes_into_a_namespace_that_is_not_there(cluster: LiveCluster) -> None:
    with pytest.raises(Refused, match="not found"):
        await cluster.apply(settings("nowhere", colour="red"))


async def test_removing_takes_away_what_is_ours(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    assert await cluster.remove(named(namespace), lambda _: True)
    assert await cluster.read(named(namespace)) is None


@pytest.mark.parametrize("there", [pytest.param(True, id="not ours stays"), pytest.param(False, id="not there is no error")])
async def test_removing_leaves_the_rest(cluster: LiveCluster, namespace: str, *, there: bool) -> None:
    if there:
        await cluster.apply(settings(namespace, colour="red"))
    assert not await cluster.remove(named(namespace), lambda _: False)
    assert (await cluster.read(named(namespace)) is not None) is there


async def test_a_namespace_goes_with_what_is_in_it(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    assert await cluster.remove(Name("Namespace", "", namespace), lambda _: True)
    assert await cluster.read(named(namespace)) is None


async def test_finding_chooses_by_label(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    ours = View("ConfigMap", namespace, labels={"plugin-pipeline.io/operation": "op-1"})
    others = View("ConfigMap", namespace, labels={"plugin-pipeline.io/operation": "op-2"})
    assert [Name.of(one) for one in await cluster.find(ours)] == [named(namespace)]
    assert await cluster.find(others) == []


async def test_waiting_sees_what_is_there_and_what_comes(cluster: LiveCluster, namespace: str) -> None:
    colours: list[str] = []

    def is_blue(seen: Sights) -> str | None:
        colours.extend(one["data"]["colour"] for one in seen["it"])
        return "blue" if "blue" in colours else None

    await cluster.apply(settings(namespace, colour="red"))
    view = View("ConfigMap", namespace, fields={"metadata.name": "settings"})
    waiting = asyncio.create_task(cluster.wait({"it": view}, is_blue, 30))
    while "red" not in colours:
        await asyncio.sleep(0.01)
    await cluster.apply(settings(namespace, colour="blue"))
    assert await waiting == "blue"


async def test_waiting_sees_what_goes(cluster: LiveCluster, namespace: str) -> None:
    await cluster.apply(settings(namespace, colour="red"))
    seen_once = asyncio.Event()

    def is_gone(seen: Sights) -> bool | None:
        seen_once.set()
        return not seen["it"] or None

    view = View("ConfigMap", namespace, fields={"metadata.name": "settings"})
    waiting = asyncio.create_task(cluster.wait({"it": view}, is_gone, 30))
    await seen_once.wait()
    await cluster.remove(named(namespace), lambda _: True)
    assert await waiting


async def test_waiting_ends_without_a_decision(cluster: LiveCluster, namespace: str) -> None:
    def never(_: Sights) -> bool | None:
        return None

    assert await cluster.wait({"it": View("ConfigMap", namespace)}, never, 0.3) is None


async def test_an_event_of_ours_is_found_beside_its_object(cluster: LiveCluster, namespace: str) -> None:
    about = await cluster.read(Name("Namespace", "", namespace))
    assert about is not None
    await cluster.tell(about, Notice("Provisioned", "Provision", "it stands"))
    event, *_ = [one for one in await cluster.find(View("Event", namespace)) if one["reason"] == "Provisioned"]
    assert (event["note"], event["regarding"]["name"], event["type"]) == ("it stands", namespace, "Normal")


async def test_what_is_served_is_known_by_its_group(cluster: LiveCluster) -> None:
    served = await cluster.groups()
    assert {"apps", "gateway.networking.k8s.io"} <= served
    assert "nothing.of.the.kind" not in served


async def test_of_a_kind_that_is_not_served_there_is_nothing(cluster: LiveCluster, namespace: str) -> None:
    """No cluster of ours has Linkerd; taking a plugin away looks for what a cluster that has it would hold."""
    assert await cluster.find(View("Server", namespace)) == []
