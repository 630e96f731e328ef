"""Docker Engine and the world's registry keep the promises, as the fakes do; and a build leaves nothing behind on this machine."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError

from blocks.domain.errors import BuildFailed, Transient
from blocks.image_builder import DockerBuilder
from blocks.image_registry import open_image_registry
from tests.blocks.images import DOCKERFILE, ImagesContract, Workshop
from tests.conftest import World
from tests.fakes.images import MemoryBuilder, MemoryRegistry

BASES = {"NODE_IMAGE": f"registry.test/node@sha256:{'1' * 64}"}


class TestFakes(ImagesContract):
    """In memory."""

    @pytest.fixture
    def workshop(self) -> Workshop:
        registry = MemoryRegistry()
        return Workshop(MemoryBuilder(registry, BASES), registry, "registry.test/plugin")


@pytest.fixture
async def real(world: World) -> AsyncIterator[Workshop]:
    """The world's engine and registry; whatever a test leaves is taken away."""
    builder = DockerBuilder(world.docker_host, {"NODE_IMAGE": world.node_image})
    async with open_image_registry(frozenset({world.registry})) as registry:
        workshop = Workshop(builder, registry, f"{world.registry}/tests/{secrets.token_hex(6)}")
        yield workshop
        for tag in await registry.tags(workshop.repository):
            await registry.delete(workshop.repository, await registry.digest(workshop.repository, tag) or "")


@pytest.mark.world
class TestReal(ImagesContract):
    """Docker Engine and the distribution registry."""

    @pytest.fixture
    def workshop(self, real: Workshop) -> Workshop:
        return real


@pytest.fixture
def engine(world: World) -> Iterator[docker.DockerClient]:
    """The engine, asked directly."""
    client = docker.DockerClient(base_url=world.docker_host)
    yield client
    client.close()


def count_cache(engine: docker.DockerClient) -> list[dict[str, Any]]:
    """The records of the build cache; the engine counts for one asker at a time, and a build may be asking now."""
    for _ in range(100):
        try:
            return list(engine.api.df()["BuildCache"] or [])  # an engine that never built says null
        except APIError as problem:
            if "already running" not in str(problem.explanation):
                raise
        time.sleep(0.1)
    pytest.fail("the engine is busy with counting")


def inventory(engine: docker.DockerClient, *, held: bool = True) -> set[str]:
    """Every image, container and record of the build cache that a build of these tests may have made; by choice without what is held."""
    images = {str(one) for one in engine.api.images(quiet=True, all=True)}
    records = {str(one["ID"]) for one in count_cache(engine) if held or not one["InUse"]}
    return images | records | {str(one["Id"]) for one in engine.api.containers(all=True) if one["State"] != "running"}


@pytest.mark.world
@pytest.mark.parametrize(
    ("dockerfile", "fails"),
    [
        pytest.param(DOCKERFILE, False, id="after an image was pushed"),
        pytest.param(DOCKERFILE.replace("COPY", "RUN mkdir /a\nRUN exit 3\nCOPY"), True, id="after a step failed"),
        pytest.param(DOCKERFILE.replace("USER 10001:10001\n", ""), True, id="after an image was refused"),
    ],
)
async def test_nothing_stays_on_this_machine(
    real: Workshop, engine: docker.DockerClient, tmp_path: Path, dockerfile: str, *, fails: bool
) -> None:
    """Neither image nor layer nor container, nor anything in the build cache."""
    before = inventory(engine)
    try:
        await real.builder.build(real.order(tmp_path, dockerfile))
        failed = False
    except BuildFailed:
        failed = True
    assert failed is fails
    assert inventory(engine) <= before


@pytest.mark.world
async def test_builds_have_no_network(real: Workshop, tmp_path: Path) -> None:
    """Not even the machine's own addresses: the only interface is the loopback's."""
    look = "RUN test \"$(cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' ')\" = lo\n"
    assert await real.builder.build(real.order(tmp_path, DOCKERFILE.replace("COPY", f"{look}COPY")))
    fetch = (
        "RUN node -e \"require('net').connect(5000, '10.244.0.1').on('error', e => { console.log(e.code); process.exit(7) })\"\n"
    )
    with pytest.raises(BuildFailed, match=r"ENETUNREACH.*code: 7"):
        await real.builder.build(real.order(tmp_path, DOCKERFILE.replace("COPY", f"{fetch}COPY")))


@pytest.mark.world
async def test_images_carry_their_labels_and_a_numbered_user(real: Workshop, engine: docker.DockerClient, tmp_path: Path) -> None:
    """As the registry holds them."""
    order = real.order(tmp_path, labels={"org.opencontainers.image.version": "1.0.0"})
    digest = await real.builder.build(order)
    image = engine.images.pull(real.repository, tag=digest)
    try:
        assert image.attrs["Config"]["User"] == "10001:10001"
        assert image.labels["org.opencontainers.image.version"] == "1.0.0"
    finally:
        engine.images.remove(str(image.id))


@pytest.mark.world
async def test_says_when_the_push_fails(real: Workshop, engine: docker.DockerClient, tmp_path: Path) -> None:
    """A registry that is away may come back; nothing stays of the image either."""
    before = inventory(engine)
    order = replace(real.order(tmp_path), repository="127.0.0.1:1/tests/nowhere")
    with pytest.raises(Transient, match="could not be pushed"):
        await real.builder.build(order)
    assert inventory(engine) <= before


@pytest.mark.world
async def test_builds_do_not_trouble_each_other(real: Workshop, engine: docker.DockerClient, tmp_path: Path) -> None:
    """Each takes away what it made, and nothing that another one needs."""
    before = inventory(engine)
    texts = ("a", "b", "c")
    orders = [
        replace(real.order(tmp_path / text, DOCKERFILE.replace("COPY", f"RUN echo {text}; sleep 0.{n}\nCOPY")), tag=text)
        for n, text in enumerate(texts)
    ]
    await asyncio.gather(*(real.builder.build(order) for order in orders))
    assert await real.registry.tags(real.repository) == texts
    # With builds side by side, BuildKit of Docker Engine 20.10 itself rarely forgets to let go of a record until it starts again.
    assert inventory(engine, held=False) <= before


async def test_says_when_there_is_no_engine(tmp_path: Path) -> None:
    """It may come back."""
    builder = DockerBuilder(f"unix://{tmp_path}/docker.sock", BASES)
    with pytest.raises(Transient, match="does not answer"):
        await builder.build(Workshop(builder, MemoryRegistry(), "registry.test/x").order(tmp_path / "context"))


@pytest.mark.world
async def test_a_stopped_build_cleans_up(real: Workshop, engine: docker.DockerClient, tmp_path: Path) -> None:
    """The thread ends at the engine's next word, and takes everything away."""
    before = inventory(engine)
    slow = DOCKERFILE.replace("COPY", "RUN for i in $(seq 120); do echo $i; sleep 0.5; done\nCOPY")
    building = asyncio.create_task(real.builder.build(real.order(tmp_path, slow)))
    async with asyncio.timeout(60):
        while not [one for one in count_cache(engine) if one["InUse"] and "sleep 0.5" in one["Description"]]:
            await asyncio.sleep(0.05)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    async with asyncio.timeout(60):
        while not inventory(engine) <= before:
            await asyncio.sleep(0.1)
    assert await real.registry.tags(real.repository) == ()
