"""Operations that were taken back, of which somebody may still be about to do what he set out to do."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import exists
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import aliased
from sqlmodel import col

from blocks.catalog.database import now_ms, pick, statement, unbroken
from blocks.catalog.tables import Installation, Operation
from blocks.domain.journal import Phase

# These put a revision up; what takes one away and is taken back makes what served again, and that stays.
PUT_UP = ("install", "update")


@dataclass(frozen=True)
class Withdrawn:
    """One operation, and the revision that it was to put up."""

    operation: UUID
    revision: int


class Withdrawals:
    """The operations that were taken back on all installations."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @unbroken
    async def handed_over(self, within: float) -> tuple[Withdrawn, ...]:
        """Those that ended in the last `within` seconds, after another carrier than their first, and that nothing else came after.

        Only such a carrier can have been stopped in the middle of a write; and what came after it may have found what it wrote, and use it.
        """
        later = aliased(Operation)
        mine: Any = col(Operation.installation) == col(Installation.id)
        other: Any = (col(later.installation) == col(Operation.installation)) & (col(later.id) != col(Operation.id))
        after = exists().where(other & (col(later.created_at) >= col(Operation.created_at)))
        chosen = (
            pick(Operation.id, Operation.revision)
            .join(Installation, mine)
            .where(col(Operation.phase) == Phase.WITHDRAWN.value, col(Operation.verb).in_(PUT_UP), col(Operation.token) > 1)
            .where(
                col(Operation.updated_at) > now_ms() - int(within * 1000), col(Operation.revision) != col(Installation.revision)
            )
            .where(~after)
        )
        async with statement(self._engine) as database:
            return tuple(Withdrawn(UUID(str(row.id)), row.revision) for row in await database.execute(chosen))
