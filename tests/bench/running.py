"""Operations of the running product: begun as the API begins them, and watched in its record from outside."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.requests import Asked, Requests
from blocks.catalog.slots import Slots
from blocks.catalog.starts import Starts
from blocks.domain.errors import Transient
from blocks.domain.pools import Pools
from blocks.settings import read_settings
from deployments.dispatch import Dispatch

LOOK_EVERY = 0.02
LONGEST = 240.0
BY = Asked("bench")
FINAL = ("succeeded", "withdrawn", "frozen")


async def look(engine: AsyncEngine, operation: UUID) -> Any:
    """Phase, token, holder and the number and token of the last journal entry; of PostgreSQL."""
    asked = text(
        "SELECT phase, o.token, holder, o.seq, step, kind, j.token AS written FROM operation o LEFT JOIN journal j"
        " ON j.operation = o.id AND j.seq = o.seq WHERE o.id = :operation"
    )
    async with engine.connect() as database:
        return (await database.execute(asked, {"operation": operation})).one()


async def awaited(engine: AsyncEngine, operation: UUID, is_it: Callable[[Any], bool]) -> Any:
    """The operation as soon as it stands so."""
    ends = time.monotonic() + LONGEST
    while time.monotonic() < ends:
        seen = await look(engine, operation)
        if is_it(seen):
            return seen
        await asyncio.sleep(LOOK_EVERY)
    raise TimeoutError(f"it never came: {seen}")


async def ended(engine: AsyncEngine, operation: UUID) -> Any:
    """The operation once nothing more happens by itself."""
    return await awaited(engine, operation, lambda seen: seen.phase in FINAL)


async def begin(engine: AsyncEngine, operation: UUID) -> None:
    """A run of the product's worker is to carry it; where Prefect does not take it, the product's keeper sees to it, as for any user."""
    settings = read_settings()
    with suppress(Transient):
        await Dispatch(Starts(engine), Slots(engine, settings.max_applying), Pools.read(settings.work_pools))(operation)


async def removed(engine: AsyncEngine, installation: UUID) -> None:
    """What was installed is gone with its data."""
    asked = await Requests(engine).request_uninstall(installation, BY, drop_data=True)
    await begin(engine, asked.operation)
    await ended_well(engine, asked.operation)


async def ended_well(engine: AsyncEngine, operation: UUID) -> None:
    """The operation has succeeded; what did not was not measured."""
    seen = await ended(engine, operation)
    assert seen.phase == "succeeded", seen
