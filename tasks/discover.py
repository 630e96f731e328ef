"""New releases of what is watched: looked for, recorded, and asked for where a watch says so.

A watch that cannot be looked at keeps no other waiting: why is noted on it, and the next round tries again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from prefect import get_run_logger, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from blocks.catalog.discovered import Due
from blocks.catalog.requests import Asked
from blocks.discovery import Discovery
from blocks.domain.discover import ACTOR, ASKED, Finding, Sight, Wanted, discover
from blocks.domain.errors import PipelineError, RecordAway, Terminal
from blocks.domain.journal import Reason
from blocks.domain.manifest import Source
from blocks.domain.resolution import Listing
from blocks.domain.watch import Done, Watch
from tasks.kinds import PAUSES, worth_retrying

# So many questions are on their way to registries at once.
AT_ONCE = 4
# So many lines the account of a round has; each watch tells the rest itself.
LONGEST_ACCOUNT = 500


@dataclass(frozen=True)
class Look:
    """What came of looking at one watch: a sight or a problem."""

    watch: Watch
    sight: Sight = field(default_factory=Sight)
    problem: Reason | None = None


@task(
    name="list_releases",
    task_run_name="list {plugin}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=len(PAUSES),
    retry_delay_seconds=[*PAUSES],
    retry_condition_fn=worth_retrying,
)
async def list_releases(discovery: Discovery, turns: asyncio.Semaphore, source: Source, plugin: str) -> Listing:
    """Everything that the source has of the plugin; while it is waited for another try, others have their turn."""
    async with turns:
        return await (await discovery.open_source(source)).releases(plugin)


async def look_at_watches(discovery: Discovery, watch: UUID | None = None) -> list[Look]:
    """What came of looking at every watch that is enabled, or at this one; a source is asked once for all that watch the same plugin."""
    turns = asyncio.Semaphore(AT_ONCE)
    groups: dict[tuple[Source, str], list[Due]] = defaultdict(list)
    for due in await discovery.discoveries.due(watch):
        groups[due.source, due.watch.spot.plugin].append(due)
    rounds = (_look_together(discovery, turns, source, together) for (source, _), together in groups.items())
    # A round that breaks, because the record is away, is told once the others are through.
    ended = await asyncio.gather(*rounds, return_exceptions=True)
    looks: list[Look] = []
    for one in ended:
        if isinstance(one, BaseException):
            raise one
        looks += one
    return looks


async def report_discovery(looks: Sequence[Look]) -> None:
    """Keep the account of the round as a table artifact of this flow run; nothing depends on it."""
    table = [{"watch": str(one.watch.spot), "found": one.sight.found, "done": tell_look(one)} for one in looks]
    await acreate_table_artifact(key="discovery", table=table[:LONGEST_ACCOUNT], description=f"{len(looks)} watches looked at")


def tell_look(look: Look) -> str:
    """What was done, in one line."""
    if look.problem:
        return f"could not look: {look.problem.message}"
    told = (f"{one.version} {one.done.value}" + (f" ({one.why})" if one.why else "") for one in look.sight.findings)
    return "; ".join(told) or "nothing new"


async def _look_together(discovery: Discovery, turns: asyncio.Semaphore, source: Source, together: Iterable[Due]) -> list[Look]:
    """The looks of those that watch the same plugin in the same source."""
    first, *_ = together
    try:
        listing = await list_releases(discovery, turns, source, first.watch.spot.plugin)
    except Exception as problem:  # noqa: BLE001 (a mistake of ours with one registry must not keep the others waiting)
        return [await _give_up(discovery, due, problem) for due in together]
    return [await _look(discovery, due, listing) for due in together]


async def _look(discovery: Discovery, due: Due, listing: Listing) -> Look:
    try:
        return Look(due.watch, await consider(discovery, due, listing))
    except RecordAway:
        raise
    except Exception as problem:  # noqa: BLE001 (the same with one watch)
        return await _give_up(discovery, due, problem)


async def consider(discovery: Discovery, due: Due, listing: Listing) -> Sight:
    """What is new is recorded, and what is wanted was asked for; a run that is killed between the two finds what it asked for."""
    sight = discover(due.watch.terms, listing, await discovery.discoveries.known(due))
    if sight.wanted and due.installation:
        said = await _ask(discovery, due.watch, due.installation, sight.wanted)
        sight = replace(sight, findings=tuple(said if one.version == said.version else one for one in sight.findings))
    await discovery.discoveries.note(due.watch, sight)
    return sight


async def _ask(discovery: Discovery, watch: Watch, installation: UUID, wanted: Wanted) -> Finding:
    """The request made through the door that people use, once for a release; where it is refused now, it waits for the next round."""
    release, action = f"{watch.spot.plugin}@{wanted.version}", watch.terms.action
    why = f"watch {watch.id}, set by {watch.actor}, found {release}: {watch.reason}"
    by = Asked(ACTOR, f"{ACTOR}:{watch.id}:{action.value}:{release}:{wanted.occasion}", why, watch.actor)
    try:
        asked = await discovery.requests.request_release(installation, wanted.version, by, action.value)
    except Terminal as problem:
        return Finding(wanted.version, Done.WAITING, str(problem))
    return Finding(wanted.version, ASKED[action], operation=asked.operation)


async def _give_up(discovery: Discovery, due: Due, problem: Exception) -> Look:
    if isinstance(problem, PipelineError):
        reason = Reason(problem.code, problem.message, problem.hint)
    else:
        get_run_logger().error("watch %s of %s", due.watch.id, due.watch.spot, exc_info=problem)
        reason = Reason("untold", f"{type(problem).__name__}: {problem}", "the run's log has more")
    await discovery.discoveries.note_problem(due.watch, reason)
    return Look(due.watch, problem=reason)
