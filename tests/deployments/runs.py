"""A record with operations on it and the real Prefect server of the session: what dispatching and keeping are tested on."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from blocks.catalog.journal import Journal
from blocks.catalog.leases import Leases
from blocks.catalog.requests import Asked, Requests
from blocks.catalog.slots import Slots
from blocks.catalog.starts import Starts
from blocks.catalog.views import Views
from blocks.domain.journal import Fact, Phase
from blocks.domain.pools import Pools
from blocks.domain.status import OperationView
from deployments.dispatch import Dispatch
from tests.builders import make_request

POOLS = Pools.read("embedded")
NOWHERE = "http://127.0.0.1:1/api"


@dataclass(frozen=True)
class Record:
    """An otherwise empty record and everything that reads and writes it."""

    engine: AsyncEngine

    @property
    def starts(self) -> Starts:
        """The runs."""
        return Starts(self.engine)

    def slots(self, most: int = 10) -> Slots:
        """So many slots."""
        return Slots(self.engine, most)

    def dispatch(self, most: int = 10) -> Dispatch:
        """What starts runs, so many at once."""
        return Dispatch(self.starts, self.slots(most), POOLS)

    async def ask(self, tenant: str = "default", verb: str = "install", **columns: Any) -> UUID:
        """A new operation with this verb, and with these columns of its row as they are given."""
        asked = await Requests(self.engine).request_install(make_request(tenant=tenant), Asked("ann"))
        for name, value in (columns | {"verb": verb}).items():
            await self.set(asked.operation, name, value)
        return asked.operation

    async def set(self, operation: UUID, column: str, value: object) -> None:
        """One column of the operation's row as it is given, past everything that guards it."""
        await self._change(operation, f"{column} = :value", value)

    async def let_pass(self, operation: UUID, seconds: int) -> None:
        """Its last run was started so much longer ago."""
        await self._change(operation, "dispatched_at = dispatched_at - :value", seconds * 1000)

    async def _change(self, operation: UUID, change: str, value: object) -> None:
        # PostgreSQL writes an id with dashes and SQLite without.
        same = "replace(CAST(id AS VARCHAR(36)), '-', '') = :id"
        changed = text(f"UPDATE operation SET {change} WHERE {same}")
        async with self.engine.begin() as database:
            done = await database.execute(changed, {"value": value, "id": operation.hex})
            assert done.rowcount == 1

    async def tell(self, operation: UUID, *facts: Fact, leave: bool = True) -> None:
        """These facts in the journal, written by a worker that then gives its lease back, or dies with it."""
        leases = Leases(self.engine, ttl=0.001)
        lease = await leases.acquire(operation, "worker")
        for fact in facts:
            await Journal(self.engine).append(lease, fact)
        if leave:
            await leases.release(lease)

    async def see(self, operation: UUID) -> OperationView:
        """The operation as people see it."""
        seen = await Views(self.engine).operation(operation)
        assert seen is not None
        return seen

    async def phase(self, operation: UUID) -> Phase:
        """Where it stands."""
        return (await self.see(operation)).phase


async def runs_of(operation: UUID) -> list[FlowRun]:
    """Every flow run that was ever created for the operation, the oldest first."""
    async with get_client() as client:
        runs = await client.read_flow_runs(limit=200)
    mine = [run for run in runs if run.parameters.get("operation") == str(operation)]
    return sorted(mine, key=lambda run: str(run.created))


async def forget_deployments() -> None:
    """Prefect as after its database was emptied."""
    async with get_client() as client:
        for deployment in await client.read_deployments():
            await client.delete_deployment(deployment.id)
