"""A plan of what is installed already and would not change: how long until it is there, from the second time on.

`python -m tests.bench.planning warm` installs the service in a memory of its own and plans the same request again and again in one process;
`… product` does so through the running product's worker, which starts a process for each run.
"""

import asyncio
import json
import secrets
import sys
import time

from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.database import open_database
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Requests
from blocks.domain.manifest import InstallRequest
from blocks.settings import read_settings
from flows.plan import plan_plugin
from tests.bench.apart import empty_memory, in_the_product, run_apart
from tests.bench.figures import Figure
from tests.bench.one import REQUESTS, clean, installed
from tests.bench.running import BY, begin, ended_well, removed

TIMES = 5


async def measure() -> list[Figure]:
    """In a warm process, and as a user of the running product sees it."""
    settings = read_settings()
    async with empty_memory(settings) as memory:
        warm = await run_apart(memory, "tests.bench.planning", "warm")
    through = await run_apart(in_the_product(settings), "tests.bench.planning", "product")
    return [
        Figure("plan of an unchanged installation, warm", "s", tuple((one, None) for one in warm), "≤ 2"),
        Figure("the same through the worker, asked to answered", "s", tuple((one, None) for one in through)),
    ]


def read_request() -> InstallRequest:
    """The service, for a tenant of its own."""
    body = json.loads((REQUESTS / "service.json").read_text())
    return InstallRequest.model_validate(body | {"tenant": f"bench-{secrets.token_hex(4)}"})


async def plan_warm() -> list[float]:
    """Seconds that each plan took after the first."""
    settings = read_settings()
    engine = open_database(settings.database_url)
    await migrate(engine)
    seen = await installed(engine, request := read_request())
    try:
        taken = [await plan_once(engine, request) for _ in range(TIMES + 1)]
    finally:
        await clean(settings, engine, [seen])
        await engine.dispose()
    return taken[1:]


async def plan_once(engine: AsyncEngine, request: InstallRequest) -> float:
    """Seconds from the wish to the end of the flow; it must succeed."""
    began = time.perf_counter()
    asked = await Requests(engine).request_plan(request, BY)
    await plan_plugin(request, asked.operation)
    over = time.perf_counter()
    await ended_well(engine, asked.operation)
    return over - began


async def plan_in_the_product() -> list[float]:
    """Seconds from each wish to its answer."""
    engine = open_database(read_settings().database_url)
    request = read_request()
    asked = await Requests(engine).request_install(request, BY)
    await begin(engine, asked.operation)
    await ended_well(engine, asked.operation)
    try:
        return [await ask_for_plan(engine, request) for _ in range(TIMES)]
    finally:
        await removed(engine, asked.installation)
        await engine.dispose()


async def ask_for_plan(engine: AsyncEngine, request: InstallRequest) -> float:
    """Seconds until a run of the product's worker has made the plan."""
    began = time.perf_counter()
    asked = await Requests(engine).request_plan(request, BY)
    await begin(engine, asked.operation)
    await ended_well(engine, asked.operation)
    return time.perf_counter() - began


WAYS = {"warm": plan_warm, "product": plan_in_the_product}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(WAYS[sys.argv[1]]())))
