"""What it costs that a step is remembered: an operation of twelve steps that do nothing ÷ a bare Prefect flow of the same steps.

Ours is everything from the call of the flow to its end: the tools are opened, the lease is taken and given back, each step is read up,
intended and done. `python -m tests.bench.bookkeeping 20` measures so many pairs, turn and turn about, and says them as JSON.
"""

import asyncio
import json
import sys
import time
from types import FunctionType
from uuid import UUID

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Asked, Requests
from blocks.settings import Settings, read_settings
from blocks.work import Work
from tasks.carry import carry
from tasks.kinds import Step, Undo, step
from tests.bench.apart import empty_memory, run_apart
from tests.bench.figures import Figure
from tests.builders import make_request

STEPS = 12
PAIRS = 20


async def nothing(work: Work, number: int) -> int:
    """The number."""
    return number


def named(number: int) -> Step[[int], int]:
    """A step of its own that does nothing, as a story has twelve different ones."""
    copied = FunctionType(nothing.__code__, globals(), f"nothing_{number}")
    copied.__annotations__ = nothing.__annotations__
    return step(Undo.NEEDLESS)(copied)


ALL = tuple(named(number) for number in range(STEPS))


@task(name="nothing", cache_policy=NO_CACHE, persist_result=False)
async def bare_nothing(number: int) -> int:
    """The number."""
    return number


async def tell(work: Work) -> None:
    """Twelve steps, one after the other."""
    for number, each in enumerate(ALL):
        await each(work, number)


@flow(name="bench-journaled")
async def journaled(operation: UUID, settings: Settings) -> State[None]:
    """The operation, carried like any other."""
    return await carry(operation, settings, tell, ALL)


@flow(name="bench-bare")
async def bare() -> None:
    """The same steps, remembered by nobody."""
    for number in range(STEPS):
        await bare_nothing(number)


async def measure() -> list[Figure]:
    """The ratio on each kind of record."""
    return [await measure_on(kind) for kind in ("postgresql", "sqlite")]


async def measure_on(kind: str) -> Figure:
    """The ratio on this kind of record."""
    async with empty_memory(read_settings(), kind) as memory:
        pairs = await run_apart(memory, "tests.bench.bookkeeping", str(PAIRS))
    return Figure(f"{STEPS} steps that do nothing ÷ a bare flow, {kind}", "s", tuple(map(tuple, pairs)), "≤ 1.5")


async def compare(times: int) -> list[tuple[float, float]]:
    """So many pairs of (ours, bare) in seconds, after one that warms up."""
    settings = read_settings()
    engine = open_database(settings.database_url)
    await migrate(engine)
    pairs = [await compare_once(Requests(engine), settings, number) for number in range(times + 1)]
    await engine.dispose()
    return pairs[1:]


async def compare_once(requests: Requests, settings: Settings, number: int) -> tuple[float, float]:
    """One pair; which of the two comes first takes turns."""
    asked = await requests.request_install(make_request(tenant=f"t{number}"), Asked("bench"))
    theirs = 0.0 if number % 2 else await seconds_bare()
    began = time.perf_counter()
    state = await journaled(asked.operation, settings, return_state=True)
    ours = time.perf_counter() - began
    assert state.name == "Succeeded", state
    return ours, theirs or await seconds_bare()


async def seconds_bare() -> float:
    """How long the bare flow takes."""
    began = time.perf_counter()
    await bare()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(compare(int(sys.argv[1])))))
