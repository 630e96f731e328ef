"""Who may write the journal of an operation now.

Expiry decides who may *take* a lease, the token decides who may *write*: an expired lease that nobody took is still good.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Update, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from blocks.catalog.database import lease_ms, pick, statement, unbroken
from blocks.catalog.tables import Operation
from blocks.domain.errors import LeaseLost
from blocks.domain.journal import WORKABLE, Phase

# The order in which operations that wait are taken up.
URGENCY = (col(Operation.priority).desc(), col(Operation.created_at), col(Operation.id))


@dataclass(frozen=True)
class Lease:
    """The right to write one journal until the token changes; `ttl` in seconds."""

    operation: UUID
    token: int
    holder: str
    ttl: float


def still_held(lease: Lease) -> ColumnElement[bool]:
    """The condition that every write under a lease carries: this is the fence."""
    return (col(Operation.id) == lease.operation) & (col(Operation.token) == lease.token)


class Leases:
    """The leases of all operations, kept by the database's clock; `ttl` in seconds."""

    def __init__(self, engine: AsyncEngine, ttl: float) -> None:
        self._engine, self._ttl = engine, ttl

    async def acquire(self, operation: UUID, holder: str, phases: frozenset[Phase] = WORKABLE, run: str = "") -> Lease:
        """Take a lease that nobody holds on an operation in one of the phases, or raise `LeaseLost`.

        `run` is the flow run that carries it from now on, to which people are led; none: they are led where they were.
        """
        free = (col(Operation.id) == operation) & _idle_in(phases)
        until = lease_ms() + int(self._ttl * 1000)
        mine = {"token": col(Operation.token) + 1, "holder": holder, "expires": until, "vain": 0} | (
            {"flow_run": run} if run else {}
        )
        taken = update(Operation).where(free).values(mine)
        return Lease(operation, await self._change(taken, operation), holder, self._ttl)

    async def renew(self, lease: Lease) -> None:
        """Hold the lease for another `ttl` seconds from now, or raise `LeaseLost`."""
        longer = update(Operation).where(still_held(lease)).values(expires=lease_ms() + int(lease.ttl * 1000))
        await self._change(longer, lease.operation)

    async def release(self, lease: Lease) -> None:
        """Let anybody take the operation; the old token writes nothing any more."""
        freed = update(Operation).where(still_held(lease)).values(token=Operation.token + 1, holder="", expires=0)
        await self._change(freed, lease.operation)

    @unbroken
    async def idle(self, patience: float) -> list[UUID]:
        """Operations with work to do that nobody does, the most urgent first, then the oldest; what is parked is not among them.

        One whose run began less than `patience` seconds ago may still come.
        """
        started = col(Operation.dispatched_at) > lease_ms() - int(patience * 1000)
        # A lease that ran out says that the run is dead: no reason to be patient with it.
        expected = started & (col(Operation.expires) < col(Operation.dispatched_at))
        waiting = pick(Operation.id).where(_idle_in(WORKABLE), ~expected).order_by(*URGENCY)
        async with statement(self._engine) as database:
            return [UUID(str(row.id)) for row in await database.execute(waiting)]

    @unbroken
    async def runs_out(self, operation: UUID) -> tuple[int, float]:
        """When the lease runs out, in milliseconds by the database's clock, and how many seconds are left; (0, 0.0) if nobody may take it.

        A little is left as long as somebody may take it: between two questions it may have run out.
        """
        left = (col(Operation.expires) - lease_ms()).label("left")
        chosen = pick(Operation.expires, left).where(col(Operation.id) == operation, _in(WORKABLE))
        async with statement(self._engine) as database:
            row = (await database.execute(chosen)).one_or_none()
        return (row.expires, max(row.left, 1) / 1000) if row else (0, 0.0)

    @unbroken
    async def _change(self, change: Update, operation: UUID) -> int:
        async with statement(self._engine) as database:
            token = (await database.execute(change.returning(col(Operation.token)))).scalar_one_or_none()
        if token is None:
            raise LeaseLost(f"operation {operation} is held by another worker, or has ended")
        return int(token)


def _idle_in(phases: frozenset[Phase]) -> ColumnElement[bool]:
    return _in(phases) & (col(Operation.expires) < lease_ms())


def _in(phases: frozenset[Phase]) -> ColumnElement[bool]:
    return col(Operation.phase).in_([phase.value for phase in phases])
