"""What build needs from outside: a builder that makes and pushes images, and the registry that holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from blocks.domain.manifest import Runtime
from blocks.domain.recipe import Recipe


@dataclass(frozen=True)
class BuildOrder:
    """An image to build: the folder with its Dockerfile, where it goes (`registry/path`, tag), its labels, its base images by argument."""

    folder: Path
    repository: str
    tag: str
    labels: Mapping[str, str]
    bases: Mapping[str, str]


class ImageBuilder(Protocol):
    """Makes images without a network and puts them into the registry."""

    @property
    def bases(self) -> Mapping[str, str]:
        """Build argument → base image, as configured."""
        ...

    async def recipe(self, runtime: Runtime) -> Recipe:
        """The files that images of the runtime are made with."""
        ...

    async def build(self, order: BuildOrder) -> str:
        """The digest of the image, built and pushed; or `BuildFailed` with the build's last words, `Refused` or `Transient`."""
        ...


class ImageRegistry(Protocol):
    """The registry, asked about images; `repository` is `registry/path`."""

    async def has(self, repository: str, digest: str) -> bool:
        """Whether the registry holds the image, or `Transient` if it does not answer: not knowing is not having."""
        ...

    async def digest(self, repository: str, tag: str) -> str | None:
        """The digest that the tag stands for now, if there is one."""
        ...

    async def delete(self, repository: str, digest: str) -> None:
        """Remove the image and its tags; nothing happens if it is not there."""
        ...

    async def tags(self, repository: str) -> tuple[str, ...]:
        """The tags of the repository, sorted; none if it does not exist."""
        ...
