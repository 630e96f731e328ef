"""Everything the image is made of, fetched and verified, in one folder: after this, nothing asks the network for it again."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from blocks.domain.errors import BuildFailed, IntegrityMismatch, Refused
from blocks.domain.integrity import is_weak
from blocks.domain.manifest import Runtime
from blocks.domain.plugin_yaml import read_plugin_yaml
from blocks.domain.recipe import (
    DOCKERFILE,
    LOCK_FILE,
    Recipe,
    hash_inputs,
    locked_integrity,
    object_to,
    write_entrypoint,
    write_programs,
)
from blocks.domain.release import Materials, Release, Resolution
from blocks.ports.sources import ReleaseSource
from blocks.storage import read_file, write_files
from blocks.work import Work
from tasks.kinds import Undo, step

CONTEXT, ARCHIVE = "context", "release.tgz"


@step(Undo.NEEDLESS)
async def fetch(work: Work, resolution: Resolution) -> Materials:
    """The build context of the release, verified to the last package; what was fetched before is not fetched again."""
    return await gather(work, resolution)


async def gather(work: Work, resolution: Resolution) -> Materials:
    """The materials, from the storage or fetched now; `IntegrityMismatch` or `Transient`, and then nothing half-done stays."""
    request = await work.request()
    recipe = await work.tools.images.recipe(request.plugin.runtime.type)
    key = name_inputs(resolution, recipe, await pin_bases(work))
    folder = await work.tools.storage.find_folder(key)
    if folder is None:
        async with work.tools.storage.make_folder(key) as growing:
            fill = fill_service if recipe.runtime == Runtime.SERVICE else fill_packages
            await fill(work, resolution, recipe, growing)
        folder = await work.tools.storage.find_folder(key)
    return Materials(key, str((folder or Path()) / CONTEXT), resolution.packages)


def name_inputs(resolution: Resolution, recipe: Recipe, bases: Mapping[str, str]) -> str:
    """The key of everything that goes into the image."""
    release = resolution.release
    chosen = {"name": release.name, "version": release.version, "integrity": release.integrity, "lock": resolution.lock}
    return hash_inputs({"runtime": recipe.runtime} | chosen | dict(recipe.files) | dict(bases))


async def pin_bases(work: Work) -> dict[str, str]:
    """Build argument → base image, by the digest that its name stands for now; `Refused` if there is no such image."""
    return {argument: await pin(work, argument, image) for argument, image in work.tools.images.bases.items()}


async def pin(work: Work, argument: str, image: str) -> str:
    """The image by its digest."""
    name, _, tag = image.rpartition(":")
    if "@sha256:" in image:
        return image
    if not name or "/" in tag:
        raise Refused(f"{argument} is {image or 'not set'}", f"set {argument} to an image with a tag or a digest")
    digest = await work.tools.registry.digest(name, tag)
    if digest is None:
        raise Refused(f"the base image {image} is not in its registry", f"push it there, or set {argument} to another one")
    return f"{name}@{digest}"


async def fill_packages(work: Work, resolution: Resolution, recipe: Recipe, folder: Path) -> None:
    """The plugin's own archive, checked by us, and all packages, checked by pnpm against the lock."""
    release = resolution.release
    project = json.loads(await work.tools.storage.get(resolution.lock))
    refuse_other_lock(release, project[LOCK_FILE])
    source = await work.tools.sources.open((await work.request()).source)
    await source.fetch(release, folder / ARCHIVE)
    await work.tools.packages.install(project, source.access, folder / CONTEXT)
    await asyncio.to_thread(write_files, folder / CONTEXT, write_programs(recipe, release.name))


def refuse_other_lock(release: Release, lock: str) -> None:
    """`IntegrityMismatch` if the lock names another checksum for the plugin than the listing did: then they are not the same archive."""
    locked = locked_integrity(lock, release.name, release.version)
    if locked != release.integrity and not is_weak(release.integrity):
        raise IntegrityMismatch(
            f"the lock holds {locked or 'no checksum'} for {release.name} {release.version}, the registry listed {release.integrity}",
            "start the installation again; if it stays so, tell whoever runs the registry",
        )


async def fill_service(work: Work, resolution: Resolution, recipe: Recipe, folder: Path) -> None:
    """The service's own folder and, unless it brings its own, a Dockerfile for its start command."""
    source: ReleaseSource = await work.tools.sources.open((await work.request()).source)
    await source.fetch(resolution.release, folder / CONTEXT)
    own = await asyncio.to_thread(read_file, folder / CONTEXT / DOCKERFILE)
    if own:
        refuse_dockerfile(own)
        return
    start = read_plugin_yaml((await work.tools.storage.get(resolution.lock)).decode()).start
    if not start:
        raise BuildFailed(
            "the folder has neither a Dockerfile nor a start command", "write start: [node, server.mjs] into plugin.yaml"
        )
    await asyncio.to_thread(write_files, folder / CONTEXT, {DOCKERFILE: write_entrypoint(recipe.file(DOCKERFILE), start)})


def refuse_dockerfile(text: str) -> None:
    """`BuildFailed` with every objection to a service's own Dockerfile."""
    if objections := object_to(text):
        raise BuildFailed(
            f"the Dockerfile may not be built: {'; '.join(objections)}", "builds have no network; COPY what is needed"
        )
