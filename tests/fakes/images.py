"""A builder and a registry in memory: they keep what real ones promise (see tests/blocks/images.py) and count what they are asked."""

import hashlib
from collections import Counter
from collections.abc import Mapping

from blocks.build_context import open_context
from blocks.domain.errors import BuildFailed, PipelineError
from blocks.domain.manifest import Runtime
from blocks.domain.recipe import DOCKERFILE, Recipe
from blocks.image_builder import read_template
from blocks.ports.images import BuildOrder


class MemoryRegistry:
    """Images by repository: tag → digest."""

    def __init__(self) -> None:
        self.images: dict[str, dict[str, str]] = {}
        self.calls: Counter[str] = Counter()

    async def has(self, repository: str, digest: str) -> bool:
        self.calls["has"] += 1
        return digest in self.images.get(repository, {}).values()

    async def digest(self, repository: str, tag: str) -> str | None:
        self.calls["digest"] += 1
        return self.images.get(repository, {}).get(tag)

    async def delete(self, repository: str, digest: str) -> None:
        self.calls["delete"] += 1
        held = self.images.get(repository, {})
        self.images[repository] = {tag: other for tag, other in held.items() if other != digest}

    async def tags(self, repository: str) -> tuple[str, ...]:
        return tuple(sorted(self.images.get(repository, {})))


class MemoryBuilder:
    """Builds whatever has a Dockerfile; the digest is that of what goes in. The next `failures` are raised first."""

    def __init__(self, registry: MemoryRegistry, bases: Mapping[str, str]) -> None:
        self._registry, self.bases = registry, bases
        self.built: list[BuildOrder] = []
        self.failures: list[PipelineError] = []

    async def recipe(self, runtime: Runtime) -> Recipe:
        return Recipe(runtime, read_template(runtime))

    async def build(self, order: BuildOrder) -> str:
        self.built.append(order)
        if self.failures:
            raise self.failures.pop(0)
        dockerfile = order.folder / DOCKERFILE
        if not dockerfile.is_file() or "RUN exit" in dockerfile.read_text():
            raise BuildFailed("the image could not be built: returned a non-zero code: 3")
        if "USER" not in dockerfile.read_text():
            raise BuildFailed("the image runs as root")
        with open_context(order.folder) as context:
            content = hashlib.sha256(context.read() + repr(sorted(order.labels.items())).encode()).hexdigest()
        digest = f"sha256:{content}"
        self._registry.images.setdefault(order.repository, {})[order.tag] = digest
        return digest
