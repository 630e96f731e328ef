"""An API server that is busy, away, forgetful or breaks off: what cannot be had from a healthy one on demand."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from blocks.cluster.connection import Bounds, Connection, open_connection
from blocks.cluster.live import LiveCluster, open_cluster
from blocks.cluster.translate import Answer, refusal
from blocks.domain.errors import DoesNotFit, PipelineError, Refused, Transient, Unreachable
from blocks.domain.objects.names import Name
from blocks.ports.cluster import Sights, View
from tests.blocks.cluster.conftest import make
from tests.fakes.cluster import FakeCluster

NAMESPACE = Name("Namespace", "", "here")
TRIES = len(Bounds().pauses) + 1


@pytest.fixture
async def cluster(fake_connection: Connection) -> LiveCluster:
    """The fake alone, with a namespace."""
    cluster = LiveCluster(fake_connection)
    await cluster.apply(make("Namespace", "", "here"))
    return cluster


async def test_a_busy_server_is_asked_again(cluster: LiveCluster, fake: FakeCluster) -> None:
    fake.busy = TRIES - 1
    assert await cluster.read(NAMESPACE)
    assert fake.busy == 0


async def test_a_server_that_stays_busy_is_left_for_later(cluster: LiveCluster, fake: FakeCluster) -> None:
    fake.busy = TRIES
    with pytest.raises(Unreachable, match="too many requests"):
        await cluster.read(NAMESPACE)


async def waiting_for(cluster: LiveCluster, fake: FakeCluster, name: str) -> "asyncio.Task[bool | None]":
    """Somebody who waits for a ConfigMap of this name, and watches by now."""

    def is_there(seen: Sights) -> bool | None:
        return any(one["metadata"]["name"] == name for one in seen["it"]) or None

    waiting = asyncio.create_task(cluster.wait({"it": View("ConfigMap", "here")}, is_there, 30))
    while not fake.requests["WATCH configmaps"]:
        await asyncio.sleep(0.01)
    return waiting


async def test_a_stream_that_ends_goes_on_where_it_was(cluster: LiveCluster, fake: FakeCluster) -> None:
    waiting = await waiting_for(cluster, fake, "late")
    await cluster.apply(make("ConfigMap", "here", "early"))
    await fake.end_streams()
    await cluster.apply(make("ConfigMap", "here", "late"))
    assert await waiting
    assert fake.requests["WATCH configmaps"] > 1
    # One read of each object before it is applied, and one list.
    assert fake.requests["GET configmaps"] == 3


async def test_a_forgotten_version_is_listed_again(cluster: LiveCluster, fake: FakeCluster) -> None:
    waiting = await waiting_for(cluster, fake, "late")
    await fake.end_streams()
    fake.store.create(("configmaps", "here", "early"), make("ConfigMap", "here", "early"), "somebody")
    fake.store.create(("configmaps", "here", "late"), make("ConfigMap", "here", "late"), "somebody")
    fake.store.forget()
    assert await waiting
    assert fake.requests["GET configmaps"] == 2


async def test_a_broken_stream_goes_on(cluster: LiveCluster, fake: FakeCluster) -> None:
    counts: list[int] = []

    def are_three(seen: Sights) -> bool | None:
        counts.append(len(seen["it"]))
        return len(seen["it"]) == 3 or None

    waiting = asyncio.create_task(cluster.wait({"it": View("ConfigMap", "here")}, are_three, 30))
    for name in ("one", "two", "three"):
        await cluster.apply(make("ConfigMap", "here", name))
        fake.break_streams()
    assert await waiting


async def test_what_changes_between_look_and_delete_is_looked_at_again(cluster: LiveCluster, fake: FakeCluster) -> None:
    await cluster.apply(make("ConfigMap", "here", "moving"))
    looks: list[str] = []

    def is_ours(live: dict[str, object]) -> bool:
        looks.append("look")
        if len(looks) == 1:
            fake.store.set_status(("configmaps", "here", "moving"), {"touched": True})
        return len(looks) < 2

    assert not await cluster.remove(Name("ConfigMap", "here", "moving"), is_ours)
    assert await cluster.read(Name("ConfigMap", "here", "moving"))


async def test_what_is_held_by_a_finalizer_is_waited_for(cluster: LiveCluster, fake: FakeCluster) -> None:
    held = make("ConfigMap", "here", "held")
    held["metadata"]["finalizers"] = ["test/hold"]
    await cluster.apply(held)
    removing = asyncio.create_task(cluster.remove(Name("ConfigMap", "here", "held"), lambda _: True))
    while "deletionTimestamp" not in fake.store.objects["configmaps", "here", "held"]["metadata"]:
        await asyncio.sleep(0.01)
    assert not removing.done()
    fake.store.objects["configmaps", "here", "held"]["metadata"]["finalizers"] = []
    fake.store.delete(("configmaps", "here", "held"))
    assert await removing


async def test_a_closed_port_is_worth_another_try(tmp_path: Path) -> None:
    gone = FakeCluster()
    gone.address = "http://127.0.0.1:1"
    async with open_cluster(gone.kubeconfig(tmp_path)) as cluster:
        with pytest.raises(Unreachable, match="does not answer"):
            await cluster.read(NAMESPACE)
        with pytest.raises(Unreachable, match="does not answer"):
            await cluster.wait({"it": View("Pod", "here")}, lambda _: None, 30)


@pytest.mark.parametrize("text", [pytest.param(None, id="no file"), pytest.param("{}", id="an empty one")])
async def test_access_that_cannot_be_read_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Refused, match="no usable access"):
        async with open_connection(path):
            pass


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(Answer(401, {}), Refused, id="unknown credentials are refused"),
        pytest.param(Answer(403, {"message": "pods is forbidden"}), Refused, id="forbidden is refused"),
        pytest.param(Answer(403, {"message": "exceeded quota: quota, requested: pods=1"}), DoesNotFit, id="quota does not fit"),
        pytest.param(
            Answer(403, {"details": {"causes": [{"reason": "NamespaceTerminating"}]}}),
            Transient,
            id="a namespace on its way out is waited for",
        ),
        pytest.param(Answer(422, {"message": "spec: Invalid value"}), Refused, id="invalid is refused"),
        pytest.param(
            Answer(403, {"message": "status unknown for quota: quota, resources: pods"}),
            Transient,
            id="an uncounted quota is waited for",
        ),
        pytest.param(
            Answer(403, {"message": 'pods "a" is forbidden: violates PodSecurity "restricted:latest"'}),
            Refused,
            id="an insecure pod is refused",
        ),
        pytest.param(Answer(409, {}), Transient, id="a lost race is tried again"),
        pytest.param(Answer(429, {}, 7), Unreachable, id="busy is tried again"),
        pytest.param(Answer(503, {}), Unreachable, id="broken is tried again"),
        pytest.param(
            Answer(500, {"message": "failed to create typed patch object (a/b; v1): .colour: field not declared in schema"}),
            Refused,
            id="what is not understood is refused",
        ),
    ],
)
def test_every_no_has_its_kind(answer: Answer, kind: type[PipelineError]) -> None:
    problem = refusal(answer, "apply Pod a/b")
    assert type(problem) is kind
    assert answer.sentence in problem.message


async def test_a_server_that_is_not_the_trusted_one_is_refused(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    stranger = FakeCluster()
    stranger.address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with open_cluster(stranger.kubeconfig(tmp_path)) as cluster:
        with pytest.raises(Refused, match="is not the one that the kubeconfig trusts"):
            await cluster.read(NAMESPACE)
    server.close()
