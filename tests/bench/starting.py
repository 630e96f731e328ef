"""How soon a run works after it was asked for, how many an hour each pool carries, and what memory that takes.

`python -m tests.bench.starting jobs` asks the running product's API for plans of what is installed already and would not change; which pool
carries them is decided by the tenant (`WORK_POOLS`). The child's memory is what it does not share with its worker.
"""

import asyncio
import json
import secrets
import sys
import time
from pathlib import Path
from socket import gethostname
from typing import Any
from uuid import UUID

import httpx
import psutil
import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.database import open_database
from blocks.catalog.requests import Requests
from blocks.domain.pools import Place, Pools
from blocks.settings import read_settings
from deployments.dispatch import CARRIERS
from deployments.terminal.files import find_address
from tests.bench.apart import in_the_product, run_apart
from tests.bench.figures import Figure
from tests.bench.planning import read_request
from tests.bench.running import BY, awaited, begin, ended_well, removed

# Tenants that the local world's pools are configured for, runs that are started one after the other, and runs at once.
TENANTS, TIMES, AT_ONCE = ("bench", "jobs"), 5, 8
GOALS = {"embedded": "≤ 1.5", "kubernetes": "≤ 6"}
MEGABYTE, HOUR = 1024 * 1024, 3600


async def measure() -> list[Figure]:
    """The figures of each pool that carries one of the environments."""
    settings = read_settings()
    configured = Pools.read(settings.work_pools)
    pools = {configured.of(CARRIERS["plan"], Place("dev", f"{one}-1")): one for one in TENANTS}
    told = {pool: await run_apart(in_the_product(settings), "tests.bench.starting", one) for pool, one in pools.items()}
    return [figure for pool, seen in told.items() for figure in tell(pool, seen)]


def tell(pool: str, seen: dict[str, Any]) -> list[Figure]:
    """What was seen of one pool."""
    figures = [
        Figure(f"{pool}: API call → first step running", "s", tuple((one, None) for one in seen["starts"]), GOALS.get(pool, "")),
        Figure(f"{pool}: no-op operations an hour, {AT_ONCE} asked for at once", "1/h", ((seen["hourly"], None),)),
    ]
    return figures + [Figure(f"{pool}: memory of {what}", "MB", ((size, None),)) for what, size in seen["memory"].items()]


async def see(tenant: str) -> dict[str, Any]:
    """All that is seen of the pool that carries tenants whose names begin so."""
    engine = open_database(read_settings().database_url)
    asked = read_request().model_dump(mode="json", by_alias=True) | {"tenant": f"{tenant}-{secrets.token_hex(4)}"}
    installed = await Requests(engine).request_install(read_request().model_validate(asked), BY)
    await begin(engine, installed.operation)
    await ended_well(engine, installed.operation)
    try:
        return await see_runs(engine, asked)
    finally:
        await removed(engine, installed.installation)
        await engine.dispose()


async def see_runs(engine: AsyncEngine, asked: dict[str, Any]) -> dict[str, Any]:
    """Runs one after the other, then many at once."""
    found = find_address(None, None, [Path(typer.get_app_dir("plugin-pipeline"))])
    head = {"Authorization": f"Bearer {found.token}"}
    memory: dict[str, float] = {}
    async with httpx.AsyncClient(base_url=found.url, headers=head, timeout=60, trust_env=False) as api:
        starts = [await start_one(engine, api, asked, memory) for _ in range(TIMES)]
        began = time.perf_counter()
        operations = [await ask(api, asked) for _ in range(AT_ONCE)]
        await asyncio.gather(*(ended_well(engine, operation) for operation in operations))
    return {"starts": starts, "hourly": AT_ONCE / (time.perf_counter() - began) * HOUR, "memory": memory}


async def start_one(engine: AsyncEngine, api: httpx.AsyncClient, asked: dict[str, Any], memory: dict[str, float]) -> float:
    """Seconds from the call to the first entry of the journal."""
    began = time.perf_counter()
    operation = await ask(api, asked)
    seen = await awaited(engine, operation, lambda now: bool(now.written))
    taken = time.perf_counter() - began
    memory.update(weigh(seen.holder))
    await ended_well(engine, operation)
    return taken


async def ask(api: httpx.AsyncClient, asked: dict[str, Any]) -> UUID:
    """The operation that plans the request."""
    answer = await api.post("/api/v1/plugins/plan", json=asked)
    answer.raise_for_status()
    return UUID(answer.json()["operation"])


def weigh(holder: str) -> dict[str, float]:
    """Megabytes of the worker, of its fork server and of the child that carries, if they are processes of this machine."""
    host, _, pid = holder.rpartition(":")
    if host != gethostname():
        return {}  # a pod's process
    child = psutil.Process(int(pid))
    family = dict(zip(("child", "fork server", "worker"), [child, *child.parents()], strict=False))
    told = {name: one.memory_full_info() for name, one in family.items()}
    return {f"{name}, {what}": getattr(one, what) / MEGABYTE for name, one in told.items() for what in ("uss", "pss")}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(see(sys.argv[1]))))
