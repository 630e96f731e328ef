"""The past of an installation, read for people."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from blocks.catalog.database import pick, statement, unbroken
from blocks.catalog.journal import JOURNAL, as_entry
from blocks.catalog.tables import Operation
from blocks.domain.asking import Wish
from blocks.domain.journal import Entry
from blocks.domain.timeline import Moment, Told, tell


@dataclass(frozen=True)
class TimelinePage:
    """Some moments in order, and where the next page begins or None."""

    items: tuple[Moment, ...]
    next: int | None


class Timelines:
    """The past of every installation."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, installation: UUID, after: int, limit: int) -> TimelinePage:
        """At most `limit` moments, from the `after`th on (0 is the first)."""
        moments = tell(await self._told(installation))
        end = after + limit
        return TimelinePage(moments[after:end], end if end < len(moments) else None)

    @unbroken
    async def _told(self, installation: UUID) -> list[Told]:
        """Each operation with its journal, in one statement: one moment of the record."""
        asked: tuple[Any, ...] = (Operation.id, Operation.verb, col(Operation.actor).label("by"), Operation.wish)
        both = pick(*asked, Operation.created_at, *JOURNAL.c).outerjoin(JOURNAL, JOURNAL.c.operation == col(Operation.id))
        mine = both.where(col(Operation.installation) == installation)
        ordered = mine.order_by(col(Operation.created_at), col(Operation.id), JOURNAL.c.seq)
        async with statement(self._engine) as database:
            rows = (await database.execute(ordered)).mappings().all()
        told: dict[UUID, Any] = {}
        entries: dict[UUID, list[Entry]] = {}
        for row in rows:
            told[row["id"]] = row
            entries.setdefault(row["id"], []).extend([as_entry(row)] if row["seq"] is not None else [])
        return [
            Told(one, row["verb"], row["by"], Wish.read(row["wish"]), row["created_at"], tuple(entries[one]))
            for one, row in told.items()
        ]
