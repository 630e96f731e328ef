"""The image of the plugin, built without a network, pushed, and from here on named by its digest alone."""

from pathlib import Path

from blocks.domain.errors import PlanStale
from blocks.domain.recipe import label_image, name_image, tag_image
from blocks.domain.release import Image, Materials, Resolution
from blocks.ports.images import BuildOrder
from blocks.work import Work
from tasks.fetch import gather, pin_bases
from tasks.kinds import Undo, step

KIND = "image"


@step(Undo.COMPENSATABLE)
async def build(work: Work, resolution: Resolution, materials: Materials) -> Image:
    """The image made of these materials; what was built before is used as long as the registry still has it."""
    repository = name_image(work.tools.settings.registry, resolution.release.name)
    name = name_memory(repository, materials)
    known = await work.tools.artefacts.find(KIND, name)
    if known and await work.tools.registry.has(repository, known):
        return Image(repository, known, materials.key)
    digest = await work.tools.images.build(await place_order(work, resolution, materials))
    await work.tools.artefacts.keep(KIND, name, digest)
    return Image(repository, digest, materials.key)


@build.undo
async def remove_image(work: Work, resolution: Resolution, materials: Materials) -> None:
    """Remove the image that this operation pushed, unless a revision uses it; an image that was there before stays.

    A worker may have died between pushing and remembering: then only the tag tells of the image, and nobody else knows it either.
    """
    repository = name_image(work.tools.settings.registry, resolution.release.name)
    name = name_memory(repository, materials)
    remembered = await work.tools.artefacts.find(KIND, name)
    if remembered and not await work.tools.artefacts.made_here(KIND, name):
        return
    digest = remembered or await work.tools.registry.digest(repository, tag_image(materials.key))
    if digest and not await work.tools.artefacts.used(Image(repository, digest, materials.key).pinned):
        await work.tools.registry.delete(repository, digest)


def name_memory(repository: str, materials: Materials) -> str:
    """What an image is remembered by: where it is and what it was made of."""
    return f"{repository} {materials.key}"


async def place_order(work: Work, resolution: Resolution, materials: Materials) -> BuildOrder:
    """What the builder is told; materials that were cleaned away meanwhile are fetched again."""
    bases, again = await pin_bases(work), await gather(work, resolution)
    if again.key != materials.key:
        raise PlanStale("a base image or a recipe changed after the plugin was fetched", "start the installation again")
    repository = name_image(work.tools.settings.registry, resolution.release.name)
    labels = label_image(resolution.release, materials.key, bases["NODE_IMAGE"])
    return BuildOrder(Path(again.folder), repository, tag_image(materials.key), labels, bases)
