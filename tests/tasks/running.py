"""Images run as the cluster runs them: another user than root, a read-only file system but for /tmp, no capabilities."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker
import httpx
from docker.models.containers import Container

from blocks.domain.release import Image


@dataclass(frozen=True)
class Running:
    """A container and the address that it listens on."""

    container: Container
    address: str

    def words(self) -> str:
        """What it said so far."""
        return str(self.container.logs().decode(errors="replace"))

    def ended(self) -> bool:
        """Whether it runs no more."""
        self.container.reload()
        return str(self.container.status) == "exited"

    def wait_for(self, path: str) -> httpx.Response:
        """The first good answer on the path, or an error with the container's words when it ends or takes two minutes."""
        for _ in range(600):
            try:
                answer = httpx.get(f"{self.address}{path}")
            except httpx.TransportError:
                answer = httpx.Response(503)
            if answer.status_code == 200 or self.ended():
                break
            time.sleep(0.2)
        if answer.status_code != 200:
            raise AssertionError(f"{path} answered {answer.status_code}: {self.words()[-2000:]}")
        return answer


@dataclass(frozen=True)
class Way:
    """How a container is run: files by the path they are mounted at, folders that are emptied, environment."""

    port: int
    files: Mapping[str, Path] = field(default_factory=dict)
    emptied: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def running(engine: docker.DockerClient, image: Image, way: Way) -> Iterator[Running]:
    """The image, running until the block ends; nothing of it stays on this machine."""
    pulled = engine.images.pull(image.repository, tag=image.digest)
    container = engine.containers.run(
        pulled,
        detach=True,
        network_mode="host",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": "", **dict.fromkeys(way.emptied, "")},
        volumes=[f"{source}:{path}:ro" for path, source in way.files.items()],
        environment={"PORT": str(way.port), **way.environment},
    )
    try:
        yield Running(container, f"http://127.0.0.1:{way.port}")
    finally:
        container.remove(force=True)
        engine.images.remove(str(pulled.id))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
