"""Which release is installed, and everything it needs, locked."""

import json

from pydantic import TypeAdapter

from blocks.domain.manifest import InstallRequest, Runtime
from blocks.domain.recipe import LOCK_FILE, Recipe, count_packages, hash_inputs, write_project
from blocks.domain.release import Release, Resolution
from blocks.domain.resolution import Listing, Search, all_passed_over, begin, is_exact, learn, rank_candidates, tell_why
from blocks.ports.sources import Locked, ReleaseSource
from blocks.work import Work
from tasks.kinds import Undo, step

REMEMBERED = TypeAdapter(Resolution)
KIND = "resolution"


@step(Undo.NEEDLESS)
async def resolve(work: Work) -> Resolution:
    """The newest release that satisfies the request and whose dependencies are all published, or `Unresolvable`.

    An exact version that was resolved before is not asked for again; for a range the source is asked once, so that nothing newer is missed.
    """
    request = await work.request()
    source, recipe = await work.tools.sources.open(request.source), await work.tools.images.recipe(request.plugin.runtime.type)
    # What is published under a version stays the same; what lies in a folder may not.
    stays = is_exact(request.plugin.version) and request.plugin.runtime.type is not Runtime.SERVICE
    listing = None if stays else await source.releases(request.plugin.name)
    key = name_question(request, source, recipe, listing)
    if (known := await recall(work, key)) is not None:
        return known
    found = await find_release(work, source, recipe, listing or await source.releases(request.plugin.name))
    await work.tools.artefacts.keep(KIND, key, REMEMBERED.dump_json(found).decode())
    return found


def name_question(request: InstallRequest, source: ReleaseSource, recipe: Recipe, listing: Listing | None) -> str:
    """The key of all that the answer depends on; what the plugin is configured with is no part of it."""
    asked = {"source": source.address, "name": request.plugin.name, "version": request.plugin.version, "listing": repr(listing)}
    return hash_inputs(asked | dict(recipe.files))


async def recall(work: Work, key: str) -> Resolution | None:
    """The answer given before, if its lock is still in the storage."""
    text = await work.tools.artefacts.find(KIND, key)
    known = REMEMBERED.validate_json(text) if text else None
    return known if known and await work.tools.storage.has(known.lock) else None


async def find_release(work: Work, source: ReleaseSource, recipe: Recipe, listing: Listing) -> Resolution:
    """The best release of the listing, with its lock in the storage: a service's lock is its plugin.yaml, all others' is pnpm's."""
    wanted = (await work.request()).plugin.version
    search = begin(rank_candidates(listing, wanted))
    locked = await source.manifest(name_release(listing, search))
    if not locked:
        search, files = await lock_newest(work, source, recipe, (listing.name, search))
        locked = json.dumps(files, sort_keys=True)
    return Resolution(
        release=name_release(listing, search),
        lock=await work.tools.storage.put(locked),
        packages=count_packages(json.loads(locked)[LOCK_FILE]) if locked.startswith("{") else 0,
        why=tell_why(search, wanted),
        passed_over=all_passed_over(search),
    )


async def lock_newest(
    work: Work, source: ReleaseSource, recipe: Recipe, plugin: tuple[str, Search]
) -> tuple[Search, dict[str, str]]:
    """The search at its end and the project's files with their lock; every round gives up one release, so there is an end."""
    name, search = plugin
    while True:
        files = write_project(recipe, name, search)
        outcome = await work.tools.packages.lock(files, source.access)
        if isinstance(outcome, Locked):
            return search, files | {LOCK_FILE: outcome.lock}
        search = learn(search, name, outcome)


def name_release(listing: Listing, search: Search) -> Release:
    """The candidate as a release."""
    chosen = search.candidate
    return Release(listing.name, chosen.version, chosen.integrity, chosen.location)
