"""What every builder and registry promise together: the same tests for the fakes and for Docker Engine and the world's registry.

A test module gives the fixture `workshop`: a builder, a registry, and a repository that nobody else uses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from blocks.domain.errors import BuildFailed
from blocks.domain.manifest import Runtime
from blocks.ports.images import BuildOrder, ImageBuilder, ImageRegistry

DOCKERFILE = 'ARG NODE_IMAGE\nFROM ${NODE_IMAGE}\nCOPY text /plugin/text\nUSER 10001:10001\nENTRYPOINT ["node"]\n'


@dataclass(frozen=True)
class Workshop:
    """A builder, a registry, and where to put things."""

    builder: ImageBuilder
    registry: ImageRegistry
    repository: str

    def order(self, folder: Path, dockerfile: str = DOCKERFILE, labels: Mapping[str, str] | None = None) -> BuildOrder:
        """An order for an image with one text in it."""
        folder.mkdir(exist_ok=True)
        (folder / "Dockerfile").write_text(dockerfile)
        (folder / "text").write_text("text")
        return BuildOrder(folder, self.repository, "made", labels or {}, self.builder.bases)


class ImagesContract:
    """The promises."""

    async def test_what_was_built_is_in_the_registry(self, workshop: Workshop, tmp_path: Path) -> None:
        """Under its digest and its tag."""
        digest = await workshop.builder.build(workshop.order(tmp_path))
        assert digest.startswith("sha256:")
        assert await workshop.registry.has(workshop.repository, digest)
        assert await workshop.registry.digest(workshop.repository, "made") == digest
        assert await workshop.registry.tags(workshop.repository) == ("made",)

    async def test_what_was_deleted_is_gone(self, workshop: Workshop, tmp_path: Path) -> None:
        """With its tags, and deleting it again is nothing."""
        digest = await workshop.builder.build(workshop.order(tmp_path))
        for _ in range(2):
            await workshop.registry.delete(workshop.repository, digest)
        assert not await workshop.registry.has(workshop.repository, digest)
        assert await workshop.registry.digest(workshop.repository, "made") is None
        assert await workshop.registry.tags(workshop.repository) == ()

    async def test_knows_nothing_of_what_was_never_pushed(self, workshop: Workshop) -> None:
        """Neither image nor tag nor repository."""
        assert not await workshop.registry.has(workshop.repository, f"sha256:{'0' * 64}")
        assert await workshop.registry.digest(workshop.repository, "made") is None
        assert await workshop.registry.tags(workshop.repository) == ()

    @pytest.mark.parametrize(
        ("dockerfile", "said"),
        [
            pytest.param(DOCKERFILE.replace("COPY", "RUN exit 3\nCOPY"), "code: 3", id="a step that fails"),
            pytest.param(DOCKERFILE.replace("USER 10001:10001\n", ""), "runs as root", id="an image that runs as root"),
        ],
    )
    async def test_a_failed_build_says_why_and_pushes_nothing(
        self, workshop: Workshop, tmp_path: Path, dockerfile: str, said: str
    ) -> None:
        """With the build's last words."""
        with pytest.raises(BuildFailed, match=said):
            await workshop.builder.build(workshop.order(tmp_path, dockerfile))
        assert await workshop.registry.tags(workshop.repository) == ()

    async def test_every_runtime_has_a_recipe(self, workshop: Workshop) -> None:
        """With a Dockerfile."""
        for runtime in Runtime:
            assert "FROM ${NODE_IMAGE}" in (await workshop.builder.recipe(runtime)).file("Dockerfile")
