"""An operation held by this worker: its lease, its journal and its tools.

A `Work` remembers nothing that can change: whoever wants to know where the operation stands looks into the journal.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from socket import gethostname
from time import monotonic
from uuid import UUID

from blocks.catalog.leases import Lease, Leases
from blocks.catalog.operations import Order
from blocks.catalog.plugin_sets import PluginSets
from blocks.domain.errors import LeaseLost, Transient
from blocks.domain.journal import TURNS_BACK, Fact, Kind, Reason, State, fold
from blocks.domain.manifest import InstallRequest
from blocks.domain.status import read_reason
from blocks.settings import Settings
from blocks.toolchain import Toolchain, open_toolchain

UNTOLD = Reason("untold", "the operation failed and did not say why")


class Work:
    """What steps are given; a plain class, because Prefect walks through every dataclass it is handed."""

    def __init__(self, lease: Lease, order: Order, tools: Toolchain) -> None:
        self.lease, self.order, self.tools = lease, order, tools

    @property
    def operation(self) -> UUID:
        """The operation that is carried."""
        return self.order.operation

    @property
    def installation(self) -> UUID:
        """The installation it is about."""
        return self.order.installation

    @property
    def revision(self) -> int:
        """The number of the revision that the operation makes or removes."""
        return self.order.revision

    async def request(self) -> InstallRequest:
        """What was asked for."""
        return self.order.request

    async def look(self) -> State:
        """Where the operation stands, from the journal."""
        return fold(await self.tools.journal.read(self.operation))

    async def record(self, step: str, kind: Kind, payload: str = "null") -> None:
        """Append one fact, or raise `LeaseLost`."""
        await self.tools.journal.append(self.lease, Fact(step, kind, self.lease.holder, payload))

    async def record_reason(self, kind: Kind, why: Reason) -> None:
        """Append why the operation failed or froze, in words for people."""
        await self.record("operation", kind, json.dumps(asdict(why)))

    async def failure(self) -> Reason:
        """Why the operation turned back, as it was recorded by the run that failed or the person who said so."""
        told = [entry.payload for entry in await self.tools.journal.read(self.operation) if entry.kind in TURNS_BACK]
        return (read_reason(told[-1]) if told else None) or UNTOLD


@asynccontextmanager
async def open_work(operation: UUID, settings: Settings, run: str = "") -> AsyncIterator[Work]:
    """Hold the operation while the block runs and give it back after an orderly end, or raise `LeaseLost`.

    People are led to the flow run from then on. After anything else the lease runs out by itself: that is the pause before the next try.
    """
    async with open_toolchain(settings, operation) as tools:
        lease = await take(tools.leases, operation, f"{gethostname()}:{os.getpid()}", run)
        tools.fence.ask(partial(tools.leases.renew, lease))
        async with kept(tools.leases, lease, settings.lease_renew):
            yield Work(lease, await tools.operations.order(operation), tools)
        await tools.leases.release(lease)


@asynccontextmanager
async def open_sets(operation: UUID, settings: Settings) -> AsyncIterator[PluginSets]:
    """How the set stands for which the operation was made; nothing is held."""
    async with open_toolchain(settings, operation) as tools:
        yield tools.sets


async def take(leases: Leases, operation: UUID, holder: str, run: str = "") -> Lease:
    """The lease on the operation, once the one that stands has run out unrenewed; `LeaseLost` as soon as it is certain that somebody lives.

    So a run can be started before a dead worker's lease is over, and the time that it takes to start is not lost.
    """
    seen = 0
    while True:
        try:
            return await leases.acquire(operation, holder, run=run)
        except LeaseLost:
            runs_out, left = await leases.runs_out(operation)
            if not left or seen not in (0, runs_out):
                raise
            seen = runs_out
            await asyncio.sleep(min(left, 0.25))


@asynccontextmanager
async def kept(leases: Leases, lease: Lease, every: float) -> AsyncIterator[None]:
    """Renew the lease every so many seconds while the block runs; when it is lost, cancel the block and raise `LeaseLost`."""
    try:
        async with asyncio.TaskGroup() as group:
            heart = group.create_task(_beat(leases, lease, every))
            yield
            heart.cancel()
    except BaseExceptionGroup as problems:
        first = problems.exceptions[0]
        raise first from first.__cause__


async def _beat(leases: Leases, lease: Lease, every: float) -> None:
    # By our own clock the lease is ours until `ttl` after the last renewal was *asked for*: no answer by then is a no.
    held_until = monotonic() + lease.ttl
    while True:
        await asyncio.sleep(every)
        asked = monotonic()
        try:
            async with asyncio.timeout(held_until - asked):
                await leases.renew(lease)
            held_until = asked + lease.ttl
        except (Transient, TimeoutError) as problem:
            if monotonic() >= held_until:
                raise LeaseLost(f"the lease on {lease.operation} could not be renewed in time") from problem
