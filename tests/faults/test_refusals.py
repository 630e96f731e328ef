"""What a healthy cluster refuses, and what it holds on to: said with its own words, and with what to do. Asked of the real one."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator

import pytest

import blocks.cluster.going
from blocks.cluster.connection import Connection
from blocks.cluster.live import LiveCluster
from blocks.cluster.paths import Ask, path_of
from blocks.domain.errors import DoesNotFit, Refused, Transient
from blocks.domain.objects.blueprint import Object
from blocks.domain.objects.names import Name
from tests.blocks.cluster.conftest import make

pytestmark = pytest.mark.world
MERGE = "application/merge-patch+json"
# Seconds that the server may take to hear of something new, or a namespace to say what holds it, on a busy machine.
PATIENCE = 120


@pytest.fixture
async def held(real: LiveCluster, space: str, past: Connection) -> AsyncIterator[Name]:
    """A ConfigMap with a finalizer of a stranger's, which lets go of it at the end."""
    thing = make("ConfigMap", space, "held")
    thing["metadata"]["finalizers"] = ["test.example/hold"]
    await real.apply(thing)
    yield Name.of(thing)
    await past.ask(Ask("PATCH", path_of(Name.of(thing)), {}, {"metadata": {"finalizers": None}}, MERGE))


async def apply_many(real: LiveCluster, kind: str, space: str, **fields: object) -> None:
    """One object after the other, until the server has heard of what refuses it."""
    async with asyncio.timeout(PATIENCE):
        for number in itertools.count():
            await eventually_applied(real, make(kind, space, f"thing-{number}", **fields))


async def test_a_quota_that_leaves_no_room_is_said(real: LiveCluster, space: str) -> None:
    await real.apply(make("ResourceQuota", space, "quota", spec={"hard": {"count/configmaps": "2"}}))
    # The cluster puts one ConfigMap into every namespace by itself, before ours, between them or after; and counts a moment later.
    with pytest.raises(DoesNotFit, match="exceeded quota: quota, requested: count/configmaps=1") as raised:
        await apply_many(real, "ConfigMap", space)
    assert raised.value.hint == "ask for less, or have the namespace's quota raised"


async def test_a_pod_that_is_not_secure_is_said(real: LiveCluster, space: str) -> None:
    strict = make("Namespace", "", space)
    strict["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "restricted"
    await real.apply(strict)
    loose = {"containers": [{"name": "plugin", "image": "registry.test/none"}]}
    with pytest.raises(Refused, match=r'violates PodSecurity "restricted:latest": allowPrivilegeEscalation') as raised:
        await apply_many(real, "Pod", space, spec=loose)
    assert raised.value.hint == "the namespace enforces Pod Security: let the pod meet it, as the sentence says"


async def test_an_object_that_is_not_understood_is_refused_at_once(real: LiveCluster, space: str) -> None:
    with pytest.raises(Refused, match=r"\.colour: field not declared in schema"):
        await real.apply(make("ConfigMap", space, "strange", colour="red"))


async def test_a_namespace_that_does_not_go_is_said_with_what_holds_it(
    real: LiveCluster, space: str, held: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks.cluster.going, "GOING", 1)
    said = await what_holds(real, Name("Namespace", "", space))
    assert re.search(r"still there after 1 s: held by: .*test\.example/hold in 1 resource instances", said.message)
    assert said.hint == "take away what holds it, then retry"
    with pytest.raises(Transient, match=rf"namespace {space} because it is being terminated; held by: .*test\.example/hold"):
        await real.apply(make("ConfigMap", space, "late"))
    with pytest.raises(Refused, match=r"Namespace .* was told to go"):
        await real.apply(make("Namespace", "", space))


async def test_what_is_on_its_way_out_is_made_anew_once_it_is_gone(real: LiveCluster, held: Name, past: Connection) -> None:
    before = await real.read(held)
    assert before is not None
    assert (await past.ask(Ask("DELETE", path_of(held), {}, {}))).ok
    applying = asyncio.create_task(real.apply(make("ConfigMap", held.namespace, held.name, data={"colour": "red"})))
    await asyncio.wait({applying}, timeout=0.5)
    assert not applying.done()
    await past.ask(Ask("PATCH", path_of(held), {}, {"metadata": {"finalizers": None}}, MERGE))
    made = await applying
    assert (made.created, made.uid != before["metadata"]["uid"]) == (True, True)


async def eventually_applied(cluster: LiveCluster, wanted: Object) -> None:
    """The object stands; a quota that is not counted yet, or an account that is not made yet, is waited for."""
    while True:
        try:
            await cluster.apply(wanted)
        except Transient:
            await asyncio.sleep(0.05)
        else:
            return


async def what_holds(cluster: LiveCluster, name: Name) -> Refused:
    """What is said once the namespace, told to go again and again, says what holds it: 5 s after the first time, or later."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with pytest.raises(Refused) as raised:
                await cluster.remove(name, lambda _: True)
            if "held by" in raised.value.message:
                return raised.value
