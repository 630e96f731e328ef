"""One append, while ten workers in processes of their own write ten journals: how long the slowest hundredth takes at least.

`python -m tests.bench.appends ID 200` is one of them: it appends so many entries to the operation's journal and says the seconds as JSON.
"""

import asyncio
import json
import statistics
import sys
import time
from uuid import UUID

from blocks.catalog.database import open_database
from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.migrate import migrate
from blocks.catalog.requests import Asked, Requests
from blocks.domain.journal import Fact, Kind
from blocks.settings import read_settings
from blocks.toolchain import open_seals
from tests.bench.apart import empty_memory, run_apart
from tests.bench.figures import Figure
from tests.builders import make_request

WRITERS = 10
ENTRIES = 200


async def measure() -> list[Figure]:
    """The slowest hundredth and the median, on each kind of record."""
    return [figure for kind in ("postgresql", "sqlite") for figure in await measure_on(kind)]


async def measure_on(kind: str) -> list[Figure]:
    """Ten writers at once."""
    taken = await write_at_once(kind)
    slow, usual = statistics.quantiles(taken, n=100)[98], statistics.median(taken)
    return [
        Figure(f"one append, p99 with {WRITERS} writers, {kind}", "s", ((slow, None),)),
        Figure(f"one append, median with {WRITERS} writers, {kind}", "s", ((usual, None),)),
    ]


async def write_at_once(kind: str) -> list[float]:
    """The seconds that each append of each writer took."""
    async with empty_memory(read_settings(), kind) as memory:
        engine = open_database(memory["DATABASE_URL"])
        await migrate(engine)
        asked = [await Requests(engine).request_install(make_request(tenant=f"t{n}"), Asked("bench")) for n in range(WRITERS)]
        await engine.dispose()
        writers = (run_apart(memory, "tests.bench.appends", str(one.operation), str(ENTRIES)) for one in asked)
        return [seconds for taken in await asyncio.gather(*writers) for seconds in taken]


async def write(operation: UUID, times: int) -> list[float]:
    """The seconds that each of so many appends took."""
    settings = read_settings()
    engine = open_database(settings.database_url)
    journal = Journal(engine, open_seals(settings))
    lease = await Leases(engine, ttl=600).acquire(operation, "bench")
    taken = []
    for number in range(times):
        began = time.perf_counter()
        await journal.append(lease, Fact(f"step-{number}", Kind.INTENDED, "bench", "[]"))
        taken.append(time.perf_counter() - began)
    await engine.dispose()
    return taken


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(write(UUID(sys.argv[1]), int(sys.argv[2])))))
