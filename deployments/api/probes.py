"""Whether the parts of the world answer, each asked with one small question."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from blocks.catalog.views import Wanted
from blocks.domain.errors import PipelineError, Transient
from deployments.api.ports import Probe, Views

# Seconds after which no answer is a no.
PATIENCE = 3.0


@dataclass(frozen=True)
class Answered:
    """What came of asking one component."""

    name: str
    reachable: bool
    message: str


async def ask_all(probes: Mapping[str, Probe]) -> tuple[Answered, ...]:
    """What came of asking every component at once."""
    return tuple(await asyncio.gather(*(ask_component(name, probe) for name, probe in probes.items())))


async def ask_component(name: str, probe: Probe) -> Answered:
    """What came of asking; no answer in time and an error are both a no, with a sentence."""
    try:
        async with asyncio.timeout(PATIENCE):
            return Answered(name, reachable=True, message=await probe())
    except TimeoutError:
        return Answered(name, reachable=False, message=f"no answer within {PATIENCE:.0f} seconds")
    except PipelineError as problem:
        return Answered(name, reachable=False, message=str(problem))


def record_probe(views: Views) -> Probe:
    """Asks the database for nothing, from the tables that are needed: it answers and it is migrated."""

    async def ask() -> str:
        await views.installations(Wanted(tenants=frozenset()), 1, None)
        return "answers"

    return ask


def page_probe(url: str, connect: Callable[[], httpx.AsyncClient]) -> Probe:
    """Asks for one page; any status below 500 is an answer, because a registry that wants a password is there."""

    async def ask() -> str:
        try:
            async with connect() as client:
                answer = await client.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise Transient(f"no answer from {url}", "see whether it runs") from problem
        if answer.is_server_error:
            raise Transient(f"{url} answers {answer.status_code}", "see its log")
        return "answers"

    return ask
