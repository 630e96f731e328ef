"""The process that carries an operation is killed: how long until another one works on it.

On the running product, with its keeper and its worker. What counts is the first entry of the journal that another carrier writes.
"""

import asyncio
import json
import os
import signal
import sys
import time
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.database import open_database
from blocks.catalog.requests import Requests
from blocks.settings import read_settings
from tests.bench.apart import in_the_product, run_apart
from tests.bench.figures import Figure
from tests.bench.planning import read_request
from tests.bench.running import BY, awaited, begin, ended_well, removed

# In which steps the carrier is killed, in one installation after the other; one that is through too quickly is met in the next.
KILLED_IN = (
    ("resolve", "build", "make_plan", "provision_namespace", "roll_out"),
    ("fetch", "judge", "confirm_plan", "shift_traffic", "verify"),
)


async def measure() -> list[Figure]:
    """Ten kills in two installations."""
    taken = await run_apart(in_the_product(read_settings()), "tests.bench.resumption")
    pairs = tuple((one, None) for one in taken)
    return [Figure("carrier killed → work going on elsewhere", "s", pairs, "median ≤ 10, worst ≤ 30")]


async def kill_carriers() -> list[float]:
    """Seconds until the work went on, for each kill."""
    engine = open_database(read_settings().database_url)
    taken = [seconds for steps in KILLED_IN for seconds in await install_through(engine, steps)]
    await engine.dispose()
    return taken


async def install_through(engine: AsyncEngine, steps: tuple[str, ...]) -> list[float]:
    """One installation whose carrier is killed in each of the steps; it must succeed all the same."""
    asked = await Requests(engine).request_install(read_request(), BY)
    await begin(engine, asked.operation)
    try:
        taken = [await kill_in(engine, asked.operation, step) for step in steps]
    finally:
        await ended_well(engine, asked.operation)
        await removed(engine, asked.installation)
    return taken


async def kill_in(engine: AsyncEngine, operation: UUID, step: str) -> float:
    """Seconds from the kill to the first entry of another carrier."""
    reached: set[str] = set()

    def has_come(seen: object) -> bool:
        reached.add(str(getattr(seen, "step", "")))
        return step in reached and bool(getattr(seen, "holder", ""))

    seen = await awaited(engine, operation, has_come)
    os.kill(int(seen.holder.rpartition(":")[2]), signal.SIGKILL)
    began = time.monotonic()
    await awaited(engine, operation, lambda now: (now.written or 0) > seen.token)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(kill_carriers())))
