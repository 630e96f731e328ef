"""A builder on another machine keeps the same promises, and believes nobody without a certificate of its own authority."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from blocks.domain.errors import PipelineError, Refused, Transient
from blocks.image_builder import DockerBuilder
from blocks.image_registry import open_image_registry
from tests.blocks.images import ImagesContract, Workshop
from tests.blocks.test_image_builder import BASES
from tests.conftest import World

pytestmark = pytest.mark.world
NAMES = {"ca.pem": "docker-ca.crt", "cert.pem": "docker-client.crt", "key.pem": "docker-client.key"}


@pytest.fixture
def certificates(world: World, tmp_path: Path) -> Path:
    """What a run in a pod is given."""
    folder, pki = tmp_path / "certificates", Path(world.kubeconfig).parent
    folder.mkdir()
    for name, original in NAMES.items():
        shutil.copy(pki / original, folder / name)
    return folder


@pytest.fixture
async def workshop(world: World, certificates: Path, tmp_path: Path) -> AsyncIterator[Workshop]:
    """The world's engine by its TCP port; whatever a test leaves is taken away."""
    builder = DockerBuilder(world.builder, {"NODE_IMAGE": world.node_image}, certificates)
    async with open_image_registry(frozenset({world.registry})) as registry:
        made = Workshop(builder, registry, f"{world.registry}/tests/{tmp_path.name.replace('_', '-').lower()}")
        yield made
        for tag in await registry.tags(made.repository):
            await registry.delete(made.repository, await registry.digest(made.repository, tag) or "")


class TestRemote(ImagesContract):
    """Docker Engine over mutual TLS."""


def take_away(folder: Path) -> None:
    """A folder in which the key was forgotten."""
    (folder / "key.pem").unlink()


def show_a_strangers(folder: Path) -> None:
    """A certificate that nobody but its owner signed."""
    made = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"))
    asked = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=stranger")
    subprocess.run([*asked, *made], check=True, capture_output=True)


def believe_a_stranger(folder: Path) -> None:
    """An authority that the engine's certificate is not from."""
    kept = folder / "cert.pem", folder / "key.pem"
    before = [path.read_bytes() for path in kept]
    show_a_strangers(folder)
    shutil.copy(folder / "cert.pem", folder / "ca.pem")
    for path, content in zip(kept, before, strict=True):
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(show_a_strangers, "do not trust each other", id="a certificate of somebody else's"),
        pytest.param(believe_a_stranger, "do not trust each other", id="an engine of somebody else's"),
        pytest.param(take_away, "no usable certificates", id="no key"),
    ],
)
async def test_distrust_is_said_and_not_tried_again(
    workshop: Workshop, certificates: Path, tmp_path: Path, spoil: object, said: str
) -> None:
    """With where to look; another try cannot help."""
    assert callable(spoil)
    spoil(certificates)
    with pytest.raises(Refused, match=said) as refused:
        await workshop.builder.build(workshop.order(tmp_path / "context"))
    assert "DOCKER_CERT_PATH" in refused.value.hint


@pytest.mark.parametrize(
    ("address", "error"),
    [
        pytest.param("tcp://127.0.0.1:1", Transient, id="nobody listens"),
        pytest.param("builder", Refused, id="shown no certificate"),
    ],
)
async def test_a_builder_that_cannot_be_used_is_named(
    world: World, workshop: Workshop, tmp_path: Path, address: str, error: type[PipelineError]
) -> None:
    """By its address."""
    host = getattr(world, address, address) if address == "builder" else address
    order = replace(workshop.order(tmp_path / "context"), bases=BASES)
    with pytest.raises(error, match=host):
        await DockerBuilder(host, BASES).build(order)
