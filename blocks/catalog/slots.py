"""At most so many operations are carried at a time; the rest queue by priority, then age."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from blocks.catalog.database import lease_ms, pick, statement, transaction, unbroken
from blocks.catalog.leases import URGENCY
from blocks.catalog.tables import Operation, Turnstile
from blocks.domain.journal import WORKABLE

MOST = 10


class Slots:
    """The slots of all operations. Whoever parks or ends gives its slot back in the transaction that says so (journal.py)."""

    def __init__(self, engine: AsyncEngine, most: int = MOST) -> None:
        self._engine, self._most = engine, most

    @unbroken
    async def take(self, operation: UUID) -> int:
        """0 once the operation has a slot or needs none, else its place in the queue, from 1."""
        async with transaction(self._engine) as database:
            # The first statement locks the one row that everybody who counts must lock; on SQLite it is the write that comes first.
            await database.execute(update(Turnstile).values(passed=Turnstile.passed + 1))
            place = await _place(database, operation)
            if place > self._most - await _taken(database):
                return place
            free = (col(Operation.id) == operation) & _WORKABLE
            await database.execute(update(Operation).where(free).values(slot=True))
            return 0

    @unbroken
    async def place(self, operation: UUID) -> int:
        """The operation's place in the queue, from 1; 0 if it has a slot or needs none."""
        async with statement(self._engine) as database:
            return await _place(database, operation)


# Whoever holds a lease is being carried, with or without a slot (a run begun on Prefect's page): it counts, and it does not wait.
_WORKABLE = col(Operation.phase).in_([phase.value for phase in WORKABLE])


def _carried() -> ColumnElement[bool]:
    return col(Operation.slot) | (col(Operation.expires) >= lease_ms())


async def _taken(database: AsyncConnection) -> int:
    return int((await database.execute(pick(func.count()).where(_WORKABLE, _carried()))).scalar_one())


async def _place(database: AsyncConnection, operation: UUID) -> int:
    queue = pick(Operation.id, func.row_number().over(order_by=URGENCY).label("place")).where(_WORKABLE, ~_carried()).subquery()
    found = (await database.execute(pick(queue.c.place).where(queue.c.id == operation))).scalar_one_or_none()
    return int(found or 0)
